"""A synthetic macro calendar: what happened in the synthetic week, and what is coming from tomorrow on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from decisions.demo.sessions import WEEKEND, ZONE, Session

AHEAD = timedelta(hours=26)
"""No event comes sooner after the first start, so that nobody's first question falls into a blackout."""
WEEKS_AHEAD = 8
HEADER = "start_time,type,impact,currency"


@dataclass(frozen=True, slots=True)
class SyntheticEvent:
    start_at: datetime
    event_type: str
    impact: Decimal
    currency: str = "USD"


# Weekday -> time in Chicago, name, impact. Only those above 0.7 close a window: Wednesday's and Friday's.
COMING = {
    0: (time(9, 0), "PMI (synthetic)", Decimal("0.5")),
    1: (time(7, 30), "Retail sales (synthetic)", Decimal("0.6")),
    2: (time(13, 0), "FOMC minutes (synthetic)", Decimal("0.9")),
    3: (time(7, 30), "Jobless claims (synthetic)", Decimal("0.4")),
    4: (time(7, 30), "Payrolls (synthetic)", Decimal("0.95")),
}


def events_past(sessions: Sequence[Session]) -> list[SyntheticEvent]:
    """What the week knew: a blackout on its third day, and events that close no window for ES."""
    events = [
        SyntheticEvent(sessions[0].at(time(9, 30)), "Oil stocks (synthetic)", Decimal("0.4")),
        SyntheticEvent(sessions[1].at(time(9, 0)), "ECB press conference (synthetic)", Decimal("0.9"), "EUR"),
        SyntheticEvent(sessions[2].at(time(13, 0)), "FOMC statement (synthetic)", Decimal(1)),
        SyntheticEvent(sessions[3].at(time(7, 30)), "Jobless claims (synthetic)", Decimal("0.5")),
        SyntheticEvent(sessions[4].at(time(8, 45)), "PMI (synthetic)", Decimal("0.6")),
    ]
    return [event for event in events if event.start_at <= sessions[-1].closes_at]


def events_coming(start: datetime) -> list[SyntheticEvent]:
    """From 26 hours after `start` on, one a weekday for eight weeks."""
    first = start + AHEAD
    days = (first.astimezone(ZONE).date() + timedelta(days=number) for number in range(7 * WEEKS_AHEAD))
    found = []
    for day in days:
        if day.weekday() >= WEEKEND:
            continue
        clock, name, impact = COMING[day.weekday()]
        at = datetime.combine(day, clock, ZONE).astimezone(UTC)
        if at >= first:
            found.append(SyntheticEvent(at, name, impact))
    return found


def calendar_csv(events: Iterable[SyntheticEvent]) -> str:
    """The events as a ``macro_events.csv``; times are UTC."""
    rows = (
        f"{event.start_at:%Y-%m-%d %H:%M:%S},{event.event_type},{event.impact},{event.currency}" for event in events
    )
    return "\n".join((HEADER, *rows, ""))
