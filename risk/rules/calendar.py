"""Rule `calendar`: no opening inside a macro event's blackout, nor without a calendar to know."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.blackout import blackout_reasons
from risk.rules.codes import ReasonCode
from risk.rules.limits import FreshnessLimits, Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.types import Ask, CalendarView, Facts, Finding, Outcome, Reason


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where the calendar is missing or old, inside a window, and on a reported event."""
    found = (
        *calendar_age_reasons(facts.calendar, limits.freshness, now),
        *blackout_reasons(
            facts.calendar.events,
            now,
            limits.blackout,
            zone=facts.zone,
            instrument=ask.instrument,
            event_reported=facts.calendar.event_reported,
        ),
    )
    for item in found:
        yield Finding(RuleName.CALENDAR, Outcome.BLOCK, item)


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
