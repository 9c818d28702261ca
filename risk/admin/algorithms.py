"""Pages of algorithms that were disabled, and the review that enables them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.widgets import UnfoldAdminTextInputWidget

from mia_site.audit.admin.base import request_actor
from mia_site.audit.admin.filters import RecordedDayFilter, SelectFilter
from mia_site.audit.admin.rendering import badge
from risk.admin.acting import ReasonForm, act_view
from risk.admin.facts import RuledAdmin
from risk.admin.shared import AccountFilter, ReasonMixin
from risk.algorithms import algorithm_review
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import AlgorithmSwitch
from risk.models.algorithm import AlgorithmAction
from risk.models.state import KEY_LENGTH
from risk.roles import REVIEW_ALGORITHMS
from risk.selectors.algorithms import switch_newest


class ReviewForm(ReasonForm):
    """Which algorithm was reviewed on which account, and what came of it."""

    algorithm = forms.CharField(
        label=gettext_lazy("Algorithm"), max_length=KEY_LENGTH, widget=UnfoldAdminTextInputWidget()
    )
    account = forms.CharField(label=gettext_lazy("Account"), max_length=32, widget=UnfoldAdminTextInputWidget())
    field_order = ("algorithm", "account")


@admin.register(AlgorithmSwitch)
class AlgorithmSwitchAdmin(ReasonMixin, RuledAdmin):
    list_display = ("recorded_at", "account", "key", "action_shown", "executions", "reason_shown", "who")
    list_filter = (("account", AccountFilter), ("action", SelectFilter), ("recorded_at", RecordedDayFilter))
    search_fields = ("key__exact", "account__code__exact")
    search_help_text = gettext_lazy("Algorithm or account")
    fields = (
        ("account", "key"),
        "action_shown",
        ("executions", "limit"),
        "reason_shown",
        ("who", "seq"),
        "recorded_at",
    )
    list_before_template = "admin/desk/links.html"
    change_form_outer_before_template = "admin/desk/links.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.review_view)
        return [path("review/", view, name="risk_algorithmswitch_review"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        links = []
        if request.user.has_perm(REVIEW_ALGORITHMS):
            url = reverse("admin:risk_algorithmswitch_review")
            links.append({"url": url, "words": _("Review an algorithm"), "look": "primary"})
        return super().changelist_view(request, {**(extra_context or {}), "links": links})

    def review_view(self, request: HttpRequest) -> HttpResponseBase:
        """Somebody has looked at what the algorithm did: it counts anew and is enabled."""

        def apply(given: dict[str, Any], _button: str) -> None:
            try:
                algorithm_review(**given | {"account": given["account"].strip().upper()}, actor=request_actor(request))
            except AccountUnknown as error:
                raise InputError("account", error.code, gettext_noop("the code of an account")) from error

        return act_view(
            self, request, permission=REVIEW_ALGORITHMS, title=_("Review an algorithm"),
            form=ReviewForm(request.POST or None, initial=request.GET.dict()), apply=apply,
            buttons=[("review", _("Reviewed: count anew and enable"), "primary")],
            back=reverse("admin:risk_algorithmswitch_changelist"),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if request.user.has_perm(REVIEW_ALGORITHMS) and _is_disabled(obj):
            links.append({"url": review_url(obj), "words": _("Review and enable"), "look": "primary"})
        return {**super().page_context(request, obj), "links": links}

    @admin.display(description=gettext_lazy("action"))
    def action_shown(self, row: AlgorithmSwitch) -> SafeString:
        return badge(row.get_action_display(), "bad" if row.action == AlgorithmAction.DISABLED else "good")


def review_url(switch: AlgorithmSwitch) -> str:
    """The page that reviews the algorithm, filled in."""
    told = urlencode({"algorithm": switch.key, "account": switch.account.code})
    return f"{reverse('admin:risk_algorithmswitch_review')}?{told}"


def _is_disabled(switch: AlgorithmSwitch) -> bool:
    """Whether the fact is the last word on its algorithm, and that it is disabled."""
    newest = switch_newest(switch.account, switch.key)
    return newest is not None and newest.pk == switch.pk and switch.action == AlgorithmAction.DISABLED
