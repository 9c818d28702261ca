"""A database in trouble, for real: a lock that somebody else holds, a server that cannot be reached; and the deadline
that its bots are answered in all the same."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from django.db import connection
from django.test import override_settings

from risk.locking import DESK_LOCK
from tests.environment import DEADLINE_MS, is_sqlite

# SQLite has one lock, whatever the statement.
LOCKS = {
    "the account": "SELECT 1 FROM risk_accountstate FOR UPDATE",
    "the desk": f"SELECT pg_advisory_xact_lock({DESK_LOCK})",
    "the journal": "LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE",
}


@contextmanager
def hurried(milliseconds: int = DEADLINE_MS) -> Iterator[None]:
    """Bots are answered within the desk's own deadline, or within another one."""
    with override_settings(MIA_DEADLINE_MS=milliseconds):
        yield


@contextmanager
def locked(url: str, statement: str = LOCKS["the account"]) -> Iterator[None]:
    """Another connection holds a lock for as long as the block lasts."""
    if is_sqlite():
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    with psycopg.connect(url) as postgres:
        postgres.execute(statement.encode())
        yield
        postgres.rollback()


@contextmanager
def gone(url: str) -> Iterator[None]:
    """The database cannot be reached, and connections to it are cut."""
    if is_sqlite():
        path = Path(url.removeprefix("sqlite:///"))
        connection.close()
        away = path.rename(path.with_name(f"{path.name}.away"))
        yield
        connection.close()
        away.rename(path)
        return
    name = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
