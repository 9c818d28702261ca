"""The kill switch by hand: forms to halt and to resume an account or the whole desk."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from mia_site.audit.admin.base import request_actor
from mia_site.ops.sentences import sentence_told
from risk.admin.shared import state_badge
from risk.inputs import InputError
from risk.loosenings import policy_of
from risk.models import Desk
from risk.models.columns import STATES
from risk.resume_policy import Stoppable, halted_by
from risk.rules.facts import TradingState
from risk.rules.loosening import Way
from risk.trading_states import stricter

HALT_PRESETS = (
    gettext_noop("Suspected malfunction of a bot"),
    gettext_noop("Positions do not match the broker's"),
    gettext_noop("Market conditions"),
    gettext_noop("Request of compliance"),
    gettext_noop("End of the session"),
    gettext_noop("Test of the kill switch"),
)
RESUME_PRESETS = (
    gettext_noop("Cause found and removed"),
    gettext_noop("Positions reconciled"),
    gettext_noop("Market conditions back to normal"),
    gettext_noop("End of the test"),
)
REASON_LENGTH = 1500


class SwitchForm(forms.Form):
    """The state to enter and why. `presets`: reasons to choose from, recorded in English in every language."""

    state = forms.ChoiceField(label=gettext_lazy("New state"), widget=UnfoldAdminRadioSelectWidget())
    preset = forms.ChoiceField(label=gettext_lazy("Reason"), required=False, widget=UnfoldAdminSelectWidget())
    words = forms.CharField(
        label=gettext_lazy("In your own words"),
        required=False,
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    break_glass = forms.BooleanField(
        label=gettext_lazy("Break-glass: I halted it myself, and another person reviews this in time"), required=False,
        widget=UnfoldBooleanSwitchWidget(),
    )  # fmt: skip

    def __init__(
        self, *args: Any, states: list[TradingState], presets: tuple[str, ...], glass: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not glass:
            del self.fields["break_glass"]
        offered = [(value, label) for value, label in STATES if value in states]
        self._choices("state", offered)
        self._choices("preset", [("", "—"), *((preset, _(preset)) for preset in presets)])
        if offered:
            self.fields["state"].initial = offered[0][0]

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        parts = [cleaned.get("preset", ""), (cleaned.get("words") or "").strip()]
        cleaned["reason"] = ": ".join(part for part in parts if part)
        if not cleaned["reason"]:
            self.add_error("words", _("Give a reason: it goes into the record."))
        return cleaned


def states_to_halt(now: str) -> list[TradingState]:
    """What a halt may enter from the state `now`: only what is stricter."""
    return [state for state in (TradingState.REDUCE_ONLY, TradingState.HALTED) if stricter(state, now)]


def states_to_resume(now: str) -> list[TradingState]:
    """What a resume may enter from the state `now`: only what is milder."""
    return [state for state in (TradingState.ACTIVE, TradingState.REDUCE_ONLY) if stricter(TradingState(now), state)]


def switch_view(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    *,
    row: Stoppable,
    halt: bool,
    permission: str,
    apply: Callable[..., Any],
    back: str,
    title: str,
) -> HttpResponseBase:
    """One page for the four switches. `apply(state=, reason=)` calls the service, with `break_glass=` where a person
    resumes what they halted and the policy allows it; `back`: where it leads."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    states = states_to_halt(row.state) if halt else states_to_resume(row.state)
    presets = HALT_PRESETS if halt else RESUME_PRESETS
    glass = not halt and _own_halt(row, request)
    form = SwitchForm(request.POST or None, states=states, presets=presets, glass=glass)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        more = {"break_glass": given["break_glass"]} if glass else {}
        try:
            apply(state=TradingState(given["state"]), reason=given["reason"], **more)
        except InputError as error:
            form.add_error(None, refusal(error))
        else:
            messages.success(request, _("Done, and recorded with your reason."))
            return HttpResponseRedirect(back)
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "form": form,
        "row": row,
        "state": state_badge(row.state),
        "state_reason": sentence_told(row.state_reason),
        "halt": halt,
        "possible": bool(states),
        "back": back,
        "opts": admin.opts,
    }
    return TemplateResponse(request, "admin/desk/switch.html", context)


def _own_halt(row: Stoppable, request: HttpRequest) -> bool:
    """Whether this person halted the row by hand, and the desk's policy lets one resume that by break-glass."""
    desk = Desk.objects.select_related("limits").filter(id=1).first()
    return (
        desk is not None
        and policy_of(desk).allows(Way.BREAK_GLASS)
        and halted_by(row, TradingState.ACTIVE, request_actor(request))
    )


def refusal(error: Any) -> str:
    """A service's refusal for people: which field, what it held, what was expected."""
    return _("%(field)s: expected %(expected)s, got %(value)s") % {
        "field": error.field or _("document"),
        "expected": sentence_told(error.expected),
        "value": error.value,
    }
