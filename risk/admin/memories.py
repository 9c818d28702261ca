"""Pages of proposed memories: what happened around an event, and what staff said to it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.filters import RecordedDayFilter
from mia_site.audit.admin.rendering import badge, flattened
from risk.admin.acting import ReasonForm, act_view
from risk.admin.shared import AccountFilter
from risk.memory_rulings import memory_decide
from risk.models import MemoryProposal, MemoryRuling
from risk.roles import RULE_MEMORY


@admin.register(MemoryProposal)
class MemoryProposalAdmin(FactAdmin):
    list_display = ("recorded_at", "account", "event_type", "at", "confidence", "status")
    list_select_related = ("account", "ruling")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    empty_words = gettext_lazy("No memory is proposed: after a high-impact event with decisions around it, one is.")
    search_fields = ("event_type__exact",)
    search_help_text = gettext_lazy("Event type, exactly")
    sortable_by = ()
    ordering = ("-id",)
    column_styles = {"features": "pairs"}
    fields = (("event_type", "at"), ("account", "confidence"), "features", "status", ("event_id", "recorded_at"))
    change_form_outer_before_template = "admin/desk/links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account", "ruling")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.decide_view)
        mine = [path("<uuid:object_id>/decide/", view, name="risk_memoryproposal_decide")]
        return [*mine, *super().get_urls()]

    def decide_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """Staff accept the memory as a cluster, or refuse it."""
        proposal = self.get_object(request, str(object_id))
        if proposal is None:
            raise Http404
        return act_view(
            self, request, permission=RULE_MEMORY, title=_("Accept this memory?"),
            form=ReasonForm(request.POST or None), facts=flattened(proposal.features),
            buttons=[("accept", _("Accept"), "primary"), ("refuse", _("Refuse"), "danger")],
            back=reverse("admin:risk_memoryproposal_change", args=[object_id]),
            closed="" if _is_open(proposal) else _("This is decided already."),
            apply=lambda given, button: memory_decide(
                proposal, accept=button == "accept", actor=request_actor(request), **given
            ),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if _is_open(obj) and request.user.has_perm(RULE_MEMORY):
            url = reverse("admin:risk_memoryproposal_decide", args=[obj.pk])
            links.append({"url": url, "words": _("Accept or refuse"), "look": "primary"})
        return {**super().page_context(request, obj), "links": links}

    @admin.display(description=gettext_lazy("status"))
    def status(self, row: MemoryProposal) -> SafeString:
        ruling = getattr(row, "ruling", None)
        if ruling is None:
            return badge(_("waits for somebody"), "warn")
        return badge(_("accepted"), "good") if ruling.accepted else badge(_("refused"), "plain")


def _is_open(proposal: MemoryProposal) -> bool:
    return getattr(proposal, "ruling", None) is None


@admin.register(MemoryRuling)
class MemoryRulingAdmin(FactAdmin):
    list_display = ("recorded_at", "proposal", "accepted", "actor", "reason")
    list_select_related = ("proposal",)
    list_filter = (("recorded_at", RecordedDayFilter),)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("proposal", "accepted"), "reason", ("actor", "cluster_id"), "recorded_at")
