"""macro_events.csv: the macro calendar of MIA, in three dialects of its header. Its times are UTC."""

import re

from risk.sources.fields import optional_text_field, share_field, text_field
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Kind, Parsed, SourceError
from risk.sources.rows import FieldError, Row, collect
from risk.sources.tables import read_table
from risk.sources.text import decode
from risk.sources.times import utc_field

_DIALECTS = (
    ("start_time", "type", "impact"),
    ("timestamp", "event_type", "impact_score"),
    (None, "type", "impact"),
)
_OPTIONAL = ("cluster_id", "currency")
_CURRENCY = re.compile(r"[A-Z]{3}")


def parse_macro_events(data: bytes) -> Parsed[EventRecord]:
    """Read a macro calendar. Times without an offset are UTC; `type,impact` alone gives undated events.

    Raises SourceError where the file cannot be read or a column is missing.
    """
    notes = Notes()
    table = read_table(decode(data), notes)
    at, kind, impact = _dialect(table.header)
    table.note_unread((at or kind, kind, impact, *_OPTIONAL), notes)

    def record_of(row: Row) -> EventRecord:
        if at is None:
            notes.tally("events without a time")
        return EventRecord(
            line=row.line,
            start_at=utc_field(row.values, at, notes) if at else None,
            event_type=text_field(row.values, kind),
            currency=_currency(row),
            impact=share_field(row.values, impact),
            cluster_ref=optional_text_field(row.values, "cluster_id"),
        )

    return collect(Kind.MACRO_EVENTS, table.rows, record_of, notes)


def is_macro_header(header: frozenset[str]) -> bool:
    """Whether `header` is one of the three dialects."""
    return any(header.issuperset(name for name in dialect if name) for dialect in _DIALECTS)


def _dialect(header: tuple[str, ...]) -> tuple[str | None, str, str]:
    for dialect in _DIALECTS:
        if all(name in header for name in dialect if name):
            return dialect
    raise SourceError(
        "a column of a macro calendar is missing: start_time,type,impact or "
        "timestamp,event_type,impact_score or type,impact are needed"
    )


def _currency(row: Row) -> str | None:
    currency = optional_text_field(row.values, "currency")
    if currency is not None and not _CURRENCY.fullmatch(currency.upper()):
        raise FieldError("currency", currency, "a currency code such as USD")
    return currency.upper() if currency else None
