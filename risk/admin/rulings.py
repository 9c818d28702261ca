"""What people rule on an account besides stops: held equity, penalties for losses, peaks. Each with a reason."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from mia_site.audit.admin.base import request_actor
from mia_site.audit.admin.rendering import moment, number, percent, table
from mia_site.ops.sentences import sentence_told
from risk.admin.acting import act_view
from risk.held import held_open, held_rule
from risk.losses import penalty_lift
from risk.models import AccountState
from risk.peaks import peak_rebase, rebasable
from risk.roles import RESUME
from risk.rules.losses import LOSSES, TRADE_LOSS
from risk.selectors.losses import loss_view

SHOWN = 50
PENALTY_WORDS = {LOSSES: gettext_lazy("losses in a row"), TRADE_LOSS: gettext_lazy("loss of one trade")}


class RulingForm(forms.Form):
    """What is ruled, and why. `asked`: the name of the choice."""

    asked = gettext_lazy("Ruling")
    choice = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget())
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, choices: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["choice"]
        assert isinstance(field, forms.ChoiceField)
        field.label, field.choices = self.asked, list(choices)
        if len(choices) == 1:
            field.initial = choices[0][0]


class PenaltyForm(RulingForm):
    """Which penalty is lifted."""

    asked = gettext_lazy("Penalty")


class PeakForm(RulingForm):
    """Which peak is moved, and where to."""

    asked = gettext_lazy("Rule")
    reference = forms.DecimalField(
        label=gettext_lazy("New peak"),
        help_text=gettext_lazy("Empty: the last equity."),
        required=False,
        max_digits=15,
        decimal_places=4,
        min_value=Decimal("0.0001"),
        widget=UnfoldAdminTextInputWidget(),
    )
    field_order = ("choice", "reference", "reason")


def held_view(page: ModelAdmin[Any], request: HttpRequest, *, state: AccountState, back: str) -> HttpResponseBase:
    """All equity points of the account that are held: accept or reject them."""
    account = state.account.code
    points = list(held_open(state.account_id)[:SHOWN])
    rows = [
        (moment(point.at), number(point.equity, 2), number(point.previous, 2), percent(point.move)) for point in points
    ]
    choices = (("reject", _("Reject: they never count")), ("accept", _("Accept: they count from now on")))
    form = RulingForm(request.POST or None, choices=choices)
    return _ruling(
        page, request, form=form, back=back, possible=bool(points),
        title=_("Rule on held equity: %(account)s") % {"account": account},
        shown=table((_("at"), _("equity"), _("equity before"), _("move")), rows),
        apply=lambda given: held_rule(
            account=account, accept=given["choice"] == "accept", reason=given["reason"], actor=request_actor(request)
        ),
    )  # fmt: skip


def lift_view(page: ModelAdmin[Any], request: HttpRequest, *, state: AccountState, back: str) -> HttpResponseBase:
    """The penalties for losing trades: lift one before it expires."""
    account = state.account.code
    rows = [
        (PENALTY_WORDS.get(told.kind, told.kind), number(told.value), moment(told.since), moment(told.until),
         sentence_told(told.reason))
        for told in loss_view(state).penalties
    ]  # fmt: skip
    form = PenaltyForm(
        request.POST or None, choices=[(kind, PENALTY_WORDS.get(kind, kind)) for kind in sorted(state.penalties)]
    )
    return _ruling(
        page, request, form=form, back=back, possible=bool(rows),
        title=_("Lift a penalty: %(account)s") % {"account": account},
        shown=table((_("kind"), _("weight"), _("since"), _("until"), _("reason")), rows),
        apply=lambda given: penalty_lift(
            account=account, kind=given["choice"], reason=given["reason"], actor=request_actor(request)
        ),
    )  # fmt: skip


def peak_view(page: ModelAdmin[Any], request: HttpRequest, *, state: AccountState, back: str) -> HttpResponseBase:
    """The peaks of the trailing rules: move one down."""
    account = state.account.code
    rules = rebasable(state)
    rows = [
        (rule.name, number(Decimal(state.marks[rule.name]["reference"]), 2),
         number(Decimal(state.marks[rule.name]["last_equity"]), 2))
        for rule in rules
    ]  # fmt: skip
    form = PeakForm(request.POST or None, choices=[(rule.name, rule.name) for rule in rules])
    return _ruling(
        page, request, form=form, back=back, possible=bool(rows),
        title=_("Move a peak down: %(account)s") % {"account": account},
        shown=table((_("rule"), _("peak"), _("last equity")), rows),
        apply=lambda given: peak_rebase(
            account=account, rule=given["choice"], reference=given["reference"], reason=given["reason"],
            actor=request_actor(request),
        ),
    )  # fmt: skip


def _ruling(
    page: ModelAdmin[Any],
    request: HttpRequest,
    *,
    form: RulingForm,
    apply: Callable[[dict[str, Any]], Any],
    shown: SafeString | str,
    possible: bool,
    title: str,
    back: str,
) -> HttpResponseBase:
    """One page for the rulings; `apply` calls the service with what the form was given."""
    return act_view(
        page, request, permission=RESUME, title=title, form=form, back=back,
        buttons=(("record", _("Record the ruling"), "primary"),),
        apply=lambda given, _button: apply(given),
        shown=shown if possible else "",
        closed="" if possible else _("There is nothing to rule on."),
    )  # fmt: skip
