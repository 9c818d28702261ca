"""From rows to records: the one loop that keeps the good rows and explains the refused ones."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from risk.sources.bounds import MAX_ROWS
from risk.sources.notes import Notes
from risk.sources.records import Kind, Parsed, RowError, SourceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row by name: text from CSV; text, numbers and nested values from JSON or SQLite."""

    line: int
    values: Mapping[str, object]


class FieldError(ValueError):
    """A field whose value cannot be used: it says which, what stood there, and what was expected."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = shown(value)
        missing = value is None or self.value == ""
        super().__init__(
            f"{field} is missing: it must be {expected}"
            if missing
            else f'{field} must be {expected}, not "{self.value}"'
        )


def shown(value: object, limit: int = 80) -> str:
    """`value` for a message: one line of printable characters, at most `limit` of them."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = (value if isinstance(value, str) else str(value)).strip()
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(char if char.isprintable() else "?" for char in cut)


def collect(kind: Kind, rows: Iterable[Row | RowError], record_of: Callable[[Row], T], notes: Notes) -> Parsed[T]:
    """Turn each row into a record; a `FieldError` refuses its row alone, a `SourceError` the whole file."""
    records: list[T] = []
    errors: list[RowError] = []
    for row in rows:
        if len(records) + len(errors) >= MAX_ROWS:
            raise SourceError(f"the file has more than {MAX_ROWS:,} rows: split it")
        if isinstance(row, RowError):
            errors.append(row)
            continue
        try:
            records.append(record_of(row))
        except FieldError as error:
            errors.append(RowError(row.line, str(error), error.field, error.value))
    return Parsed(kind, tuple(records), tuple(errors), notes.sentences(), len(records) + len(errors))
