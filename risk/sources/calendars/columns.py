"""CSV of any program, read by a column map; presets for exports of investing.com and MetaTrader.

The map's keys are `event`, `date`, `time` (left out where the date column holds both), `currency`, `impact` (both
optional), `order` (ymd, mdy, dmy), `scale` (words, 1-3, 0-3, share) and `uid` (optional).
"""

import csv
from collections.abc import Iterator, Mapping

from risk.sources.calendars.building import event_of
from risk.sources.calendars.impact import SCALES
from risk.sources.calendars.moments import ORDERS, Span, span_of
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.fields import optional_text_field
from risk.sources.notes import Notes
from risk.sources.records import EventRecord, Kind, Parsed, RowError, SourceError
from risk.sources.rows import FieldError, Row, collect, shown
from risk.sources.text import decode_legacy, numbered_lines

PRESETS: dict[str, dict[str, str]] = {
    "csv": {"order": "ymd", "scale": "words"},
    # Whoever exports chooses the zone; importance is a word, or 1 to 3 bulls.
    "investing_csv": {
        "event": "event", "date": "date", "time": "time", "currency": "currency", "impact": "importance",
        "order": "dmy", "scale": "1-3",
    },
    # Trade-server time in one column, "2025.05.07 21:00"; importance is 0 to 3.
    "metatrader_csv": {
        "event": "event", "date": "time", "currency": "currency", "impact": "importance", "order": "ymd",
        "scale": "0-3",
    },
}  # fmt: skip
KEYS = frozenset({"event", "date", "time", "currency", "impact", "order", "scale", "uid"})
DELIMITERS = ",;\t|"


def parse_columns(data: bytes, settings: CalendarSettings) -> Parsed[EventRecord]:
    """Read a CSV by the settings' columns over the dialect's preset. Raises SourceError for a map that cannot be."""
    notes = Notes()
    columns = column_map(settings)
    rows = _rows(decode_legacy(data, notes), columns)

    def record_of(row: Row) -> EventRecord:
        return event_of(
            row,
            _span(row, columns, settings, notes),
            settings=settings,
            name=columns["event"],
            impact=columns.get("impact", ""),
            scale=columns["scale"],
            currency=columns.get("currency", ""),
            uid=(optional_text_field(row.values, columns["uid"]) or "") if "uid" in columns else "",
        )

    return collect(Kind.MACRO_EVENTS, rows, record_of, notes)


def column_map(settings: CalendarSettings) -> Mapping[str, str]:
    """The whole map, names in lower case. Raises SourceError."""
    given = PRESETS[settings.dialect] | dict(settings.columns)
    unknown = sorted(given.keys() - KEYS)
    if unknown:
        raise SourceError(f"{shown(unknown[0])} is no key of a column map: {', '.join(sorted(KEYS))}")
    for key, choices in (("order", ORDERS), ("scale", SCALES)):
        if given[key] not in choices:
            raise SourceError(f"{key} must be one of {', '.join(choices)}, not {shown(given[key])}")
    for key in ("event", "date"):
        if not given.get(key):
            raise SourceError(f"the column map must name the column of the {key}")
    return {key: name if key in {"order", "scale"} else name.strip().lower() for key, name in given.items() if name}


def _span(row: Row, columns: Mapping[str, str], settings: CalendarSettings, notes: Notes) -> Span:
    if "time" in columns:
        day, clock = row.values.get(columns["date"]), row.values.get(columns["time"])
    else:
        raw = row.values.get(columns["date"])
        day, _, clock = str(raw or "").strip().partition(" ")
        if not clock:
            raise FieldError(columns["date"], raw, "a date with its time of day")
    return span_of(day, clock, columns["order"], settings.zone, notes)


def _rows(text: str, columns: Mapping[str, str]) -> Iterator[Row | RowError]:
    lines = numbered_lines(text)
    first = next(lines, None)
    if first is None or isinstance(first, RowError):
        raise SourceError("the file has no header")
    delimiter = max(DELIMITERS, key=first[1].count)
    header = _header(_cells(first[1], delimiter), columns)
    return _values(lines, header, delimiter)


def _values(lines: Iterator[tuple[int, str] | RowError], header: list[str], delimiter: str) -> Iterator[Row | RowError]:
    for line in lines:
        if isinstance(line, RowError):
            yield line
            continue
        cells = _cells(line[1], delimiter)
        if len(cells) != len(header):
            message = f"the row has {len(cells)} values, the header has {len(header)}"
            yield RowError(line[0], message, "", shown(line[1]))
        else:
            yield Row(line[0], dict(zip(header, cells, strict=True)))


def _header(cells: list[str], columns: Mapping[str, str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    if len(set(header)) != len(header):
        raise SourceError("a column stands twice in the header")
    for key, name in columns.items():
        if key not in {"order", "scale"} and name not in header:
            raise SourceError(f"the column {shown(name)} ({key}) is missing in the header")
    return header


def _cells(line: str, delimiter: str) -> list[str]:
    """The values of a line; none where no CSV reader understands it."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return []
