"""The desk: all accounts together, with the switch that stops all of them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import ReadOnlyAdmin, request_actor
from mia_site.audit.admin.rendering import EMPTY, number
from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from mia_site.ops.sentences import sentence_told
from risk.admin.account_page import bar_of
from risk.admin.review_lines import review_lines
from risk.admin.shared import state_badge
from risk.admin.stop_lines import stop_lines
from risk.admin.switches import switch_view
from risk.models import Desk, StateChange
from risk.models.state import Scope
from risk.risk_controller import desk_halt, desk_resume
from risk.roles import HALT, RESUME
from risk.selectors.desk import desk_limits_of, desk_views

STORY = 200


@admin.register(Desk)
class DeskAdmin(ReadOnlyAdmin):
    list_display = ("state_shown", "state_since", "reason_shown", "checks_at", "calendar_at", "feature_set")
    list_select_related = ("feature_set",)
    actions_list = ()
    fields = (
        ("state_shown", "state_since"), "reason_shown", ("checks_at", "calendar_at"), "feature_set",
    )  # fmt: skip
    change_form_outer_before_template = "admin/desk/desk.html"

    def get_urls(self) -> list[Any]:
        views = (("halt", self.halt_view), ("resume", self.resume_view))
        mine = [path(f"{name}/", self.admin_site.admin_view(view), name=f"risk_desk_{name}") for name, view in views]
        return [*mine, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """There is one desk: its page is the list."""
        if self.has_view_permission(request) and Desk.objects.exists():
            return HttpResponseRedirect(reverse("admin:risk_desk_change", args=[1]))
        return super().changelist_view(request, extra_context)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        limits = desk_limits_of(obj)
        views = () if limits is None else desk_views(obj, limits, database_now())
        return {
            "stops": stop_lines(),
            "reviews": review_lines(),
            "state_badge": state_badge(obj.state),
            "state_reason": sentence_told(obj.state_reason),
            "bars": [bar_of(view) for view in views],
            "desk_equity": "" if obj.equity is None else number(obj.equity, 2),
        }

    def halt_view(self, request: HttpRequest) -> HttpResponseBase:
        """Stops every account at once."""
        return switch_view(
            self, request, row=_desk(), halt=True, permission=HALT, back=_back(),
            title=_("Stop trading: the whole desk"),
            apply=lambda **given: desk_halt(actor=request_actor(request), **given),
        )  # fmt: skip

    def resume_view(self, request: HttpRequest) -> HttpResponseBase:
        """Lifts the desk's stop; accounts stopped by themselves stay stopped."""
        return switch_view(
            self, request, row=_desk(), halt=False, permission=RESUME, back=_back(),
            title=_("Resume trading: the whole desk"),
            apply=lambda **given: desk_resume(actor=request_actor(request), **given),
        )  # fmt: skip

    def journal_of(self, obj: Any) -> QuerySet[Entry]:
        changes = StateChange.objects.filter(scope=Scope.DESK).order_by("-recorded_at").values_list("pk", flat=True)
        mine = Q(object_type=obj._meta.label_lower, object_id=str(obj.pk))
        return Entry.objects.filter(mine | Q(pk__in=list(changes[:STORY])))

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, row: Desk) -> SafeString:
        return state_badge(row.state)

    @admin.display(description=gettext_lazy("reason"))
    def reason_shown(self, row: Desk) -> str:
        return sentence_told(row.state_reason) or EMPTY


def _desk() -> Desk:
    """The desk's row, or what it would be before its first use."""
    return Desk.objects.filter(id=1).first() or Desk(id=1)


def _back() -> str:
    return reverse("admin:risk_desk_changelist")
