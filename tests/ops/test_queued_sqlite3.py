"""The queue before SQLite's write lock: one looks, nobody is forgotten, and nobody waits longer than their time."""

import gc
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from mia_site.ops.queued_sqlite3.base import DatabaseWrapper
from tests.environment import is_sqlite
from tests.threads import at_once

pytestmark = pytest.mark.skipif(not is_sqlite(), reason="PostgreSQL has a queue of its own")

WAIT_MS = 50


@pytest.fixture
def held(cloned_database: str) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else, in a transaction that holds the write lock."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def execute(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        return list(cursor.execute(sql) or ())


def begin() -> None:
    execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    with transaction.atomic():
        pass


def busy_timeout() -> list[Any]:
    return execute("PRAGMA busy_timeout")


def test_one_thread_looks_at_a_time_and_all_get_their_turn(
    cloned_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking: set[DatabaseWrapper] = set()
    most = []
    look = DatabaseWrapper._look_until

    def watched(self: DatabaseWrapper, ends: float) -> None:
        looking.add(self)
        most.append(len(looking))
        look(self, ends)
        looking.remove(self)

    def write() -> None:
        with transaction.atomic():
            execute("UPDATE turns SET taken = taken + 1")

    execute("CREATE TABLE turns AS SELECT 0 AS taken")
    monkeypatch.setattr(DatabaseWrapper, "_look_until", watched)
    assert at_once([write] * 12) == [None] * 12
    assert execute("SELECT taken FROM turns") == [(12,)]
    assert set(most) == {1}


def test_a_wait_that_runs_out_says_so_and_leaves_the_connection_as_it_was(held: sqlite3.Connection) -> None:
    with pytest.raises(OperationalError, match="database is locked"):
        begin()
    assert busy_timeout() == [(WAIT_MS,)]
    held.rollback()
    begin()
    assert busy_timeout() == [(WAIT_MS,)]


def test_a_wait_that_runs_out_leaves_no_cursor_to_the_collector(held: sqlite3.Connection) -> None:
    gc.collect()
    before = cursors()
    gc.disable()
    try:
        with pytest.raises(OperationalError):
            begin()
        assert cursors() == before
    finally:
        gc.enable()


def cursors() -> set[int]:
    """Those that are alive; another thread that cleared one away would wait for its connection."""
    return {id(found) for found in gc.get_objects() if issubclass(type(found), sqlite3.Cursor)}


def test_who_stands_behind_somebody_waits_no_longer_than_alone(held: sqlite3.Connection) -> None:
    answers = at_once([begin] * 4)
    assert [type(answer) for answer in answers] == [OperationalError] * 4
    held.rollback()
    assert at_once([begin] * 4) == [None] * 4


def test_a_new_process_stands_behind_nobody_of_the_old_one() -> None:
    with warnings.catch_warnings(), DatabaseWrapper._head:
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads, which is what this is about
        child = os.fork()
        if child == 0:
            os._exit(DatabaseWrapper._head.locked())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
