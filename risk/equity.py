"""Equity and positions: stored and judged in one transaction (DESIGN 4.2)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.canonical import canonical_bytes
from mia_site.audit.journal import Leaf, canonical_fields
from risk.desk_equity import desk_equity_fold
from risk.held import held_build
from risk.inputs import EquityInput, InputError, PositionInput, PositionsInput
from risk.locking import account_lock, desk_lock, desk_lock_for_equity, seq_take
from risk.models import AccountState, Desk, EquityBatch, EquityPoint, HeldPoint, PositionReport
from risk.rules.drawdown import PointError
from risk.rules.messages import number
from risk.selectors.limits import limits_of
from risk.tracks import point_fold
from risk.written import Written

FUTURE = timedelta(seconds=5)
"""How far ahead of the desk's clock a report may be dated: further, its time is wrong and so is what it says."""


@dataclass(frozen=True, slots=True)
class EquityRecorded:
    """What became of a report: points stored, points known already, the trading state after it, leaves in order."""

    recorded: int
    unchanged: int
    state: str
    leaves: list[Leaf]


def time_check(field: str, at: datetime, now: datetime) -> None:
    """Raises `InputError` for a report dated further ahead of the desk's clock than `FUTURE`."""
    if at > now + FUTURE:
        raise InputError(field, at.isoformat(), f"a time up to now ({now.isoformat()})")


def equity_record(*, account: str, points: Sequence[EquityInput], actor: Actor) -> EquityRecorded:
    """Stores a report of one or more points and judges it then and there: a breach stops the account.

    A point that is stored already (same time, equity and flow) changes nothing. A point older than the last one is
    kept as late: it can raise a peak and can break a floor, and never becomes the current equity. One that moved
    further than the limits believe is held, and does not count until somebody rules on it.
    Raises `InputError` naming the point by its place (`[0].at`), and `AccountUnknown`.
    """
    with transaction.atomic():
        desk = desk_lock_for_equity()
        state = account_lock(account)
        seq, now = seq_take(state)
        written, stored = equity_take_in(desk, state, points, actor=actor, seq=seq, now=now)
        state.save()
        leaves = written.record(actor=actor, account=account)
    return EquityRecorded(stored, len(points) - stored, state.state, leaves)


def positions_record(*, account: str, report: PositionsInput, actor: Actor) -> EquityRecorded:
    """Stores a report of all open positions. Raises `InputError` and `AccountUnknown`."""
    with transaction.atomic():
        desk_lock()
        state = account_lock(account)
        seq, now = seq_take(state)
        written = positions_apply(state, report.at, report.positions, seq=seq, now=now)
        state.save()
        leaves = written.record(actor=actor, account=account)
    return EquityRecorded(len(written.facts), 1 - len(written.facts), state.state, leaves)


def equity_take_in(
    desk: Desk, state: AccountState, points: Sequence[EquityInput], *, actor: Actor, seq: int, now: datetime
) -> tuple[Written, int]:
    """As `equity_apply`, and folds what changed into the locked desk."""
    before, known = state.equity, state.equity_seq
    written, stored = equity_apply(state, points, actor=actor, seq=seq, now=now)
    if state.equity_seq != known:
        flow = _flow_believed(written)
        written.add(desk_equity_fold(desk, state, before=before, flow=flow, actor=actor, now=now))
    return written, stored


def _flow_believed(written: Written) -> Decimal:
    """The cash flows of the points that count; those of held ones come with the ruling that accepts them."""
    held = {fact.point_id for fact in written.facts if isinstance(fact, HeldPoint)}
    points = (row for row in written.companions if isinstance(row, EquityPoint) and row.id not in held)
    return sum((point.cash_flow for point in points), Decimal(0))


def equity_apply(
    state: AccountState, points: Sequence[EquityInput], *, actor: Actor, seq: int, now: datetime
) -> tuple[Written, int]:
    """Folds the points into the locked account (unsaved). Returns what to write, and how many points are new."""
    for index, point in enumerate(points):
        time_check(f"[{index}].at", point.at, now)
    fresh = _unknown(state, points)
    if not fresh:
        return Written(), 0
    rows, written = [], Written()
    limits = limits_of(state)
    for ordinal, (index, point) in enumerate(fresh):
        late = state.equity_at is not None and point.at < state.equity_at
        rows.append(
            EquityPoint(
                account=state.account, seq=seq, ordinal=ordinal, at=point.at, equity=point.equity,
                balance=point.balance, open_pnl=point.open_pnl, cash_flow=point.cash_flow, late=late, recorded_at=now,
            )
        )  # fmt: skip
        held = None if limits is None else held_build(state, rows[-1], limits.plausibility, now=now)
        if held is not None:
            written.facts.append(held)
        else:
            try:
                written.add(point_fold(state, limits, rows[-1], actor=actor, now=now))
            except PointError as error:
                raise InputError(f"[{index}].{error.field}", number(point.equity), str(error)) from error
        if point.positions is not None:
            written.add(positions_apply(state, point.at, point.positions, seq=seq, now=now))
    batch = EquityBatch(account=state.account, seq=seq, count=len(rows), digest="", recorded_at=now)
    for row in rows:
        row.batch_id = batch.id
    batch.digest = points_digest(rows)
    return Written(facts=[batch, *written.facts], companions=[*rows, *written.companions]), len(rows)


def points_digest(rows: Sequence[EquityPoint]) -> str:
    """SHA-256 (hexadecimal) of the canonical bytes of all points of a batch, in their order."""
    return hashlib.sha256(canonical_bytes([canonical_fields(row) for row in rows])).hexdigest()


def _unknown(state: AccountState, points: Sequence[EquityInput]) -> list[tuple[int, EquityInput]]:
    """The points that are not stored yet, oldest first, with their place in the report; of equal ones the first."""
    first: dict[tuple[datetime, Decimal, Decimal], int] = {}
    for index, point in enumerate(points):
        first.setdefault((point.at, point.equity, point.cash_flow), index)
    numbered = sorted(((index, points[index]) for index in first.values()), key=lambda pair: pair[1].at)
    if not numbered or state.equity_at is None or numbered[0][1].at > state.equity_at:
        return numbered
    stored = set(
        EquityPoint.objects.filter(
            account=state.account, origin="live", at__in=[point.at for _, point in numbered]
        ).values_list("at", "equity", "cash_flow")
    )
    return [(index, point) for index, point in numbered if (point.at, point.equity, point.cash_flow) not in stored]


def positions_apply(
    state: AccountState, at: datetime, positions: Sequence[PositionInput], *, seq: int, now: datetime
) -> Written:
    """Takes a position report into the locked account (unsaved); one older than the last is kept, not applied."""
    time_check("at", at, now)
    held = {item.instrument: number(item.quantity) for item in positions if item.quantity}
    if at == state.positions_at and held == state.positions:
        return Written()
    report = PositionReport(account=state.account, seq=seq, at=at, positions=held, recorded_at=now)
    if state.positions_at is None or at >= state.positions_at:
        state.positions, state.positions_at, state.positions_seq = held, at, seq
    return Written(facts=[report])
