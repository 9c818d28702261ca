"""XML of rows: one element each, its children are the fields. Nothing but elements and text is read."""

from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

from risk.sources.bounds import MAX_LINE_CHARS, MAX_ROWS
from risk.sources.records import RowError, SourceError
from risk.sources.rows import Row

_SECOND_LEVEL = 2


class _Reader:
    """Collects the rows as expat finds them."""

    def __init__(self, tag: str) -> None:
        self.rows: list[Row | RowError] = []
        self._tag = tag
        self._path: list[str] = []
        self._fields: dict[str, object] = {}
        self._text: list[str] = []
        self._size = 0
        self._line = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.StartDoctypeDeclHandler = self._refuse  # where entities are declared: none is ever expanded

    def _start(self, name: str, _attributes: object) -> None:
        self._path.append(name.lower())
        self._text, self._size = [], 0
        if len(self._path) == _SECOND_LEVEL and self._path[-1] == self._tag:
            self._fields, self._line = {}, self.parser.CurrentLineNumber
        if len(self._path) > _SECOND_LEVEL + 1:
            raise SourceError(f"line {self.parser.CurrentLineNumber}: elements are nested too deeply")

    def _end(self, _name: str) -> None:
        name = self._path.pop()
        if len(self._path) == _SECOND_LEVEL and self._path[-1] == self._tag:
            self._fields[name] = "".join(self._text).strip()
        elif len(self._path) == 1 and name == self._tag:
            if len(self.rows) >= MAX_ROWS:
                raise SourceError(f"the file has more than {MAX_ROWS:,} rows: split it")
            self.rows.append(Row(self._line, self._fields))

    def _data(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_LINE_CHARS:
            raise SourceError(f"line {self.parser.CurrentLineNumber}: a text is too long")
        self._text.append(text)

    def _refuse(self, *_declared: object) -> NoReturn:
        raise SourceError("the file declares a document type: such XML is not read")


def xml_rows(data: bytes, tag: str) -> Iterator[Row | RowError]:
    """The elements `tag` below the root, with their lines and the text of their children.

    Raises SourceError for what is not well-formed (a file that was cut off is not) and for a document type.
    """
    reader = _Reader(tag)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise SourceError(f"the file is not XML (line {error.lineno}: {expat.ErrorString(error.code)})") from error
    except (LookupError, ValueError) as error:
        raise SourceError(f"the file is in an encoding that is not known here ({error})") from error
    return iter(reader.rows)
