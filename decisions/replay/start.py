"""Where a replay begins: what an account's facts had added up to before, taken as recorded."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from decisions.models import Outcome
from decisions.replay.around import LONGEST_BREAK
from decisions.replay.feed import BY_NO_LIMIT, Judged, orders_feed, positions_told, seq_before
from risk.history import track_begin, tracks_replay
from risk.models import (
    Account,
    Admission,
    AlgorithmSwitch,
    EquityPoint,
    HeldPoint,
    HeldRuling,
    Penalty,
    PositionReport,
    Snapshot,
    StateChange,
)
from risk.models.algorithm import AlgorithmAction
from risk.models.columns import Origin
from risk.models.state import Cause, Scope
from risk.rules.ask import Effect, Side
from risk.rules.facts import SEVERITY, AlgorithmView, OpeningView, PenaltyView, TradingState
from risk.rules.limits import SessionHours
from risk.rules.losses import KINDS, LOSSES, losses_in_a_row
from risk.rules.pace import HOUR
from risk.rules.replay_losses import OUTCOMES_KEPT
from risk.rules.replay_orders import order_recall
from risk.rules.replay_standing import Change, Ground, Standing
from risk.selectors.sessions import session_next

REMEMBERED = timedelta(days=32)
"""No order counts as under way for longer, and no price: limits allow 31 days at most."""


def ground_of(account: Account) -> Ground:
    """What no limits change."""
    return Ground(
        initial=account.initial_balance,
        zone=account.zone,
        begin=lambda rule, point, seq: track_begin(account, rule, point, seq=seq),
        replayed=lambda rules, confirmation, seq: tracks_replay(account, rules, confirmation, before=seq),
        session_next=_session_next,
    )


def _session_next(hours: SessionHours, now: datetime) -> datetime | None:
    """As live; of a time whose sessions nobody knows any more, None."""
    opens_at = session_next(hours, now)
    return None if opens_at is None or opens_at > now + LONGEST_BREAK else opens_at


def standing_at(account: Account, *, seq: int, at: datetime | None) -> Standing:
    """The account after the facts up to `seq`, without its tracks; `at` is the moment of the next step."""
    standing = Standing()
    _states(standing, account, seq)
    _equity(standing, account, seq)
    _penalties(standing, account, seq)
    _outcomes(standing, account, seq)
    _openings(standing, account, seq, at)
    _algorithms(standing, account, seq)
    _orders(standing, account, seq, at)
    return standing


def _states(standing: Standing, account: Account, seq: int) -> None:
    rows = StateChange.objects.filter(account=account, scope=Scope.ACCOUNT, seq__lte=seq).order_by("seq", "id")
    for row in rows.iterator(chunk_size=1_000):
        to = TradingState(row.to_state)
        by_limit = row.cause not in BY_NO_LIMIT
        if by_limit and SEVERITY[to] > SEVERITY[TradingState(row.from_state)]:
            standing.stopped_at = row.recorded_at
        if row.until is None:
            standing.changes.clear()
        standing.changes.append(
            Change(
                seq=row.seq, at=row.recorded_at, state=to, until=row.until, by_limit=by_limit,
                rule=row.evidence.get("rule", ""),
            )
        )  # fmt: skip
        standing.state, standing.since, standing.until = to, row.recorded_at, row.until


def _equity(standing: Standing, account: Account, seq: int) -> None:
    """The last point that counts, and how many wait for a ruling."""
    held = HeldPoint.objects.filter(account=account, seq__lte=seq)
    ruled = HeldRuling.objects.filter(account=account, seq__lte=seq)
    believed = EquityPoint.objects.filter(account=account, origin=Origin.LIVE, late=False, seq__lte=seq)
    told = believed.exclude(id__in=held.values("point_id")).order_by("-seq", "-ordinal").first()
    accepted = ruled.filter(accepted=True).select_related("held").order_by("-seq", "-held__seq", "-held__ordinal")
    ruling = accepted.first()
    last = told if ruling is None or (told is not None and told.seq > ruling.seq) else ruling.held
    if last is not None:
        standing.equity, standing.equity_at = last.equity, last.at
    waiting = held.exclude(id__in=ruled.values("held_id")).order_by("seq", "ordinal")
    standing.held = waiting.count()
    standing.held_since = waiting.values_list("recorded_at", flat=True).first()


def _penalties(standing: Standing, account: Account, seq: int) -> None:
    live = {"account": account, "seq__lte": seq, "origin": Origin.LIVE}
    calls = Snapshot.objects.filter(**live, cause=Cause.STOP_TRADING.value).values_list("id", "evidence")
    shadowed = {key for key, evidence in calls.iterator(chunk_size=1_000) if evidence.get("shadow")}
    for row in Penalty.objects.filter(**live).order_by("seq", "id").iterator(chunk_size=1_000):
        if row.penalty_kind in KINDS:
            _penalty(standing, row)
        elif row.penalty_kind == "lifted":
            standing.penalty = False
        elif row.penalty_active and row.snapshot_id not in shadowed:
            standing.penalty = True


def _penalty(standing: Standing, row: Penalty) -> None:
    if row.value:
        standing.penalties[row.penalty_kind] = PenaltyView(
            kind=row.penalty_kind, value=row.value, since=row.at, until=row.expires_at, reason=row.reason
        )
        return
    standing.penalties.pop(row.penalty_kind, None)
    if row.penalty_kind == LOSSES:
        standing.losses_seq = row.seq


def _outcomes(standing: Standing, account: Account, seq: int) -> None:
    rows = Outcome.objects.filter(account=account, origin=Origin.LIVE, final=True, seq__lte=seq).order_by("-seq")
    newest = list(rows.values_list("seq", "decision_id", "pnl", "recorded_at")[:OUTCOMES_KEPT])
    known: dict[str, tuple[int, Decimal]] = {}
    for told_seq, decision_id, pnl, _ in newest:
        known.setdefault(str(decision_id), (told_seq, pnl))
    standing.losses = losses_in_a_row(known.values(), standing.losses_seq)
    standing.outcomes = dict(reversed(known.items()))
    standing.last_loss_at = rows.filter(pnl__lt=0).values_list("recorded_at", flat=True).first()


def _openings(standing: Standing, account: Account, seq: int, at: datetime | None) -> None:
    rows = Admission.objects.filter(account=account, effect=Effect.OPENS.value, seq__lte=seq).order_by("seq")
    last = rows.last()
    standing.last_opening_at = None if last is None else last.at
    if at is None:
        return
    lately = list(rows.filter(at__gt=at - HOUR))
    for row in lately:
        standing.algorithm_hours.setdefault(row.algorithm, []).append(row.at)
    standing.openings = [
        OpeningView(
            id=str(row.id), at=row.at, instrument=row.instrument, side=Side(row.side) if row.side else None,
            quantity=row.quantity,
        )
        for row in lately
    ]  # fmt: skip


def _algorithms(standing: Standing, account: Account, seq: int) -> None:
    """What each algorithm had opened since its last review, and which were disabled."""
    opened = Admission.objects.filter(account=account, effect=Effect.OPENS.value, seq__lte=seq)
    for switch in AlgorithmSwitch.objects.filter(account=account, seq__lte=seq).order_by("seq"):
        known = standing.algorithms.get(switch.key) or AlgorithmView(key=switch.key)
        if switch.action == AlgorithmAction.REVIEWED:
            known = AlgorithmView(key=switch.key, reviewed_at=switch.recorded_at)
        else:
            known = replace(known, disabled_at=switch.recorded_at, limit=switch.limit, executions=switch.executions)
        standing.algorithms[switch.key] = known
    said = AlgorithmSwitch.objects.filter(account=account, key=OuterRef("algorithm"), seq__lte=seq).order_by("-seq")
    since = Coalesce(Subquery(said.values("seq")[:1]), 0)
    counted = opened.exclude(algorithm="").filter(seq__gt=since).order_by().values_list("algorithm")
    for key, executions in counted.annotate(count=Count("id")):
        known = standing.algorithms.get(key) or AlgorithmView(key=key)
        if known.disabled_at is None:
            standing.algorithms[key] = replace(known, executions=executions)


def _orders(standing: Standing, account: Account, seq: int, at: datetime | None) -> None:
    """Orders under way, positions and prices: what may still count of what was recorded, folded again."""
    if at is None:
        return
    after = min(seq, seq_before(account, at - REMEMBERED))
    known = PositionReport.objects.filter(account=account, seq__lte=after).order_by("at", "seq", "id").last()
    if known is not None:
        order_recall(standing, positions_told(known))
    for step in orders_feed(account, after=after, upto=seq):
        order_recall(standing, step.asked if isinstance(step, Judged) else step)
