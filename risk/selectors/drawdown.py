"""Drawdown of an account by each of its rules, as of now."""

from datetime import datetime
from decimal import Decimal

from risk.models import AccountState
from risk.rules.drawdown import mark_roll, mark_view
from risk.rules.facts import DoubtView, DrawdownView, HeldView
from risk.rules.limits import Limits
from risk.rules.track import doubt_view, track_load


def drawdown_views(state: AccountState, limits: Limits, now: datetime) -> tuple[DrawdownView, ...]:
    """One view per rule that has seen equity, rolled over the reset that lies before `now`, if any."""
    zone = state.account.zone
    return tuple(
        mark_view(rule, mark_roll(rule, track_load(state.marks[rule.name]).mark, now, zone))
        for rule in limits.drawdown
        if rule.name in state.marks
    )


def doubt_views(state: AccountState, limits: Limits) -> tuple[DoubtView, ...]:
    """The breaches that are neither confirmed nor refuted yet."""
    stored = ((rule, state.marks[rule.name]) for rule in limits.drawdown if rule.name in state.marks)
    views = (doubt_view(rule, track_load(values)) for rule, values in stored if values.get("doubt"))
    return tuple(view for view in views if view is not None)


def held_view(state: AccountState) -> HeldView | None:
    """The implausible points that wait for a ruling, if any."""
    return HeldView(count=state.held, since=state.held_since) if state.held and state.held_since else None


def deepest(views: tuple[DrawdownView, ...]) -> Decimal:
    """The largest drawdown (fraction) of all rules; 0 without any."""
    return max((view.drawdown for view in views), default=Decimal(0))
