"""The review of a resume by break-glass: another person keeps or revokes it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.filters import RecordedDayFilter, SelectFilter
from risk.admin.acting import Button, ReasonForm, act_view
from risk.admin.limits_steps import StepMixin
from risk.admin.shared import AccountFilter, ReasonMixin
from risk.models import StateChange, StateReview
from risk.risk_controller import resume_review
from risk.roles import RESUME


def resume_unreviewed(change: StateChange) -> bool:
    """Whether it is a resume by break-glass that waits for a review."""
    return change.review_by is not None and not StateReview.objects.filter(change=change).exists()


def resume_review_view(page: ModelAdmin[Any], request: HttpRequest, change: StateChange) -> HttpResponseBase:
    """Keeps or revokes it; who resumed may only revoke."""
    another = change.actor != str(request_actor(request))
    keep: list[Button] = [("keep", _("Keep"), "primary")] if another else []

    def apply(given: dict[str, Any], button: str) -> None:
        resume_review(change, keep=button == "keep", actor=request_actor(request), reason=given["reason"])

    return act_view(
        page, request, permission=RESUME, title=_("Review a resume by break-glass"), apply=apply,
        form=ReasonForm(request.POST or None), buttons=[*keep, ("revoke", _("Revoke"), "danger")],
        back=reverse("admin:risk_statechange_change", args=[change.pk]), facts=[(_("resumed"), change.reason)],
        closed="" if resume_unreviewed(change) else _("There is nothing to review."),
    )  # fmt: skip


@admin.register(StateReview)
class StateReviewAdmin(StepMixin, ReasonMixin, FactAdmin):
    list_display = ("recorded_at", "account", "change", "step_shown", "who", "reason_shown")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter), ("step", SelectFilter))
    list_select_related = ("account", "change")
    sortable_by = ()
    ordering = ("-id",)
    fields = (("account", "change"), ("step_shown", "who"), "reason_shown", ("recorded_at", "seq"))
