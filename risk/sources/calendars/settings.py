"""What somebody must say of a calendar because it does not say so itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSettings:
    """How one source is read.

    `zone` dates times that carry none; without it they are an error. `currencies` empty keeps all; an event without a
    currency is always kept. `columns` names the columns of a CSV (`columns.py`). `impacts` maps a word of an event's
    name to its impact, "*" every other; it comes before what the source says. `times` maps a word of an event's name
    to its local time of day, for releases that are published as a date.
    """

    dialect: str = "mia"
    zone: ZoneInfo | None = None
    currencies: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    impacts: Mapping[str, Decimal] = field(default_factory=dict)
    times: Mapping[str, time] = field(default_factory=dict)
