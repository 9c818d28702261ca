"""Timings of operations: measured on success and on failure, written behind the operation's back.

An operation is never slowed or failed by its own measurement: rows go to a bounded buffer, a thread writes
them every two seconds (background.py), and what does not fit is dropped and counted.
"""

import csv
import io
import time
from collections.abc import Collection, Iterator
from contextlib import ContextDecorator
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Self

import structlog
from prometheus_client import Counter, Histogram

from mia_site.ops.background import BackgroundWriter
from mia_site.ops.models import Timing
from mia_site.ops.usage import usage

log = structlog.get_logger(__name__)
NAME_LENGTH = 64

SECONDS = Histogram(
    "mia_operation_seconds",
    "Duration of the desk's operations",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OPERATIONS = Counter("mia_operations_total", "The desk's operations by outcome", ["operation", "success"])


class Measured(NamedTuple):
    """One measurement in the buffer: lighter than a model, which the writer makes of it later."""

    timestamp: datetime
    operation: str
    latency: float
    success: bool
    memory_usage_mb: float
    cpu_percent: float


CSV_COLUMNS = Measured._fields


def _write(rows: list[Measured]) -> None:
    Timing.objects.bulk_create(Timing(**row._asdict()) for row in rows)


writer: BackgroundWriter[Measured] = BackgroundWriter("timings", _write, capacity=10_000, gather_seconds=2.0)


class timed(ContextDecorator):  # noqa: N801 - reads as a verb: `with timed("check_drawdown"):`, `@timed("…")`
    """Measures a block or each call of a function as `operation` (at most 64 characters).

    Records the start (UTC), latency in seconds, success, resident memory in MB and CPU percent. Exceptions
    pass.
    """

    def __init__(self, operation: str) -> None:
        if not 0 < len(operation) <= NAME_LENGTH:
            raise ValueError(f"an operation's name has 1 to {NAME_LENGTH} characters: {operation!r}")
        self.operation = operation

    def _recreate_cm(self) -> Self:
        return type(self)(self.operation)

    def __enter__(self) -> Self:
        self._at = datetime.now(UTC)
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        timing_record(self.operation, self._at, time.perf_counter() - self._started, success=kind is None)


def timing_record(operation: str, at: datetime, latency: float, *, success: bool) -> None:
    """Counts and buffers one measurement: `at` aware, `latency` in seconds. Never raises."""
    try:
        SECONDS.labels(operation).observe(latency)
        OPERATIONS.labels(operation, str(success).lower()).inc()
        memory, cpu = usage()
        writer.add(Measured(at, operation, latency, success, memory, cpu))
    except Exception:
        log.exception("timing_not_recorded", operation=operation)


def flush() -> int:
    """Writes the buffered timings on the current connection; returns how many. For tests and commands."""
    return writer.flush()


def timings_csv(
    operations: Collection[str], since: datetime | None = None, until: datetime | None = None
) -> Iterator[str]:
    """Lines of a `*_performance.csv` of the specification, header first, oldest first, in constant memory.

    `since` is included, `until` is not (both aware). Times are UTC, `YYYY-MM-DD HH:MM:SS.ffffff`; memory in
    MB.
    """
    rows = Timing.objects.filter(operation__in=sorted(operations)).order_by("timestamp", "id")
    if since is not None:
        rows = rows.filter(timestamp__gte=since)
    if until is not None:
        rows = rows.filter(timestamp__lt=until)
    yield _csv_line(CSV_COLUMNS)
    for at, *measured in rows.values_list(*CSV_COLUMNS).iterator(chunk_size=2_000):
        yield _csv_line((at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"), *measured))


def _csv_line(values: Collection[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def timings_expire(now: datetime, *, days: int, limit: int = 5_000) -> int:
    """Deletes at most `limit` timings older than `days`; returns how many."""
    old = Timing.objects.filter(timestamp__lt=now - timedelta(days=days)).order_by("timestamp")
    deleted, _ = Timing.objects.filter(pk__in=old.values("pk")[:limit]).delete()
    return deleted
