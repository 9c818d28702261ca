"""The specification's files of the risk app, in pages: constant memory, each page says where the next begins.

Times are UTC, `YYYY-MM-DD HH:MM:SS`, with microseconds where there are any; floats read back as they were;
nothing is escaped or rounded, so that `import_mia` reads back what stands here.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Max, Min, Model, Q, QuerySet

from mia_site.ops.models import Timing
from mia_site.ops.timings import CSV_COLUMNS, timings_csv
from risk.models import Account, Penalty, Snapshot
from risk.rules.messages import number

PAGE_ROWS = 2_000
PENALTY_COLUMNS = ("timestamp", "penalty_active", "overtrade_risk_score")
PERFORMANCE_LOGS = {
    "logs/risk_performance.csv": ("stop_trading", "check_drawdown"),
    "logs/trade_window_filter_performance.csv": ("block_trade", "check_calendar"),
}
TIMING_SLICE = timedelta(minutes=10)
LEAST_ID = UUID(int=0)


class Cursor(NamedTuple):
    """The last row of a page: what follows comes after it in (time, id)."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` (included) to `until` (not included), both aware; None is without bound."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a file as bytes or, of a folder, whole files by name; `rows` is how many rows that is."""

    rows: int
    after: Cursor
    data: bytes = b""
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the tree, or one folder of files (`header` None). `pages(after)` begins behind that row."""

    path: str
    header: bytes | None
    pages: Callable[[Cursor | None], Iterator[Page]]


def risk_parts(account: Account, period: Period) -> tuple[Part, ...]:
    """The snapshots and penalties of `account`, and the risk app's performance logs (of the whole desk)."""
    return (
        Part("risk_snapshots", None, lambda after: _snapshot_pages(account, period, after)),
        Part(
            "logs/trading/penalty_log.csv",
            csv_bytes([PENALTY_COLUMNS]),
            lambda after: _penalty_pages(account, period, after),
        ),
        *(performance_part(path, operations, period) for path, operations in PERFORMANCE_LOGS.items()),
    )


def performance_part(path: str, operations: Collection[str], period: Period) -> Part:
    """A `*_performance.csv` with the timings of `operations`."""
    return Part(path, csv_bytes([CSV_COLUMNS]), lambda after: _timing_pages(operations, period, after))


def moment_text(at: datetime) -> str:
    """`at` (aware) as the specification writes times; microseconds only where there are any."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def csv_bytes(rows: Iterable[Sequence[object]], *, end: str = "\n") -> bytes:
    """CSV lines of `rows`; None is an empty cell, floats keep every digit. Cells that hold `end` are quoted."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(rows)
    return text.getvalue().encode()


def rows_paged(
    rows: "QuerySet[Any]", columns: Sequence[str], period: Period, after: Cursor | None
) -> Iterator[list[tuple[Any, ...]]]:
    """Lists of at most 2,000 tuples (at, id, *columns), oldest first; each list is one query by index."""
    rows = rows.filter(_within("at", period)).order_by("at", "id")
    while True:
        rest = rows if after is None else rows.filter(_behind(after))
        page = list(rest.values_list("at", "id", *columns)[:PAGE_ROWS])
        if page:
            yield page
            after = Cursor(page[-1][0], page[-1][1])
        if len(page) < PAGE_ROWS:
            return


def _within(column: str, period: Period) -> Q:
    since = Q() if period.since is None else Q((f"{column}__gte", period.since))
    return since if period.until is None else since & Q((f"{column}__lt", period.until))


def _behind(after: Cursor) -> Q:
    # The first term repeats what follows from the second, for the index on `at`.
    return Q(at__gte=after.at) & (Q(at__gt=after.at) | Q(id__gt=after.id))


def _of(model: type[Model], account: Account) -> "QuerySet[Any]":
    return model._default_manager.filter(account_id=account.pk)


def _penalty_pages(account: Account, period: Period, after: Cursor | None) -> Iterator[Page]:
    for page in rows_paged(_of(Penalty, account), PENALTY_COLUMNS[1:], period, after):
        lines = csv_bytes((moment_text(at), active, score) for at, _, active, score in page)
        yield Page(len(page), Cursor(*page[-1][:2]), lines)


def _snapshot_pages(account: Account, period: Period, after: Cursor | None) -> Iterator[Page]:
    """Files named by the second; the second of a second is `_2`, whatever part of it `period` takes."""
    second, count = _same_second_before(account, period, after)
    columns = ("drawdown", "overtrade_risk_score", "penalty_active")
    for page in rows_paged(_of(Snapshot, account), columns, period, after):
        files = []
        for at, _, *values in page:
            start = at.replace(microsecond=0)
            second, count = start, count + 1 if start == second else 1
            files.append((_snapshot_name(start, count), _snapshot_json(at, *values)))
        yield Page(len(page), Cursor(*page[-1][:2]), files=tuple(files))


def _same_second_before(account: Account, period: Period, after: Cursor | None) -> tuple[datetime | None, int]:
    """The second in which the export begins, and how many snapshots of it lie before."""
    start = after or (Cursor(period.since, LEAST_ID) if period.since else None)
    if start is None:
        return None, 0
    second = start.at.replace(microsecond=0)
    before = Q(at__lt=start.at) | Q(at=start.at, id__lte=start.id)
    return second, _of(Snapshot, account).filter(before, at__gte=second).count()


def _snapshot_name(second: datetime, count: int) -> str:
    return f"risk_{second.astimezone(UTC):%Y%m%d_%H%M%S}{f'_{count}' if count > 1 else ''}.json"


def _snapshot_json(at: datetime, drawdown: Decimal, score: float, penalty: bool) -> bytes:
    """What `json.dump(snapshot, indent=4)` writes, with the drawdown's own digits instead of a float's."""
    digits = number(drawdown)
    values = {
        "timestamp": json.dumps(moment_text(at)),
        "drawdown": digits if "." in digits else f"{digits}.0",
        "overtrade_risk_score": json.dumps(score),
        "penalty_active": json.dumps(penalty),
    }
    return ("{\n" + ",\n".join(f'    "{key}": {value}' for key, value in values.items()) + "\n}").encode()


def _timing_pages(operations: Collection[str], period: Period, after: Cursor | None) -> Iterator[Page]:
    """One page for each ten minutes, since timings have no cursor of their own."""
    known = Timing.objects.filter(_within("timestamp", period), operation__in=sorted(operations))
    span = known.aggregate(first=Min("timestamp"), last=Max("timestamp"))
    if span["first"] is None:
        return
    since = span["first"] if after is None else after.at
    while since <= span["last"]:
        until = since + TIMING_SLICE
        lines = timings_csv(operations, since, min(until, period.until) if period.until else until)
        rows = list(islice(lines, 1, None))  # without the header
        yield Page(len(rows), Cursor(until, LEAST_ID), "".join(rows).encode())
        since = until
