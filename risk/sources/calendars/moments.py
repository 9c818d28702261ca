"""When an event is: dates in three orders, times of day, and days whose time nobody knows."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from risk.sources.notes import Notes
from risk.sources.records import SourceError
from risk.sources.rows import FieldError
from risk.sources.times import FIRST_YEAR, LAST_YEAR, localised

ORDERS = ("ymd", "mdy", "dmy")
UNTIMED = frozenset({"all day", "allday", "tentative", "day"})
_DATE = re.compile(r"([0-9]{1,4})[-./]([0-9]{1,2})[-./]([0-9]{1,4})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))? ?([ap]m)?", re.IGNORECASE)
_NOON = 12


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; most events have no end of their own. Both are UTC."""

    start_at: datetime
    end_at: datetime | None = None


def span_of(day: object, clock: object, order: str, zone: ZoneInfo | None, notes: Notes) -> Span:
    """The span of an event on a local `day` at a local time of day.

    "All Day" and "Tentative" are the whole day: that is when it may happen. Raises FieldError, and SourceError where
    no zone is known: no row of the file could be dated.
    """
    when = date_of(day, order)
    word = clock.strip().lower() if isinstance(clock, str) else ""
    known = need_zone(zone)
    if word in UNTIMED:
        notes.tally("events without a time of day, taken as the whole day")
        return whole_day(when, known)
    return Span(localised(datetime.combine(when, clock_of(word, clock)), known, "time"))


def whole_day(when: date, zone: ZoneInfo) -> Span:
    """From midnight to midnight in `zone`; 23 to 25 hours."""
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (when, when + timedelta(days=1)))
    return Span(start, end)


def need_zone(zone: ZoneInfo | None) -> ZoneInfo:
    """The zone that was set. Raises SourceError where none was: it is never guessed."""
    if zone is None:
        raise SourceError("the times of this calendar carry no time zone: set the zone that they are written in")
    return zone


def date_of(raw: object, order: str) -> date:
    """A date whose parts stand in `order`. Raises FieldError."""
    expected = {"ymd": "a date such as 2025-05-07", "mdy": "a date such as 05-07-2025 (month first)"}.get(
        order, "a date such as 07/05/2025 (day first)"
    )
    match = _DATE.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None:
        raise FieldError("date", raw, expected)
    parts = dict(zip(order, map(int, match.groups()), strict=True))
    try:
        when = date(parts["y"], parts["m"], parts["d"])
    except ValueError as error:
        raise FieldError("date", raw, expected) from error
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise FieldError("date", raw, f"{expected}, in a year from {FIRST_YEAR} to {LAST_YEAR}")
    return when


def clock_of(text: str, raw: object) -> time:
    """A time of day: 14:30, 14:30:00 or 2:30pm. Raises FieldError that shows `raw`."""
    match = _CLOCK.fullmatch(text)
    expected = "a time such as 14:30 or 2:30pm, All Day, or Tentative"
    if match is None:
        raise FieldError("time", raw, expected)
    hour, minute, second, half = int(match[1]), int(match[2]), int(match[3] or 0), (match[4] or "").lower()
    if half and not 1 <= hour <= _NOON:
        raise FieldError("time", raw, expected)
    if half:
        hour = hour % _NOON + (_NOON if half == "pm" else 0)
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise FieldError("time", raw, expected) from error
