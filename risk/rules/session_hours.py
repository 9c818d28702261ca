"""Hours of the futures sessions: what the library of exchange calendars says, held against what CME published.

The library closes Globex at 17:00 Chicago; trading in index futures pauses at 16:00. It also misses what the table
below holds. A trading day begins on the evening before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
OPENS, CLOSES = time(17), time(16)
NOON = time(12)
LIBRARY = "exchange_calendars"


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a trading day; it ends before `closes_at`. `source` says who knew its hours."""

    day: date
    opens_at: datetime
    closes_at: datetime
    source: str = LIBRARY


@dataclass(frozen=True, slots=True)
class Published:
    """Hours of one day that CME published: when it closes in Chicago."""

    closes: time
    source: str


_JUNETEENTH = "https://www.cmegroup.com/trading-hours.html (Juneteenth: equity products halt at 12:00 CT)"
GLOBEX_PUBLISHED: Mapping[date, Published] = {
    date(2022, 6, 20): Published(NOON, _JUNETEENTH),
    date(2023, 6, 19): Published(NOON, _JUNETEENTH),
    date(2024, 6, 19): Published(NOON, _JUNETEENTH),
    date(2025, 1, 9): Published(
        time(8, 30),
        "CME Group, 30 December 2024: trading hours for the National Day of Mourning (equity until 8:30 CT)",
    ),
    date(2025, 6, 19): Published(NOON, _JUNETEENTH),
    date(2026, 6, 19): Published(NOON, _JUNETEENTH),
    date(2027, 6, 18): Published(NOON, _JUNETEENTH),
}


def globex_sessions(
    known: Iterable[Session], published: Mapping[date, Published] = GLOBEX_PUBLISHED
) -> tuple[Session, ...]:
    """The library's sessions of `CMES` with the daily pause and the published days, earliest first."""
    sessions = {session.day: _paused(session) for session in known}
    if sessions:
        first, last = min(sessions), max(sessions)
        sessions |= {day: _published(day, hours) for day, hours in published.items() if first <= day <= last}
    return tuple(sessions[day] for day in sorted(sessions))


def chicago(day: date, at: time) -> datetime:
    """A time of day in Chicago; neither of the session's hours is ever skipped or shown twice."""
    return datetime.combine(day, at, CHICAGO)


def _paused(session: Session) -> Session:
    pause = chicago(session.day, CLOSES)
    return Session(session.day, session.opens_at, min(session.closes_at, pause), session.source)


def _published(day: date, hours: Published) -> Session:
    return Session(day, chicago(day - timedelta(days=1), OPENS), chicago(day, hours.closes), hours.source)
