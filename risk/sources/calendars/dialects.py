"""The door of the calendars: bytes in, events and row errors out, by the dialect that the source is set to."""

from collections.abc import Callable

from risk.sources.calendars import columns, forexfactory, ics, trading_economics
from risk.sources.calendars.building import only_currencies
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.macro_events import parse_macro_events
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Parsed, SourceError

Parser = Callable[[bytes, CalendarSettings], Parsed[EventRecord]]


def _parse_mia(data: bytes, _settings: CalendarSettings) -> Parsed[EventRecord]:
    return parse_macro_events(data)


DIALECTS: dict[str, Parser] = {
    "mia": _parse_mia,
    "forexfactory_json": forexfactory.parse_json,
    "forexfactory_xml": forexfactory.parse_xml,
    "forexfactory_csv": forexfactory.parse_csv,
    "trading_economics_json": trading_economics.parse_json,
    "trading_economics_csv": trading_economics.parse_csv,
    "ics": ics.parse_ics,
    "investing_csv": columns.parse_columns,
    "metatrader_csv": columns.parse_columns,
    "csv": columns.parse_columns,
}


def parse_calendar(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read a calendar: every row is an event, with its time in UTC, or an error with its line.

    Raises SourceError, a sentence, for what cannot be read as a whole, and for an unknown dialect.
    """
    parser = DIALECTS.get(settings.dialect)
    if parser is None:
        raise SourceError(f"the dialect must be one of {', '.join(DIALECTS)}")
    return only_currencies(parser(data, settings), settings, Notes())
