"""CSV files of MIA: a header, then one row a line.

A row never spans lines, so that a stray quotation mark costs one row and not the rest of the file.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from risk.sources.notes import Notes
from risk.sources.records import RowError, SourceError
from risk.sources.rows import Row, shown
from risk.sources.text import numbered_lines
from risk.sources.times import is_time

_SHOWN_COLUMNS = 10
Headerless = Mapping[int, tuple[str, ...]]
"""Columns of files that were appended to without a header, by their number."""


@dataclass(frozen=True, slots=True)
class Table:
    """The header (lower case) and the rows of a CSV text."""

    header: tuple[str, ...]
    rows: Iterator[Row | RowError]

    def require(self, *names: str) -> None:
        """Raise SourceError unless every one of `names` is a column."""
        missing = [name for name in names if name not in self.header]
        if missing:
            raise SourceError(f"the column {missing[0]} is missing; the columns are {_listed(self.header)}")

    def note_unread(self, read: tuple[str, ...], notes: Notes) -> None:
        """Note the columns beyond `read`."""
        unread = tuple(name for name in self.header if name and name not in read)
        if unread:
            notes.say(f"columns not imported: {_listed(unread)}")


def read_table(text: str, notes: Notes, headerless: Headerless | None = None) -> Table:
    """The table in `text`; comment lines may stand before the header.

    MIA's own code appended without a header: where the first row begins with a time and has as many values as
    `headerless` knows, its columns are taken from there. Raises SourceError where no header can be read.
    """
    lines = numbered_lines(text)
    for line in lines:
        if isinstance(line, RowError) or line[1].lstrip().startswith("#"):
            continue
        first = _cells(*line)
        if isinstance(first, RowError):
            raise SourceError(f"the header (line {line[0]}) cannot be read: {first.message}")
        implied = (headerless or {}).get(len(first)) if is_time(first[0]) else None
        if implied:
            notes.say(f"the file has no header: its columns were taken as {_listed(implied)}")
            return Table(implied, _rows(implied, lines, before=line))
        return Table(_header(first), _rows(_header(first), lines))
    raise SourceError("the file has no header")


def _header(cells: list[str]) -> tuple[str, ...]:
    header = tuple(cell.strip().lower() for cell in cells)
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise SourceError(f'the column "{shown(twice)}" stands twice in the header')
    return header


def _rows(
    header: tuple[str, ...],
    lines: Iterator[tuple[int, str] | RowError],
    before: tuple[int, str] | None = None,
) -> Iterator[Row | RowError]:
    if before is not None:
        yield _row(header, before)
    for line in lines:
        yield line if isinstance(line, RowError) else _row(header, line)


def _row(header: tuple[str, ...], line: tuple[int, str]) -> Row | RowError:
    cells = _cells(*line)
    if isinstance(cells, RowError):
        return cells
    if len(cells) != len(header):
        return RowError(line[0], f"the row has {len(cells)} values, the header has {len(header)}", "", shown(line[1]))
    return Row(line[0], dict(zip(header, cells, strict=True)))


def _cells(number: int, line: str) -> list[str] | RowError:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        return RowError(number, f"the row is not CSV ({error})", "", shown(line))


def _listed(names: tuple[str, ...]) -> str:
    some = ", ".join(shown(name, 40) for name in names[:_SHOWN_COLUMNS])
    return some if len(names) <= _SHOWN_COLUMNS else f"{some} and {len(names) - _SHOWN_COLUMNS} more"
