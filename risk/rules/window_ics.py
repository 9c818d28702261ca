"""Blackouts as an iCalendar (RFC 5545), for the calendar programs of people."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from risk.rules.limits import WindowAction
from risk.rules.window_spans import Span

MAX_OCTETS = 75
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def blackouts_ics(spans: Iterable[Span], *, name: str, site: str, now: datetime) -> bytes:
    """The spans as VEVENTs, known again by action and opening. `now` is when they were true."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//MIA Risk Desk//blackouts//EN", f"X-WR-CALNAME:{_text(name)}"]
    for span in spans:
        lines += _entry(span, site, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _entry(span: Span, site: str, now: datetime) -> list[str]:
    title = "Blackout" if span.action is WindowAction.BLOCK else f"At most {span.max_quantity:f}"
    key = hashlib.sha256(f"{span.action}{span.max_quantity}{_stamp(span.opens_at)}".encode()).hexdigest()[:32]
    return [
        "BEGIN:VEVENT",
        f"UID:{key}@{site}",
        f"DTSTAMP:{_stamp(now)}",
        f"DTSTART:{_stamp(span.opens_at)}",
        f"DTEND:{_stamp(span.closes_at)}",
        f"SUMMARY:{_text(f'{title}: {span.names}')}",
        "TRANSP:OPAQUE",
        "END:VEVENT",
    ]


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    return text.translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 octets; a character is never cut."""
    part = ""
    for char in line:
        if len((part + char).encode()) > MAX_OCTETS:
            yield part
            part = " "
        part += char
    yield part
