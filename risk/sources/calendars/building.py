"""From the parts of a row to an event: the steps that every dialect takes."""

import re
from collections.abc import Mapping
from decimal import Decimal

from risk.sources.calendars.impact import impact_by_name, impact_of
from risk.sources.calendars.moments import Span
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.fields import is_blank, optional_text_field, text_field
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Parsed
from risk.sources.rows import FieldError, Row

ALL = frozenset({"ALL", "GLOBAL", "WORLD"})
CURRENCY_OF_COUNTRY = {
    "UNITED STATES": "USD", "EURO AREA": "EUR", "EURO ZONE": "EUR", "EUROPEAN UNION": "EUR", "GERMANY": "EUR",
    "FRANCE": "EUR", "ITALY": "EUR", "SPAIN": "EUR", "UNITED KINGDOM": "GBP", "JAPAN": "JPY", "CANADA": "CAD",
    "SWITZERLAND": "CHF", "AUSTRALIA": "AUD", "NEW ZEALAND": "NZD", "CHINA": "CNY", "MEXICO": "MXN",
}  # fmt: skip
_CURRENCY = re.compile(r"[A-Z]{3}")


def event_of(
    row: Row,
    span: Span,
    *,
    settings: CalendarSettings,
    name: str,
    impact: str = "",
    scale: str = "words",
    currency: str = "",
    uid: str = "",
    cancelled: bool = False,
) -> EventRecord:
    """The event of a row; `name`, `impact`, `currency` are names of its fields. Raises FieldError.

    What the settings say of an event's impact comes first. A cancelled one has none.
    """
    event_type = text_field(row.values, name)
    return EventRecord(
        line=row.line,
        start_at=span.start_at,
        event_type=event_type,
        currency=currency_of(row.values, currency) if currency else None,
        impact=Decimal(0) if cancelled else _impact(row, event_type, settings, impact, scale),
        cluster_ref=None,
        end_at=span.end_at,
        uid=uid,
        cancelled=cancelled,
    )


def currency_of(values: Mapping[str, object], field: str) -> str | None:
    """A currency, also by the name of its country; None where it is not said, or where it is all of them."""
    text = optional_text_field(values, field)
    if text is None or text.upper() in ALL:
        return None
    code = CURRENCY_OF_COUNTRY.get(text.upper(), text.upper())
    if not _CURRENCY.fullmatch(code):
        raise FieldError(field, text, "a currency code such as USD")
    return code


def only_currencies(parsed: Parsed[EventRecord], settings: CalendarSettings, notes: Notes) -> Parsed[EventRecord]:
    """Leave out events of other currencies than the settings ask for, and count them."""
    wanted = settings.currencies
    kept = [event for event in parsed.records if not wanted or event.currency is None or event.currency in wanted]
    for _left in range(len(parsed.records) - len(kept)):
        notes.tally("events of other currencies left out")
    left_out = len(parsed.records) - len(kept)
    said = (*parsed.notes, *notes.sentences()) if left_out else parsed.notes
    return Parsed(parsed.kind, tuple(kept), parsed.errors, said, parsed.read - left_out)


def _impact(row: Row, event_type: str, settings: CalendarSettings, field: str, scale: str) -> Decimal:
    said = impact_by_name(event_type, settings.impacts)
    if said is not None:
        return said
    if not field or is_blank(row.values.get(field)):
        raise FieldError(field or "impact", None, "said by the source, or set by a word of the event's name")
    return impact_of(row.values[field], scale, field)
