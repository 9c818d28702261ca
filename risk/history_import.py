"""Imported history of an account: penalties, snapshots, equity. It is marked as such and moves no
projection, so that it never stops an account by itself.

A row is known again by its content, the n-th equal row of a file by the n-th equal fact: the same file, or
one that overlaps it, adds nothing twice, and what was recorded live is not added again either.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from mia_site.audit.journal import facts_record
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7
from risk.equity import points_digest
from risk.import_job import ImportJob, Tally, future_error
from risk.locking import account_lock, seq_take
from risk.models import AccountState, EquityBatch, EquityPoint, Penalty, Snapshot
from risk.models.columns import Origin
from risk.sources.records import EquityRecord, PenaltyRecord, SnapshotRecord
from risk.written import Written

FRACTION_STEP = Decimal("1e-12")
Row = TypeVar("Row", PenaltyRecord, SnapshotRecord)
HistoryFact = Penalty | Snapshot


def numbered(keys: Iterable[Hashable]) -> list[int]:
    """For each key, which occurrence of it in the sequence it is: 1, 2, …"""
    seen: Counter[Hashable] = Counter()
    numbers = []
    for key in keys:
        seen[key] += 1
        numbers.append(seen[key])
    return numbers


def penalties_import(records: Sequence[PenaltyRecord], job: ImportJob) -> Tally:
    """The rows of a penalty log as facts of the account. Raises `ImportRefused` without an account."""
    columns = ("at", "penalty_active", "overtrade_risk_score")
    return _history_import(records, job, stored=Penalty, columns=columns, key=_penalty_key, fact=_penalty)


def snapshots_import(records: Sequence[SnapshotRecord], job: ImportJob) -> Tally:
    """Risk snapshots as facts of the account. Raises `ImportRefused` without an account."""
    columns = ("at", "drawdown", "overtrade_risk_score", "penalty_active")
    return _history_import(records, job, stored=Snapshot, columns=columns, key=_snapshot_key, fact=_snapshot)


def equity_add(state: AccountState, points: Sequence[tuple[EquityRecord, int]]) -> tuple[Written, list[bool]]:
    """Those of `points` that the locked account does not have, as a batch to be written, and which these
    are.

    Each comes with its number among equal points of the file. The account's marks and equity stay as they
    are.
    """
    if not points:
        return Written(), []
    stored = EquityPoint.objects.filter(account=state.account, at__in={point.at for point, _ in points})
    known = Counter(stored.values_list("at", "equity"))
    new = [number > known[point.at, point.equity] for point, number in points]
    if not any(new):
        return Written(), new
    seq, now = seq_take(state)
    batch_id = uuid7()
    rows = [
        EquityPoint(
            account=state.account,
            batch_id=batch_id,
            seq=seq,
            at=point.at,
            equity=point.equity,
            late=state.equity_at is not None and point.at < state.equity_at,
            origin=Origin.IMPORTED,
            recorded_at=now,
        )
        for (point, _), is_new in zip(points, new, strict=True)
        if is_new
    ]
    for ordinal, row in enumerate(rows):
        row.ordinal = ordinal
    batch = EquityBatch(
        id=batch_id,
        account=state.account,
        seq=seq,
        count=len(rows),
        digest=points_digest(rows),
        origin=Origin.IMPORTED,
        recorded_at=now,
    )
    return Written(facts=[batch], companions=list(rows)), new


def _history_import(
    records: Sequence[Row],
    job: ImportJob,
    *,
    stored: type[HistoryFact],
    columns: tuple[str, ...],
    key: Callable[[Row], Hashable],
    fact: Callable[[Row, AccountState, int], HistoryFact],
) -> Tally:
    account, now, tally = job.account_row(), database_now(), Tally()
    past = []
    for record in sorted(records, key=lambda record: record.at):
        error = future_error(getattr(record, "line", 1), "timestamp", record.at, now)
        if error:
            tally.errors.append(error)
        else:
            past.append(record)
    rows = list(zip(past, numbered(key(record) for record in past), strict=True))
    for portion in job.portions(rows):
        with job.step():
            state = account_lock(account.code)
            times = {record.at for record, _ in portion}
            equal = stored._default_manager.filter(account=account, at__in=times)
            known = Counter(equal.values_list(*columns))
            new = [record for record, number in portion if number > known[key(record)]]
            if new:
                facts = [fact(record, state, state.seq + place) for place, record in enumerate(new, 1)]
                state.seq += len(new)
                state.save(update_fields=["seq"])
                facts_record(facts, actor=job.actor, why=job.why, account=account.code)
        tally.imported += len(new)
        tally.unchanged += len(portion) - len(new)
    return tally


def _penalty_key(record: PenaltyRecord) -> Hashable:
    return record.at, record.penalty_active, record.overtrade_risk_score


def _penalty(record: PenaltyRecord, state: AccountState, seq: int) -> Penalty:
    return Penalty(
        account=state.account,
        seq=seq,
        at=record.at,
        penalty_active=record.penalty_active,
        overtrade_risk_score=record.overtrade_risk_score,
        penalty_kind="imported",
        value=int(record.penalty_active),
        origin=Origin.IMPORTED,
    )


def _snapshot_key(record: SnapshotRecord) -> Hashable:
    drawdown = record.drawdown.quantize(FRACTION_STEP)
    return record.at, drawdown, record.overtrade_risk_score, record.penalty_active


def _snapshot(record: SnapshotRecord, state: AccountState, seq: int) -> Snapshot:
    return Snapshot(
        account=state.account,
        seq=seq,
        at=record.at,
        drawdown=record.drawdown.quantize(FRACTION_STEP),
        overtrade_risk_score=record.overtrade_risk_score,
        penalty_active=record.penalty_active,
        cause="imported",
        evidence={},
        origin=Origin.IMPORTED,
    )
