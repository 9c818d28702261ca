"""Rows written beside the caller: a bounded buffer and one daemon thread with a database connection of its
own.

For what must neither slow nor fail the operation it tells of (timings), and for what must survive the
rollback of the caller's transaction (alerts of trouble). The thread starts with the first row, sleeps while
there is none, and is started anew in a forked child, which leaves the parent's rows to the parent. Without a
thread (`MIA_TIMINGS_BACKGROUND=0`: tests) rows wait for `flush`.
"""

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from django.conf import settings
from django.db import connection
from prometheus_client import Counter

log = structlog.get_logger(__name__)
Row = TypeVar("Row")
EXIT_SECONDS = 3.0
DROPPED = Counter("mia_background_dropped_total", "Rows that a full buffer lost", ["buffer"])
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class BackgroundWriter(Generic[Row]):
    """Buffers at most `capacity` rows (the oldest go first, counted in `dropped`) and writes them in batches.

    `write(rows)` gets at most `batch` rows per call; on an exception they return to the buffer and are tried
    again. `gather_seconds` is how long the thread waits for more rows after the first.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[list[Row]], object],
        *,
        capacity: int,
        gather_seconds: float,
        batch: int = 500,
    ) -> None:
        self.name = name
        self.dropped = 0
        self._write = write
        self._batch = batch
        self._gather_seconds = gather_seconds
        self._rows: deque[Row] = deque(maxlen=capacity)
        self._reset()
        os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.stop)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def _forked(self) -> None:
        self._rows.clear()
        self._reset()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Puts a row into the buffer; never waits for the database."""
        with self._lock:
            if len(self._rows) == self._rows.maxlen:
                self._drop(1)
            self._rows.append(row)
            if self._thread is None and settings.MIA_TIMINGS_BACKGROUND and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()
        self._filled.set()

    def flush(self) -> int:
        """Writes what is buffered on the caller's own connection; returns the number of rows written.

        Raises what the database raises; the rows then stay buffered.
        """
        written = 0
        while rows := self._take():
            try:
                self._write(rows)
            except BaseException:
                self._give_back(rows)
                raise
            written += len(rows)
        return written

    def stop(self) -> None:
        """Lets the thread write what is left, waits at most 3 s; at exit and when a worker shuts down."""
        self._stopping.set()
        self._filled.set()
        thread = self._thread
        if thread is not None:
            thread.join(EXIT_SECONDS)

    def clear(self) -> None:
        """Forgets what is buffered; for tests."""
        with self._lock:
            self._rows.clear()

    def _take(self) -> list[Row]:
        with self._lock:
            return [self._rows.popleft() for _ in range(min(self._batch, len(self._rows)))]

    def _give_back(self, rows: list[Row]) -> None:
        with self._lock:
            room = (self._rows.maxlen or 0) - len(self._rows)
            kept = rows[max(0, len(rows) - room) :] if room else []
            self._drop(len(rows) - len(kept))
            self._rows.extendleft(reversed(kept))

    def _drop(self, count: int) -> None:
        self.dropped += count
        DROPPED.labels(self.name).inc(count)

    def _run(self) -> None:
        failures = 0
        while True:
            self._filled.wait()
            self._stopping.wait(self._pause(failures))
            last = self._stopping.is_set()
            self._filled.clear()
            failures = 0 if self._flush_quietly() else failures + 1
            if last:
                return
            if failures:
                self._filled.set()

    def _pause(self, failures: int) -> float:
        return RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1] if failures else self._gather_seconds

    def _flush_quietly(self) -> bool:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - the thread outlives every fault of the database
            log.warning(
                "background_write_failed",
                writer=self.name,
                waiting=len(self),
                dropped=self.dropped,
                error=f"{type(error).__name__}: {error}",
            )
            return False
        finally:
            connection.close()
        return True
