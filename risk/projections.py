"""Projections replayed from their facts, in the order of `seq`: what an account's state must be, and where it is not.

The replay reads facts only and shares with the live services the pure rules and the folding of one step, nothing of
what was projected before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from risk.desk_equity import desk_hear, desk_settle
from risk.desk_limits import desk_rules_take
from risk.history import Heard, Rebased, history, rebase_apply
from risk.limits_law import marks_refresh
from risk.locking import account_lock, desk_lock
from risk.losses import penalty_fold
from risk.models import (
    Account,
    AccountState,
    Desk,
    DeskLimitsVersion,
    DeskPoint,
    FeatureReference,
    HeldPoint,
    HeldRuling,
    LimitsVersion,
    Penalty,
    PositionReport,
    Snapshot,
    StateChange,
)
from risk.models.columns import Origin
from risk.models.state import Cause, Scope
from risk.rules.desk_limits import desk_limits_parse
from risk.rules.limits import Limits
from risk.rules.losses import KINDS, losses_in_a_row
from risk.rules.reference import Quote, quotes_take
from risk.rules.track import rules_fresh, track_dump, track_load
from risk.selectors.desk import desk_limits_of
from risk.selectors.limits import enforced_by, version_readable
from risk.tracks import equity_take, tracks_hear, tracks_settle
from risk.trading_states import state_take

UNPROJECTED = frozenset({"account", "seq"})
"""`seq` only grows: steps that left no fact have taken numbers too."""
DESK_COLUMNS = (
    "state", "state_since", "state_reason", "state_until", "state_change_id", "seq", "limits_id", "marks", "equity",
    "drawdown", "feature_reference_id",
)  # fmt: skip
MARKED = Cause.DRAWDOWN.value, "check"
"""Causes of the snapshots that the periodic check takes, beside those that come with a breach."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A projection that is not what its facts add up to."""

    where: str
    field: str
    stored: Any
    replayed: Any

    def __str__(self) -> str:
        return f"{self.where} {self.field}: stored {self.stored}, the facts say {self.replayed}"


@dataclass(frozen=True, slots=True)
class Closed:
    """The final outcome of a decision's trade: decisions has the fact, the account's losses are folded here."""

    seq: int
    decision_id: UUID
    pnl: Decimal
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Priced:
    """A price that a decision or a fill told: decisions has the fact, the last ones known are folded here."""

    seq: int
    quote: Quote


@dataclass(slots=True)
class _Step:
    """Everything that one `seq` of the account wrote, in the order in which a service folds it."""

    limits: list[tuple[LimitsVersion, datetime]] = field(default_factory=list)
    equity: list[Heard | Rebased] = field(default_factory=list)
    held: list[HeldPoint] = field(default_factory=list)
    rulings: list[HeldRuling] = field(default_factory=list)
    positions: list[PositionReport] = field(default_factory=list)
    prices: list[Priced] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    penalties: list[Penalty] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)


class _Replay:
    """An account's state, rebuilt step by step on a row that is never saved as such."""

    def __init__(self, account: Account) -> None:
        self.state = AccountState(account=account)
        self.limits: Limits | None = None
        self.outcomes: dict[UUID, Closed] = {}

    def step(self, seq: int, step: _Step) -> None:
        self._ruled(step)
        for version, told_at in step.limits:
            self._limits(version, told_at, seq)
        for heard in step.equity:
            self._equity(heard, seq)
        self._settled(step)
        for report in step.positions:
            self._positions(report)
        for priced in step.prices:
            self.state.prices = quotes_take(self.state.prices, priced.quote)
        for closed in step.closed:
            self._closed(closed)
        shadowed = {snapshot.id for snapshot in step.snapshots if _of_a_shadowed_call(snapshot)}
        for penalty in step.penalties:
            self._penalty(penalty, shadowed)
        for change in step.changes:
            state_take(self.state, change)
        for snapshot in step.snapshots:
            self._snapshot(snapshot)

    def _ruled(self, step: _Step) -> None:
        """A ruling is on everything that is held."""
        state = self.state
        for held in step.held:
            state.held, state.held_since = state.held + 1, state.held_since or held.recorded_at
        if step.rulings:
            state.held, state.held_since = 0, None

    def _settled(self, step: _Step) -> None:
        """The periodic check believes what time has confirmed; it leaves a snapshot and no equity."""
        if self.limits is None or step.equity:
            return
        for snapshot in step.snapshots:
            if snapshot.cause in MARKED:
                tracks_settle(self.state, self.limits, snapshot.recorded_at)

    def _positions(self, report: PositionReport) -> None:
        state = self.state
        if state.positions_at is None or report.at >= state.positions_at:
            state.positions, state.positions_at, state.positions_seq = report.positions, report.at, report.seq

    def _limits(self, version: LimitsVersion, told_at: datetime, seq: int) -> None:
        new = version_readable(version)
        if new is None:
            self.state.limits, self.limits = version, None
            return
        marks_refresh(self.state, new, rules_fresh(self.state.marks, self.limits, new), before=seq)
        self.state.limits, self.limits = version, new
        tracks_settle(self.state, new, told_at)

    def _equity(self, step: Heard | Rebased, seq: int) -> None:
        if isinstance(step, Heard):
            equity_take(self.state, step.point, seq=seq, now=step.told_at)
            if self.limits is not None:
                tracks_hear(self.state, self.limits, step.point, seq=seq)
        elif self.limits is not None:
            rules = {rule.name: rule for rule in self.limits.drawdown}
            track = rebase_apply(rules[step.rule], track_load(self.state.marks[step.rule]), step)
            self.state.marks = self.state.marks | {step.rule: track_dump(track)}

    def _closed(self, closed: Closed) -> None:
        """The losses in a row by the newest outcome of each trade, newest first, from this one back."""
        self.outcomes.pop(closed.decision_id, None)
        self.outcomes[closed.decision_id] = closed
        newest_first = ((known.seq, known.pnl) for known in reversed(self.outcomes.values()))
        self.state.losses = losses_in_a_row(newest_first, self.state.losses_seq)
        if closed.pnl < 0:
            self.state.last_loss_at = closed.told_at

    def _penalty(self, penalty: Penalty, shadowed: set[UUID]) -> None:
        if penalty.penalty_kind in KINDS:
            penalty_fold(self.state, penalty)
        elif penalty.penalty_kind == "lifted":
            self.state.penalty_active = False
        elif penalty.penalty_active and penalty.snapshot_id not in shadowed:
            self.state.penalty_active = True

    def _snapshot(self, snapshot: Snapshot) -> None:
        state = self.state
        state.snapshot_at, state.snapshot_seq = snapshot.at, snapshot.seq
        state.snapshot_worst = Decimal(snapshot.evidence["worst_drawdown"])
        if snapshot.cause == "check":
            state.drawdown = snapshot.drawdown


def _of_a_shadowed_call(snapshot: Snapshot) -> bool:
    """A `stop_trading` call under a rule in shadow logs a penalty without the account having one."""
    return snapshot.cause == Cause.STOP_TRADING.value and bool(snapshot.evidence.get("shadow"))


def account_replayed(account: Account, closed: Iterable[Closed] = (), prices: Iterable[Priced] = ()) -> AccountState:
    """What the account's facts add up to (unsaved). `closed`: the final outcomes of its trades; `prices`: all that its
    decisions and fills told."""
    replay = _Replay(account)
    for seq, step in sorted(_steps(account, closed, prices).items()):
        replay.step(seq, step)
    return replay.state


def _steps(account: Account, closed: Iterable[Closed], prices: Iterable[Priced]) -> dict[int, _Step]:
    steps: dict[int, _Step] = defaultdict(_Step)
    for seq, version, told_at in limits_in_force(account):
        steps[seq].limits.append((version, told_at))
    for heard in history(account):
        steps[heard.seq].equity.append(heard)
    for outcome in closed:
        steps[outcome.seq].closed.append(outcome)
    for priced in prices:
        steps[priced.seq].prices.append(priced)
    for name, rows in _facts(account):
        for row in rows:
            getattr(steps[row.seq], name).append(row)
    return steps


def limits_in_force(account: Account) -> Iterator[tuple[int, LimitsVersion, datetime]]:
    """Each version that was put in force, with the `seq` and the time from which it was."""
    for version in LimitsVersion.objects.filter(account=account).select_related("approval", "step").order_by("seq"):
        by = enforced_by(version)
        if by is not None:
            yield by.seq, version, by.recorded_at


def _facts(account: Account) -> Iterator[tuple[str, Iterable[Any]]]:
    """The facts that are folded as they are, each kind in its order, by the name that `_Step` has for them."""
    live = {"account": account, "origin": Origin.LIVE}
    yield "held", HeldPoint.objects.filter(account=account).order_by("seq", "ordinal")
    yield "rulings", HeldRuling.objects.filter(account=account).order_by("seq", "id")
    yield "positions", PositionReport.objects.filter(account=account).order_by("seq", "id")
    yield "penalties", Penalty.objects.filter(**live).order_by("seq", "id")
    yield "changes", StateChange.objects.filter(account=account, scope=Scope.ACCOUNT).order_by("seq", "id")
    yield "snapshots", Snapshot.objects.filter(**live).order_by("seq", "id")


def account_differences(stored: AccountState, replayed: AccountState) -> Iterator[Difference]:
    """Every column in which the stored projection is not the replayed one."""
    for column in AccountState._meta.concrete_fields:
        if column.name in UNPROJECTED:
            continue
        told, known = getattr(stored, column.attname), getattr(replayed, column.attname)
        if told != known:
            yield Difference(stored.account.code, column.attname, told, known)


def account_check(
    code: str, closed: Iterable[Closed] = (), prices: Iterable[Priced] = (), *, rebuild: bool = False
) -> list[Difference]:
    """Replays one account under its lock and names each difference; with `rebuild` the replayed state is stored.
    Raises `AccountUnknown`."""
    with transaction.atomic():
        desk_lock()
        stored = account_lock(code)
        replayed = account_replayed(stored.account, closed, prices)
        found = list(account_differences(stored, replayed))
        if rebuild and found:
            replayed.seq = stored.seq
            replayed.save(force_update=True)
    return found


def desk_check(*, rebuild: bool = False) -> list[Difference]:
    """The same for the desk: its trading state, its rules and its drawdown."""
    with transaction.atomic():
        stored = desk_lock(exclusive=True)
        replayed = _desk_replayed()
        found = [
            Difference("desk", name, getattr(stored, name), getattr(replayed, name))
            for name in DESK_COLUMNS
            if getattr(stored, name) != getattr(replayed, name)
        ]
        if rebuild and found:
            for name in DESK_COLUMNS:
                setattr(stored, name, getattr(replayed, name))
            stored.save(update_fields=DESK_COLUMNS)
    return found


def _desk_replayed() -> Desk:
    """The desk as its facts say, in the order of recording: each was recorded under the desk's exclusive lock."""
    desk = Desk(id=1, feature_reference=FeatureReference.objects.order_by("version").last())
    for fact, told_at in sorted(_desk_facts(), key=lambda told: told[1]):
        limits = desk_limits_of(desk)
        if isinstance(fact, StateChange):
            if limits is not None and fact.cause == Cause.DRAWDOWN:
                desk_settle(desk, limits, told_at)
            state_take(desk, fact)
        elif isinstance(fact, DeskLimitsVersion):
            desk.limits = fact
            new = desk_limits_parse(fact.body)
            desk_rules_take(desk, limits, new)
            desk_settle(desk, new, told_at)
        elif limits is not None:
            desk_hear(desk, limits, fact)
    return desk


def _desk_facts() -> Iterator[tuple[StateChange | DeskLimitsVersion | DeskPoint, datetime]]:
    """Those of one moment in the order in which they were folded."""
    for version in DeskLimitsVersion.objects.select_related("approval", "step").order_by("version"):
        by = enforced_by(version)
        if by is not None:
            yield version, by.recorded_at
    for point in DeskPoint.objects.order_by("seq"):
        yield point, point.recorded_at
    for change in StateChange.objects.filter(scope=Scope.DESK).order_by("recorded_at", "id"):
        yield change, change.recorded_at
