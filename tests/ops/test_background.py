import os
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from pytest_django import Settings

from mia_site.ops.background import BackgroundWriter
from tests.waiting import PATIENCE


class Table:
    """Where rows go; refuses them while `broken`."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.threads: set[str] = set()
        self.broken = False
        self.written = threading.Event()

    def write(self, rows: list[int]) -> None:
        if self.broken:
            raise OperationalError("database is locked")
        self.rows += rows
        self.threads.add(threading.current_thread().name)
        self.written.set()


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def threaded(table: Table, settings: Settings) -> Iterator[BackgroundWriter[int]]:
    settings.MIA_TIMINGS_BACKGROUND = True
    writer = BackgroundWriter("t-writer", table.write, capacity=100, gather_seconds=0.02)
    yield writer
    writer.stop()


def quiet(table: Table, capacity: int = 5, batch: int = 500) -> BackgroundWriter[int]:
    return BackgroundWriter("t-quiet", table.write, capacity=capacity, gather_seconds=0.02, batch=batch)


def test_without_a_thread_rows_wait_for_flush(table: Table) -> None:
    writer = quiet(table)
    for row in range(3):
        writer.add(row)
    time.sleep(0.05)
    assert table.rows == [] and len(writer) == 3
    assert writer.flush() == 3 and writer.flush() == 0
    assert table.rows == [0, 1, 2] and table.threads == {threading.current_thread().name}


def test_a_full_buffer_loses_the_oldest_and_counts_them(table: Table) -> None:
    writer = quiet(table, capacity=5)
    for row in range(8):
        writer.add(row)
    assert writer.dropped == 3
    writer.flush()
    assert table.rows == [3, 4, 5, 6, 7]


def test_rows_are_written_in_batches(table: Table) -> None:
    sizes: list[int] = []
    writer: BackgroundWriter[int] = BackgroundWriter(
        "t-batches", lambda rows: sizes.append(len(rows)), capacity=100, gather_seconds=0, batch=4
    )
    for row in range(10):
        writer.add(row)
    assert writer.flush() == 10 and sizes == [4, 4, 2]


def test_rows_that_could_not_be_written_stay_in_their_order(table: Table) -> None:
    writer = quiet(table)
    for row in range(3):
        writer.add(row)
    table.broken = True
    with pytest.raises(OperationalError):
        writer.flush()
    writer.add(3)
    table.broken = False
    writer.flush()
    assert table.rows == [0, 1, 2, 3] and writer.dropped == 0


def test_what_comes_back_never_pushes_newer_rows_out(table: Table) -> None:
    writer = quiet(table, capacity=3)

    def refuse(rows: list[int]) -> None:
        for row in (10, 11):
            writer.add(row)
        raise OperationalError("database is locked")

    for row in range(3):
        writer.add(row)
    writer._write = refuse
    with pytest.raises(OperationalError):
        writer.flush()
    writer._write = table.write
    writer.flush()
    assert table.rows == [2, 10, 11] and writer.dropped == 2


def test_the_thread_writes_by_itself(table: Table, threaded: BackgroundWriter[int]) -> None:
    for row in range(3):
        threaded.add(row)
    assert table.written.wait(PATIENCE)
    threaded.stop()
    assert table.rows == [0, 1, 2] and table.threads == {"t-writer"}


def test_the_thread_outlives_a_fault_of_the_database(
    table: Table, threaded: BackgroundWriter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mia_site.ops.background.RETRY_SECONDS", (0.02,))
    table.broken = True
    threaded.add(1)
    time.sleep(0.1)
    assert table.rows == [] and len(threaded) == 1
    table.broken = False
    assert table.written.wait(PATIENCE)
    threaded.add(2)
    threaded.stop()
    assert table.rows == [1, 2]


def test_stopping_writes_what_is_left_at_once(table: Table, settings: Settings) -> None:
    settings.MIA_TIMINGS_BACKGROUND = True
    writer = BackgroundWriter("t-slow", table.write, capacity=10, gather_seconds=60)
    writer.add(1)
    started = time.perf_counter()
    writer.stop()
    assert table.rows == [1] and time.perf_counter() - started < 2


def test_many_threads_lose_and_repeat_nothing(table: Table, threaded: BackgroundWriter[int]) -> None:
    threaded._rows = type(threaded._rows)(maxlen=10_000)

    def add(start: int) -> None:
        for row in range(start, start + 500):
            threaded.add(row)

    threads = [threading.Thread(target=add, args=(n * 500,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threaded.stop()
    assert sorted(table.rows) == list(range(4000)) and threaded.dropped == 0


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside a thread is the point
def test_a_forked_child_leaves_the_parents_rows_and_has_a_thread_of_its_own(table: Table, settings: Settings) -> None:
    settings.MIA_TIMINGS_BACKGROUND = True
    writer = BackgroundWriter("t-fork", table.write, capacity=10, gather_seconds=0.3)
    writer.add(1)
    reader, out = os.pipe()
    child = os.fork()
    if child == 0:
        writer.add(2)
        table.written.wait(PATIENCE)
        os.write(out, repr((table.rows, sorted(table.threads))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(out)
    with os.fdopen(reader) as told:
        assert told.read() == "([2], ['t-fork'])"
    writer.stop()
    assert table.rows == [1]
