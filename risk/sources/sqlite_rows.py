"""Tables of an SQLite file held in memory, opened as if somebody hostile had written it.

No extension, view, virtual table, generated column, trigger or function of the file is ever run: only plain
columns of an ordinary table are read, under limits on rows, sizes and steps.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from risk.sources.bounds import MAX_ROWS
from risk.sources.notes import Notes
from risk.sources.records import SourceError
from risk.sources.rows import Row, shown
from risk.sources.text import check_size

MAGIC = b"SQLite format 3\x00"
_MAX_CELL_BYTES = 4 * 1024 * 1024
_MAX_TABLES = 1_000
_STEPS_A_CALL = 100_000
_MAX_CALLS = 1_000
_VERSIONS = slice(18, 20)
_ROLLBACK = b"\x01\x01"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that may be read, with its plain columns."""

    name: str
    columns: tuple[str, ...]


def is_database(data: bytes) -> bool:
    """Whether `data` begins as an SQLite file does."""
    return data.startswith(MAGIC)


def tables(data: bytes) -> tuple[Table, ...]:
    """The ordinary tables of a database. Raises SourceError where it cannot be read."""
    with _opened(data) as connection:
        return _tables(connection)


def table_rows(
    data: bytes, name: str, required: tuple[str, ...], optional: tuple[str, ...], notes: Notes
) -> Iterator[Row]:
    """The rows of table `name`, numbered from 1, with those of the columns that it has.

    Raises SourceError for a missing table or column and for a damaged file.
    """
    with _opened(data) as connection:
        found = _tables(connection)
        table = next((table for table in found if table.name == name), None)
        if table is None:
            raise SourceError(f"the database has no table {name}; its tables are {_listed(found)}")
        missing = next((column for column in required if column not in table.columns), None)
        if missing:
            raise SourceError(f"the table {name} has no column {missing}")
        others = tuple(other for other in found if other.name != name)
        if others:
            notes.say(f"tables not imported: {_listed(others)}")
        if data[_VERSIONS] != _ROLLBACK:
            notes.say("the database has a write-ahead log of its own: rows only in its -wal file are not here")
        columns = tuple(column for column in required + optional if column in table.columns)
        _allow_reading(connection, name)
        listed = ", ".join(f'"{column}"' for column in columns)
        # Table and columns are constants of this package; nothing of the file's is put into the query.
        query = f'SELECT {listed} FROM "{name}" LIMIT ?'  # noqa: S608
        for number, cells in enumerate(connection.execute(query, (MAX_ROWS + 1,)), 1):
            yield Row(number, dict(zip(columns, cells, strict=True)))


@contextmanager
def _opened(data: bytes) -> Iterator[sqlite3.Connection]:
    check_size(data)
    if not is_database(data):
        raise SourceError("the file is not an SQLite database")
    with closing(sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)) as connection:
        try:
            # A file in WAL mode cannot be opened from memory; its main part reads the same in rollback mode.
            connection.deserialize(data[: _VERSIONS.start] + _ROLLBACK + data[_VERSIONS.stop :])
            _restrict(connection)
            yield connection
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            raise SourceError(f"the database cannot be read: {shown(str(error))}") from error


def _restrict(connection: sqlite3.Connection) -> None:
    for limit, most in (
        (sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL_BYTES),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 50),
        (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
    ):
        connection.setlimit(limit, most)
    # Text that is not UTF-8 becomes surrogates, which the field readers refuse: one row is lost, not all.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    calls = iter(range(_MAX_CALLS))
    connection.set_progress_handler(lambda: next(calls, None) is None, _STEPS_A_CALL)
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _tables(connection: sqlite3.Connection) -> tuple[Table, ...]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' LIMIT ?"
    names = [
        name
        for name, sql in connection.execute(query, (_MAX_TABLES,)).fetchall()
        if isinstance(name, str) and isinstance(sql, str) and sql.upper().startswith("CREATE TABLE")
    ]
    return tuple(Table(name, _columns(connection, name)) for name in names if not name.startswith("sqlite_"))


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """The columns that are stored: generated ones (hidden 2 and 3) would run an expression of the file."""
    quoted = table.replace('"', '""').encode("utf-8", "replace").decode()
    rows = connection.execute(f'PRAGMA table_xinfo("{quoted}")').fetchall()
    return tuple(str(row[1]) for row in rows if row[6] == 0)


def _allow_reading(connection: sqlite3.Connection, table: str) -> None:
    def judge(action: int, first: str | None, *_rest: str | None) -> int:
        reads = action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_READ and first == table)
        return sqlite3.SQLITE_OK if reads else sqlite3.SQLITE_DENY

    connection.set_authorizer(judge)


def _listed(found: tuple[Table, ...]) -> str:
    return ", ".join(shown(table.name, 40) for table in found[:10]) or "none"
