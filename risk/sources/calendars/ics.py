"""iCalendar (RFC 5545): the VEVENTs of a release calendar, such as those of the BLS (US-Eastern) and the BEA (UTC).

It names no impact: the settings do. A date without a time (FRED) is refused unless the settings know its time:
midnight would be a wrong blackout. An entry that repeats by a rule is refused, since its dates are not written.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from risk.sources.calendars.building import event_of
from risk.sources.calendars.moments import Span, need_zone
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.fields import optional_text_field
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Kind, Parsed, RowError, SourceError
from risk.sources.rows import FieldError, Row, collect
from risk.sources.text import decode, numbered_lines
from risk.sources.times import FIRST_YEAR, LAST_YEAR, localised

ZONES = {
    "us-eastern": "America/New_York", "us/eastern": "America/New_York", "eastern standard time": "America/New_York",
    "eastern time": "America/New_York", "est5edt": "America/New_York", "us-central": "America/Chicago",
    "us/central": "America/Chicago", "central standard time": "America/Chicago", "utc": "UTC", "gmt": "UTC",
    "gmt standard time": "Europe/London", "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris", "tokyo standard time": "Asia/Tokyo",
}  # fmt: skip
_PROPERTY = re.compile(r'([A-Za-z-]+)((?:;[A-Za-z-]+=(?:"[^"]*"|[^":;]*))*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Za-z-]+)=(?:"([^"]*)"|([^":;]*))')
_STAMP = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_REPEATS = ("RRULE", "RDATE")


def parse_ics(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read every VEVENT. Raises SourceError where the calendar does not end: it was cut off."""

    def record_of(row: Row) -> EventRecord:
        values = row.values
        repeats = [name for name in _REPEATS if name in values]
        if repeats:
            raise FieldError(repeats[0], values[repeats[0]], "left out: an entry that repeats is not read")
        return event_of(
            row,
            _span(values, settings),
            settings=settings,
            name="SUMMARY",
            uid=optional_text_field(values, "UID") or "",
            cancelled=str(values.get("STATUS", "")).strip().upper() == "CANCELLED",
        )

    return collect(Kind.MACRO_EVENTS, _entries(decode(data)), record_of, Notes())


def _span(values: Mapping[str, object], settings: CalendarSettings) -> Span:
    raw = values.get("DTSTART")
    match = _STAMP.fullmatch(str(raw or "").strip())
    if match is None:
        raise FieldError("DTSTART", raw, "a start such as 20250507T140000Z")
    clock = match[2] or _time_set(values, settings)
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{clock}")
    except ValueError as error:
        raise FieldError("DTSTART", raw, "a start such as 20250507T140000Z") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise FieldError("DTSTART", raw, f"a start in a year from {FIRST_YEAR} to {LAST_YEAR}")
    if match[3]:
        return Span(moment.replace(tzinfo=UTC))
    return Span(localised(moment, _zone(values, settings), "DTSTART"))


def _time_set(values: Mapping[str, object], settings: CalendarSettings) -> str:
    """The time of day that the settings know for a release published as a date."""
    name = str(values.get("SUMMARY", "")).lower()
    found: list[tuple[int, time]] = [(len(word), at) for word, at in settings.times.items() if word.lower() in name]
    if not found:
        raise FieldError("DTSTART", values.get("DTSTART"), "a start with its time; or set the release's time of day")
    return f"{max(found)[1]:%H%M%S}"


def _zone(values: Mapping[str, object], settings: CalendarSettings) -> ZoneInfo:
    name = values.get("DTSTART;TZID")
    if name is None:
        return need_zone(settings.zone)
    text = str(name).strip()
    try:
        return ZoneInfo(ZONES.get(text.lower(), text))
    except (ValueError, OSError, LookupError) as error:
        raise FieldError("TZID", text, "a time zone that is known, such as America/New_York") from error


def _entries(text: str) -> Iterator[Row | RowError]:
    """Each VEVENT as a row of its properties; of a property's parameters only the zone of the start is kept."""
    values: dict[str, object] | None = None
    begun, inner, ended = 0, 0, False
    for number, line in _unfolded(text):
        match = _PROPERTY.fullmatch(line)
        if match is None:
            continue
        name, value = match[1].upper(), match[3]
        what = value.strip().upper()
        if name == "BEGIN" and what == "VEVENT" and values is None:
            values, begun, inner = {}, number, 0
        elif name == "END" and what == "VEVENT" and values is not None and not inner:
            yield Row(begun, values)
            values = None
        elif name in {"BEGIN", "END"} and values is not None:
            inner += 1 if name == "BEGIN" else -1  # an alarm within the entry has properties of its own
        elif name == "END" and what == "VCALENDAR":
            ended = True
        elif values is not None and not inner:
            values.setdefault(name, _ESCAPED.sub(_unescaped, value))
            if name == "DTSTART":
                parameters = {key.upper(): quoted or plain for key, quoted, plain in _PARAMETER.findall(match[2])}
                values |= {"DTSTART;TZID": parameters["TZID"]} if "TZID" in parameters else {}
    if not ended or values is not None:
        raise SourceError("the calendar does not end with END:VCALENDAR: it is none, or it was cut off")


def _unescaped(match: re.Match[str]) -> str:
    return " " if match[1] in "nN" else match[1]


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined where the next one begins with a blank (RFC 5545, 3.1), with the number of the first."""
    begun, parts = 0, [""]
    for line in numbered_lines(text):
        if isinstance(line, RowError):
            raise SourceError(f"line {line.line}: {line.message}")
        if line[1][:1] in (" ", "\t"):
            parts.append(line[1][1:])
            continue
        yield begun, "".join(parts)
        begun, parts = line[0], [line[1]]
    yield begun, "".join(parts)
