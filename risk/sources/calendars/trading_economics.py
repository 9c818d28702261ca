"""Trading Economics' calendar, JSON and CSV: times are UTC without a suffix, importance is 1 to 3."""

from collections.abc import Iterator

from risk.sources.calendars.building import CURRENCY_OF_COUNTRY, event_of
from risk.sources.calendars.moments import Span
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.fields import is_blank, optional_text_field
from risk.sources.json_rows import json_rows
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Kind, Parsed, RowError
from risk.sources.rows import Row, collect
from risk.sources.tables import read_table
from risk.sources.text import decode
from risk.sources.times import utc_field


def parse_json(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read an array of objects with CalendarId, Date, Country, Event, Importance, Currency."""
    return _parse((_lowered(row) for row in json_rows(decode(data))), settings, Notes())


def parse_csv(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read the same as CSV."""
    notes = Notes()
    table = read_table(decode(data), notes)
    table.require("date", "event", "importance")
    return _parse(table.rows, settings, notes)


def _parse(rows: Iterator[Row | RowError], settings: CalendarSettings, notes: Notes) -> Parsed[EventRecord]:
    def record_of(row: Row) -> EventRecord:
        values = row.values
        return event_of(
            row,
            Span(utc_field(values, "date", notes)),
            settings=settings,
            name="category" if is_blank(values.get("event")) else "event",
            impact="importance",
            scale="1-3",
            currency="country" if is_blank(values.get("currency")) and _known_country(row) else "currency",
            uid=optional_text_field(values, "calendarid") or "",
        )

    return collect(Kind.MACRO_EVENTS, rows, record_of, notes)


def _known_country(row: Row) -> bool:
    """A country whose currency is not known here concerns every instrument."""
    return str(row.values.get("country", "")).strip().upper() in CURRENCY_OF_COUNTRY


def _lowered(row: Row | RowError) -> Row | RowError:
    """Names as they are in a CSV's header."""
    if isinstance(row, RowError):
        return row
    return Row(row.line, {name.lower(): value for name, value in row.values.items()})
