"""JSON files of MIA: one object, an array of objects, or one object a line. Numbers keep their digits."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from risk.sources.records import RowError, SourceError
from risk.sources.rows import Row, shown
from risk.sources.text import numbered_lines

_LONGEST_EXACT = 100
_LONGEST_INTEGER = 20
_BLANK = re.compile(r"[ \t\n]*")
_NEXT = re.compile(r"[ \t\n]*([,\]])")


class JsonError(ValueError):
    """Text that is not JSON; the message says where."""


def _real(digits: str) -> Decimal | float:
    if len(digits) > _LONGEST_EXACT:
        return float(digits)
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond what Decimal holds
        return float(digits)


def _integer(digits: str) -> int | Decimal | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else _real(digits)


_DECODER = json.JSONDecoder(parse_float=_real, parse_int=_integer)


def decode_at(text: str, start: int = 0) -> tuple[object, int]:
    """The JSON value that begins at `start`, and where it ends. Raises JsonError."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}, character {error.colno}") from error
    except RecursionError as error:
        raise JsonError("nested too deeply") from error


def decode_whole(text: str) -> object:
    """The one JSON value that `text` holds. Raises JsonError."""
    value, end = decode_at(text, _after_blank(text, 0))
    if _after_blank(text, end) != len(text):
        raise JsonError(f"not JSON: more text after the value, character {end + 1}")
    return value


def json_rows(text: str) -> Iterator[Row | RowError]:
    """The objects in `text` with the lines that they begin on.

    Raises SourceError for a broken array: what follows the break cannot be told apart.
    """
    start = _after_blank(text, 0)
    if text[start : start + 1] == "[":
        return _array_rows(text, start)
    try:
        whole = decode_whole(text)
    except JsonError:
        return _line_rows(text)
    return iter((_row(text.count("\n", 0, start) + 1, whole),))


def _line_rows(text: str) -> Iterator[Row | RowError]:
    for line in numbered_lines(text):
        if isinstance(line, RowError):
            yield line
            continue
        try:
            yield _row(line[0], decode_whole(line[1]))
        except JsonError as error:
            yield RowError(line[0], f"the line is {error}", "", shown(line[1]))


def _array_rows(text: str, start: int) -> Iterator[Row | RowError]:
    line, counted = 1, 0
    position = _after_blank(text, start + 1)
    if text[position : position + 1] == "]":
        _end_of_array(text, position + 1)
        return
    while True:
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, end = decode_at(text, position)
        except JsonError as error:
            raise SourceError(f"line {line}: the array of objects cannot be read: {error}") from error
        yield _row(line, value)
        mark = _NEXT.match(text, end)
        if mark is None:
            raise SourceError(f"line {line}: the array of objects breaks off after the object that begins here")
        if mark[1] == "]":
            _end_of_array(text, mark.end())
            return
        position = _after_blank(text, mark.end())


def _end_of_array(text: str, end: int) -> None:
    if _after_blank(text, end) != len(text):
        raise SourceError("there is more text after the end of the array")


def _after_blank(text: str, start: int) -> int:
    match = _BLANK.match(text, start)
    return match.end() if match else start


def _row(line: int, value: object) -> Row | RowError:
    if isinstance(value, dict):
        return Row(line, value)
    return RowError(line, "a JSON object was expected", "", shown(value))
