"""The steps of an account's history, read in the order of `seq` and never all at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet

from decisions.models import Decision, Mode, OrderReport, Outcome
from decisions.orders import fill_quote, order_told
from decisions.replay.known import asked_of
from risk.export import Period
from risk.history import Heard, history
from risk.models import (
    Account,
    AlgorithmSwitch,
    EquityBatch,
    EquityPoint,
    HeldPoint,
    HeldRuling,
    LimitsApproval,
    LimitsStep,
    LimitsVersion,
    Penalty,
    PositionReport,
    Snapshot,
    StateChange,
)
from risk.models.algorithm import AlgorithmAction
from risk.models.columns import Origin
from risk.models.state import Cause, Scope
from risk.projections import MARKED, limits_in_force
from risk.rules.facts import SEVERITY, TradingState
from risk.rules.limits import limits_parse
from risk.rules.losses import KINDS
from risk.rules.replay_steps import (
    AlgorithmReviewed,
    Asked,
    Checked,
    LimitsBegan,
    OrderReported,
    PeakMoved,
    PenaltyLifted,
    PointHeld,
    PointsRuled,
    PointTold,
    PositionsTold,
    StateMoved,
    Step,
    StopCalled,
    TradeClosed,
)

CHUNK = 1_000
BY_NO_LIMIT = frozenset({Cause.MANUAL.value, Cause.AUTOMATIC.value})
"""Causes of changes of state that no limit decided: people, and time."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision that was judged, with the profit that its trade is known to have made (None: nobody reported any)."""

    row: Decision
    asked: Asked
    pnl: Decimal | None


Fed = tuple[int, int, Step | Judged]
"""`seq`, the place of its kind among the kinds of one `seq`, and the step."""


def feed(account: Account, *, after: int, upto: int) -> Iterator[Step | Judged]:
    """Every step with `after` < `seq` <= `upto`; of one `seq` in the order in which a service folds them."""
    span = {"account": account, "seq__gt": after, "seq__lte": upto}
    streams: list[Iterator[Fed]] = [
        _placed(0, limits_begun(account, after=after, upto=upto)),
        _placed(1, _held(span)),
        _placed(2, points(account, after=after, upto=upto)),
        _placed(3, _moved(span)),
        _placed(4, _told_by_snapshots(span)),
        *_orders(span),
        _placed(8, _lifted(span)),
        _placed(8, _reviewed(span)),
    ]
    yield from _in_order(streams)


def orders_feed(account: Account, *, after: int, upto: int) -> Iterator[Step | Judged]:
    """Of these steps those that orders under way, positions and prices follow from."""
    yield from _in_order(_orders({"account": account, "seq__gt": after, "seq__lte": upto}))


def _orders(span: dict[str, Any]) -> list[Iterator[Fed]]:
    return [
        _placed(5, _positions(span)),
        _placed(6, _reported(span)),
        _placed(7, _closed(span)),
        ((judged.row.seq, 9, judged) for judged in _judged(span)),
    ]


def _in_order(streams: list[Iterator[Fed]]) -> Iterator[Step | Judged]:
    for _, _, step in merge(*streams, key=lambda fed: fed[:2]):
        yield step


def _placed(place: int, steps: Iterable[Step]) -> Iterator[Fed]:
    return ((step.seq, place, step) for step in steps)


def points(account: Account, *, after: int, upto: int) -> Iterator[PointTold | PeakMoved]:
    """What the account's drawdown is measured on."""
    for step in history(account, after=after, before=upto + 1):
        if isinstance(step, Heard):
            yield PointTold(seq=step.seq, at=step.told_at, point=step.point)
        else:
            yield PeakMoved(seq=step.seq, at=step.told_at, rule=step.rule, point=step.point)


def points_counted(account: Account, *, upto: int) -> int:
    """How many equity points count: those that were held only once somebody accepted them."""
    told = EquityPoint.objects.filter(account=account, origin=Origin.LIVE, seq__lte=upto).count()
    held = HeldPoint.objects.filter(account=account, seq__lte=upto).count()
    return told - held + HeldRuling.objects.filter(account=account, seq__lte=upto, accepted=True).count()


def limits_begun(account: Account, *, after: int, upto: int) -> Iterator[LimitsBegan]:
    """Each version as it came into force."""
    begun = sorted(limits_in_force(account), key=lambda found: found[0])
    for seq, version, told_at in begun:
        if after < seq <= upto:
            yield LimitsBegan(seq=seq, at=told_at, limits=limits_parse(version.body))


def seq_before(account: Account, moment: datetime) -> int:
    """The last `seq` of the account that was recorded before `moment`; 0 for none."""
    kinds: list[type[Any]] = [
        EquityBatch, Decision, Outcome, StateChange, LimitsVersion, LimitsApproval, LimitsStep, Snapshot,
        HeldRuling, PositionReport, OrderReport, AlgorithmSwitch,
    ]  # fmt: skip
    found = (
        kind._default_manager.filter(account=account, recorded_at__lt=moment).aggregate(last=Max("seq"))["last"]
        for kind in kinds
    )
    return max((last for last in found if last is not None), default=0)


def _held(span: dict[str, Any]) -> Iterator[Step]:
    held = HeldPoint.objects.filter(**span).order_by("seq", "ordinal").values_list("seq", "recorded_at")
    ruled = HeldRuling.objects.filter(**span).order_by("seq").values_list("seq", "recorded_at").distinct()
    streams: list[Iterator[Step]] = [
        (PointHeld(seq=seq, at=at) for seq, at in held.iterator(chunk_size=CHUNK)),
        (PointsRuled(seq=seq, at=at) for seq, at in ruled),
    ]
    return merge(*streams, key=lambda step: step.seq)


def _moved(span: dict[str, Any]) -> Iterator[Step]:
    """Stops and resumes that no limit decided; with those that one did, to know whose time was over."""
    until: datetime | None = None
    rows = StateChange.objects.filter(account=span["account"], scope=Scope.ACCOUNT, seq__lte=span["seq__lte"])
    columns = ("seq", "recorded_at", "from_state", "to_state", "cause", "until")
    for seq, at, old, new, cause, until_now in rows.order_by("seq", "id").values_list(*columns).iterator(CHUNK):
        before, until = until, until_now
        if cause not in BY_NO_LIMIT or seq <= span["seq__gt"]:
            continue
        from_state, to_state = TradingState(old), TradingState(new)
        over = before is not None and before <= at and SEVERITY[to_state] <= SEVERITY[from_state]
        yield StateMoved(seq=seq, at=at, from_state=from_state, to_state=to_state, until=until_now, ended=over)


def _told_by_snapshots(span: dict[str, Any]) -> Iterator[Step]:
    """What the periodic check found, and calls of `stop_trading`."""
    rows = Snapshot.objects.filter(**span, origin=Origin.LIVE, cause__in=[*MARKED, Cause.STOP_TRADING.value])
    columns = ("seq", "recorded_at", "cause", "drawdown")
    for seq, at, cause, drawdown in rows.order_by("seq", "id").values_list(*columns).iterator(CHUNK):
        if cause == Cause.STOP_TRADING:
            yield StopCalled(seq=seq, at=at, drawdown=drawdown)
        else:
            yield Checked(seq=seq, at=at)


def _closed(span: dict[str, Any]) -> Iterator[Step]:
    rows = Outcome.objects.filter(**span, origin=Origin.LIVE, final=True).order_by("seq")
    columns = ("seq", "recorded_at", "decision_id", "pnl", "closed_at")
    for seq, at, decision_id, pnl, closed_at in rows.values_list(*columns).iterator(CHUNK):
        yield TradeClosed(seq=seq, at=at, decision_id=str(decision_id), pnl=pnl, closed_at=closed_at)


def _positions(span: dict[str, Any]) -> Iterator[Step]:
    for row in PositionReport.objects.filter(**span).order_by("seq", "id").iterator(chunk_size=CHUNK):
        yield positions_told(row)


def positions_told(row: PositionReport) -> PositionsTold:
    """A stored report as a step."""
    held = {name: Decimal(quantity) for name, quantity in row.positions.items()}
    return PositionsTold(seq=row.seq, at=row.recorded_at, as_of=row.at, positions=held)


def _reported(span: dict[str, Any]) -> Iterator[Step]:
    found = OrderReport.objects.filter(**span).order_by("seq").iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        asked = Decision.objects.filter(id__in={row.decision_id for row in chunk})
        named = dict(asked.values_list("id", "instrument"))
        for row in chunk:
            yield OrderReported(
                seq=row.seq, at=row.recorded_at, decision_id=str(row.decision_id), told=order_told(row),
                quote=fill_quote(row, named[row.decision_id]),
            )  # fmt: skip


def _lifted(span: dict[str, Any]) -> Iterator[Step]:
    """Penalties for losing trades that a person ended: those that a trade ended have its `seq`."""
    trade = Outcome.objects.filter(account_id=OuterRef("account_id"), seq=OuterRef("seq"))
    ended = Penalty.objects.filter(~Exists(trade), **span, origin=Origin.LIVE, value=0)
    rows = ended.filter(penalty_kind__in=KINDS).order_by("seq", "id")
    for seq, at, kind in rows.values_list("seq", "recorded_at", "penalty_kind").iterator(CHUNK):
        yield PenaltyLifted(seq=seq, at=at, kind=kind)


def _reviewed(span: dict[str, Any]) -> Iterator[Step]:
    rows = AlgorithmSwitch.objects.filter(**span, action=AlgorithmAction.REVIEWED).order_by("seq")
    for seq, at, key in rows.values_list("seq", "recorded_at", "key"):
        yield AlgorithmReviewed(seq=seq, at=at, key=key)


def decisions_judged(account: Account, *, after: int, upto: int) -> QuerySet[Decision]:
    """The decisions that a replay asks again."""
    return Decision.objects.filter(
        account=account, seq__gt=after, seq__lte=upto, origin=Origin.LIVE, mode=Mode.GATE
    ).exclude(verdict="")


def decisions_unjudged(account: Account, period: Period, *, after: int, upto: int) -> int:
    """How many decisions of the time were only recorded, or imported from files."""
    recorded = Decision.objects.filter(
        account=account, seq__gt=after, seq__lte=upto, origin=Origin.LIVE, mode=Mode.RECORD
    )
    imported = Decision.objects.filter(account=account, origin=Origin.IMPORTED)
    if period.since is not None:
        imported = imported.filter(at__gte=period.since)
    if period.until is not None:
        imported = imported.filter(at__lt=period.until)
    return recorded.count() + imported.count()


def _judged(span: dict[str, Any]) -> Iterator[Judged]:
    account = span["account"]
    rows = decisions_judged(account, after=span["seq__gt"], upto=span["seq__lte"])
    found = rows.select_related("client").order_by("seq", "id").iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        profits = _profits(chunk)
        for row in chunk:
            yield Judged(row, asked_of(row, account.initial_balance), profits.get(row.id))


def _profits(rows: list[Decision]) -> dict[Any, Decimal]:
    """The newest outcome of each decision, whenever it came."""
    told = Outcome.objects.filter(decision_id__in=[row.id for row in rows]).order_by("recorded_at", "id")
    return dict(told.values_list("decision_id", "pnl"))
