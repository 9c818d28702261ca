"""SQLite, with a queue for its write lock (docs/adr/0007).

SQLite has none: who finds the lock taken sleeps, longer each time, up to 100 ms, and looks again. With many at once the
lock is idle while all sleep, and some find it taken at every look until their time is over. Here one thread of each
process looks, every few milliseconds, and its others stand behind it. How long a transaction waits for its beginning
is, as ever, the connection's busy timeout.
"""

import os
import sqlite3
import threading
import time

from django.db.backends.sqlite3 import base

LOOK_MS = 3
"""How long SQLite itself waits at one look: it sleeps 1 and 2 ms."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for how a transaction waits that begins with the write lock."""

    _head = threading.Lock()
    transaction_mode: str | None

    def _start_transaction_under_autocommit(self) -> None:
        """Raises OperationalError ("database is locked") where the busy timeout ends first."""
        if self.transaction_mode != "IMMEDIATE":  # of a reader, who waits for nobody
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # the stubs leave it out
            return
        milliseconds = self._busy_timeout()
        ends = time.monotonic() + milliseconds / 1000
        heads = self._head.acquire(timeout=milliseconds / 1000)
        try:
            self._set_busy_timeout(min(LOOK_MS, milliseconds))
            self._look_until(ends)
        finally:
            self._set_busy_timeout(milliseconds)
            if heads:
                self._head.release()

    def _look_until(self, ends: float) -> None:
        # Not with a cursor of Django's, whose errors keep their cursor alive in a cycle. If the collector clears it in
        # the thread that holds the write lock, that one waits for the cursor's connection, which waits for the lock.
        while True:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if time.monotonic() >= ends or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    with self.wrap_database_errors:
                        raise
            else:
                return

    def _busy_timeout(self) -> int:
        (milliseconds,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
        return int(milliseconds)

    def _set_busy_timeout(self, milliseconds: int) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {milliseconds:d}")

    @classmethod
    def forked(cls) -> None:
        """In a new process nobody looks yet, whoever did in the one that it comes from."""
        cls._head = threading.Lock()


os.register_at_fork(after_in_child=DatabaseWrapper.forked)
