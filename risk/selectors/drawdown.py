"""Drawdown of an account by each of its rules, as of now."""

from datetime import datetime
from decimal import Decimal

from risk.models import AccountState
from risk.rules.drawdown import mark_roll, mark_view
from risk.rules.limits import DrawdownLimit, Limits
from risk.rules.mark_codec import mark_load
from risk.rules.types import DrawdownView


def drawdown_views(state: AccountState, limits: Limits, now: datetime) -> tuple[DrawdownView, ...]:
    """One view per rule that has seen equity, rolled over the reset that lies before `now`, if any."""
    zone = state.account.zone
    return tuple(
        mark_view(rule, mark_roll(rule, mark_load(state.marks[rule.name]), now, zone))
        for rule in limits.drawdown
        if rule.name in state.marks
    )


def tightest_fraction(limits: Limits) -> DrawdownLimit | None:
    """The fractional rule with the smallest allowance: what a bare drawdown figure is compared with."""
    fractional = [rule for rule in limits.drawdown if rule.allowance.of.value != "amount"]
    return min(fractional, key=lambda rule: rule.allowance.value, default=None)


def deepest(views: tuple[DrawdownView, ...]) -> Decimal:
    """The largest drawdown (fraction) of all rules; 0 without any."""
    return max((view.drawdown for view in views), default=Decimal(0))
