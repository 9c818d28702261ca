"""Withdrawing a version that waits, reviewing what was loosened by break-glass; and the steps that were taken."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.filters import RecordedDayFilter, SelectFilter
from mia_site.audit.admin.rendering import badge
from risk.admin.acting import Button, ReasonForm, act_view
from risk.admin.limits_status import STEP_TONES, Version, is_open, is_unreviewed
from risk.admin.shared import AccountFilter, ReasonMixin, WhoMixin
from risk.models import DeskLimitsStep, LimitsStep
from risk.models.limits import Step
from risk.risk_controller import limits_review, limits_withdraw
from risk.roles import APPROVE_LIMITS, PROPOSE_LIMITS


def step_context(request: HttpRequest, version: Version) -> dict[str, Any]:
    """Which links the version's page offers."""
    may_act = request.user.has_perm(PROPOSE_LIMITS) or request.user.has_perm(APPROVE_LIMITS)
    return {
        "open": is_open(version),
        "may_decide": request.user.has_perm(APPROVE_LIMITS),
        "may_withdraw": is_open(version) and may_act,
        "may_review": is_unreviewed(version) and may_act,
    }


def step_view(
    page: ModelAdmin[Any], request: HttpRequest, version: Version, *, title: str, shown: SafeString | str, back: str
) -> HttpResponseBase:
    """Withdraws a version that waits; keeps or revokes one that is in force by break-glass."""
    permission = APPROVE_LIMITS if request.user.has_perm(APPROVE_LIMITS) else PROPOSE_LIMITS
    if not request.user.has_perm(permission):
        raise PermissionDenied

    def apply(given: dict[str, Any], button: str) -> None:
        told = {"actor": request_actor(request), "reason": given["reason"]}
        if button == "withdraw":
            limits_withdraw(version, **told)
        else:
            limits_review(version, keep=button == "keep", **told)

    buttons = _buttons(version, request)
    return act_view(
        page, request, permission=permission, title=title, form=ReasonForm(request.POST or None), back=back,
        buttons=buttons, apply=apply, shown=shown, closed="" if buttons else _("This version is decided already."),
    )  # fmt: skip


def _buttons(version: Version, request: HttpRequest) -> list[Button]:
    """What this person may do with the version: who broke the glass may only revoke."""
    if is_open(version):
        return [("withdraw", _("Withdraw"), "danger")]
    if not is_unreviewed(version):
        return []
    another = request.user.has_perm(APPROVE_LIMITS) and version.proposer != str(request_actor(request))
    keep: list[Button] = [("keep", _("Keep"), "primary")] if another else []
    return [*keep, ("revoke", _("Revoke"), "danger")]


class StepMixin(WhoMixin):
    """Columns of a step, of an account's version or the desk's."""

    @admin.display(description=gettext_lazy("step"))
    def step_shown(self, row: Any) -> SafeString:
        return badge(Step(row.step).label, STEP_TONES[Step(row.step)])


@admin.register(LimitsStep)
class LimitsStepAdmin(StepMixin, ReasonMixin, FactAdmin):
    list_display = ("recorded_at", "account", "limits", "step_shown", "who", "reason_shown")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter), ("step", SelectFilter))
    list_select_related = ("account", "limits")
    sortable_by = ()
    ordering = ("-id",)
    fields = (("account", "limits"), ("step_shown", "who"), "reason_shown", ("recorded_at", "seq"))


@admin.register(DeskLimitsStep)
class DeskLimitsStepAdmin(StepMixin, ReasonMixin, FactAdmin):
    list_display = ("recorded_at", "limits", "step_shown", "who", "reason_shown")
    list_filter = (("recorded_at", RecordedDayFilter), ("step", SelectFilter))
    list_select_related = ("limits",)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("limits", "step_shown"), ("who", "seq"), "reason_shown", "recorded_at")
