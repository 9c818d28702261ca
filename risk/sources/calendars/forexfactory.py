"""ForexFactory's weekly calendar in its three forms. Its `country` is a currency.

JSON carries offsets; XML and CSV are written in a zone that only their reader knows.
"""

import csv
from collections.abc import Iterator

from risk.sources.calendars.building import event_of
from risk.sources.calendars.moments import Span, span_of
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.calendars.xml_rows import xml_rows
from risk.sources.json_rows import json_rows
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Kind, Parsed, RowError, SourceError
from risk.sources.rows import Row, collect, shown
from risk.sources.text import check_size, decode, decode_legacy, numbered_lines
from risk.sources.times import zoned_field

SET_ZONE = "set the zone that this calendar is written in"
COLUMNS = ("title", "country", "date", "time", "impact")


def parse_json(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read `title,country,date,impact`; the date is ISO 8601 with its offset."""
    notes = Notes()

    def record_of(row: Row) -> EventRecord:
        return _event(row, Span(zoned_field(row.values, "date", settings.zone, how=SET_ZONE)), settings)

    return collect(Kind.MACRO_EVENTS, json_rows(decode(data)), record_of, notes)


def parse_xml(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read `<event>` elements, dates as 05-07-2025, times as 2:00pm; windows-1252 as it is declared."""
    check_size(data)
    return _parse_local(xml_rows(data, "event"), settings, Notes())


def parse_csv(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read 7 or 8 columns. A title may hold commas without quotes: all other columns never do."""
    notes = Notes()
    return _parse_local(_csv_rows(decode_legacy(data, notes)), settings, notes)


def _parse_local(rows: Iterator[Row | RowError], settings: CalendarSettings, notes: Notes) -> Parsed[EventRecord]:
    def record_of(row: Row) -> EventRecord:
        span = span_of(row.values.get("date"), row.values.get("time"), "mdy", settings.zone, notes)
        return _event(row, span, settings)

    return collect(Kind.MACRO_EVENTS, rows, record_of, notes)


def _event(row: Row, span: Span, settings: CalendarSettings) -> EventRecord:
    return event_of(row, span, settings=settings, name="title", impact="impact", currency="country")


def _csv_rows(text: str) -> Iterator[Row | RowError]:
    header: tuple[str, ...] = ()
    for line in numbered_lines(text):
        if isinstance(line, RowError):
            yield line
            continue
        number, cells = line[0], _cells(line[1])
        if not header:
            header = _header(cells)
        elif cells is None or len(cells) < len(header):
            yield RowError(number, f"the row has fewer than {len(header)} values", "", shown(line[1]))
        else:
            more = len(cells) - len(header)
            titled = [",".join(cells[: more + 1]), *cells[more + 1 :]]
            yield Row(number, dict(zip(header, titled, strict=True)))
    if not header:
        raise SourceError("the file has no header")


def _header(cells: list[str] | None) -> tuple[str, ...]:
    header = tuple(cell.strip().lower() for cell in cells or ())
    missing = [name for name in COLUMNS if name not in header]
    if missing or header[0] != "title" or len(set(header)) != len(header):
        raise SourceError(f"a header such as {','.join(COLUMNS)} is needed; the first column is the title")
    return header


def _cells(line: str) -> list[str] | None:
    """None for a row that no CSV reader understands."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return None
