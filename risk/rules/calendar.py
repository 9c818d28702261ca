"""Rule `calendar`: no opening inside a macro event's window, nor without a calendar to know."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.blackout import blackout_reasons, blackout_windows, end_of_chain, window_evidence
from risk.rules.codes import ReasonCode
from risk.rules.effect import known_quantity
from risk.rules.facts import CalendarView, Facts
from risk.rules.limits import CalendarLimits, FreshnessLimits, Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where the calendar is missing, old or short, inside a window, and on a reported event; reduce to what a
    window leaves."""
    found = (
        *calendar_age_reasons(facts.calendar, limits.freshness, now),
        *calendar_horizon_reasons(facts.calendar, limits.calendar, now),
        *blackout_reasons(
            facts.calendar.events,
            now,
            limits.blackout,
            zone=facts.zone,
            instrument=ask.instrument,
            event_reported=facts.calendar.event_reported,
            more=limits.windows,
        ),
    )
    for item in found:
        yield Finding(RuleName.CALENDAR, Outcome.BLOCK, item)
    yield from _reductions(ask, facts, limits, now)


def calendar_age_reasons(calendar: CalendarView, limits: FreshnessLimits, now: datetime) -> tuple[Reason, ...]:
    """Say whether the calendar was never loaded or is older than `calendar_hours`; empty is neither."""
    if calendar.refreshed_at is None:
        return (reason(ReasonCode.CALENDAR_MISSING, {}),)
    if abs(now - calendar.refreshed_at) > timedelta(hours=limits.calendar_hours):
        evidence = {
            "refreshed_at": instant(calendar.refreshed_at),
            "max_age_hours": limits.calendar_hours,
        }
        return (reason(ReasonCode.CALENDAR_STALE, evidence),)
    return ()


def calendar_horizon_reasons(calendar: CalendarView, limits: CalendarLimits, now: datetime) -> tuple[Reason, ...]:
    """Say whether the calendar ends sooner than `horizon_hours` from now."""
    if not limits.horizon_hours or calendar.refreshed_at is None:
        return ()
    known = calendar.known_until
    if known is not None and known >= now + timedelta(hours=limits.horizon_hours):
        return ()
    evidence = {"known_until": instant(known), "horizon_hours": limits.horizon_hours}
    return (reason(ReasonCode.CALENDAR_HORIZON, evidence),)


def _reductions(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """The smallest quantity that the windows of action `reduce` leave, where the ask is above it."""
    windows = blackout_windows(facts.calendar.events, limits.blackout, ask.instrument, limits.windows)
    active = [window for window in windows if window.max_quantity is not None and window.holds(now)]
    caps = [window.max_quantity for window in active if window.max_quantity is not None]
    if not caps:
        return
    cap, quantity = min(caps), known_quantity(ask.quantity)
    if quantity is None:
        unknown = reason(ReasonCode.QUANTITY_UNKNOWN, {"decision": ask.decision, "max_quantity": number(cap)})
        yield Finding(RuleName.CALENDAR, Outcome.BLOCK, unknown)
    elif quantity > cap:
        until = end_of_chain([window for window in windows if window.max_quantity is not None], active)
        told = {"quantity": number(quantity), "max_quantity": number(cap)}
        found = reason(ReasonCode.WINDOW_REDUCED, window_evidence(active, until) | told, until)
        yield Finding(RuleName.CALENDAR, Outcome.REDUCE, found, max_quantity=cap)
