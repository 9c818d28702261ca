"""From bytes to lines of text."""

import re
from collections.abc import Iterator

from risk.sources.bounds import MAX_FILE_BYTES, MAX_LINE_CHARS, MAX_ROWS
from risk.sources.notes import Notes
from risk.sources.records import RowError, SourceError

_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def check_size(data: bytes, limit: int = MAX_FILE_BYTES) -> None:
    """Raise SourceError for an empty file or one above `limit` bytes."""
    if not data.strip():
        raise SourceError("the file is empty")
    if len(data) > limit:
        raise SourceError(f"the file has {len(data):,} bytes: at most {limit:,} are read, split it")


def decode(data: bytes, limit: int = MAX_FILE_BYTES) -> str:
    """UTF-8 text with or without a byte order mark; lines end with one line feed. Raises SourceError."""
    check_size(data, limit)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"the file is not UTF-8 text (line {line}): save it as UTF-8") from error
    return unify_lines(text)


def decode_legacy(data: bytes, notes: Notes, limit: int = MAX_FILE_BYTES) -> str:
    """As `decode`, for programs that write UTF-16 with a mark, or Windows-1252, which is noted. Raises SourceError."""
    check_size(data, limit)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252":
            notes.say("the text was read as Windows-1252")
        return unify_lines(text)
    raise SourceError(f"the file is not text in {' or '.join(encodings)}: save it as UTF-8")


def unify_lines(text: str) -> str:
    """`text` with Windows and old Mac line ends made line feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def numbered_lines(text: str) -> Iterator[tuple[int, str] | RowError]:
    """The lines that are not blank, with their numbers from 1; a RowError for one that is too long."""
    if text.count("\n") > MAX_ROWS:
        raise SourceError(f"the file has more than {MAX_ROWS:,} lines: split it")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE_CHARS:
            yield RowError(number, f"the line has {len(line):,} characters: at most {MAX_LINE_CHARS:,} are read")
        elif line.strip():
            yield number, line


def is_usable(text: str) -> bool:
    """Whether a database and a JSON document can hold `text`: no control characters, no lone surrogates."""
    return _UNUSABLE.search(text) is None
