"""The risk controller: `stop_trading` of the specification, the periodic check, and the door to the risk services.

`stop_trading` never fails open: on any trouble it answers "stop".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from mia_site.audit.actors import Actor, command_actor, worker_actor
from mia_site.audit.journal import Leaf
from mia_site.ops.alerts import alert_raise, alert_raise_outside
from mia_site.ops.clock import database_now
from mia_site.ops.deadline import TROUBLE, deadline_watch, missed, transaction_within
from mia_site.ops.retry import DATABASE_AWAY, Deadline, retry_within, with_retries
from mia_site.ops.timings import timed
from risk.accounts import account_open, client_issue, tokens_revoke
from risk.admissions import admission_apply
from risk.desk_equity import desk_drawdown_check
from risk.desk_limits import desk_limits_decide, desk_limits_submit
from risk.equity import equity_record, positions_record
from risk.held import held_rule
from risk.inputs import InputError
from risk.limits_law import limits_decide, limits_submit
from risk.limits_steps import limits_due, limits_review, limits_withdraw
from risk.locking import account_lock, account_only, desk_lock, seq_take
from risk.losses import outcome_apply, penalty_lift
from risk.models import AccountState, Desk, Snapshot
from risk.models.state import Cause
from risk.peaks import peak_rebase
from risk.resume_reviews import resume_review, resume_reviews_due
from risk.rules.breach import drawdown_call, tightest_fraction
from risk.rules.facts import TradingState
from risk.rules.flat import flat_until
from risk.rules.limits import Limits
from risk.rules.messages import number
from risk.rules.sentences import ABOVE_LIMIT, NO_LIMIT, WITHIN_LIMIT
from risk.scoped_stops import scope_halt, scope_resume, scope_stops_end, stop_place
from risk.selectors.drawdown import deepest, drawdown_views
from risk.selectors.limits import limits_of
from risk.selectors.overtrade import overtrade_score
from risk.selectors.sessions import feeds_expected
from risk.stops import (
    breach_target,
    drawdown_alert,
    penalty_build,
    snapshot_build,
    view_evidence,
)
from risk.tracks import doubts_due, equity_judge
from risk.trading_states import (
    desk_halt,
    desk_resume,
    desk_stop_end,
    state_announce,
    state_enter,
    stop_ended,
    stricter,
    trading_halt,
    trading_resume,
)
from risk.written import Written

__all__ = [
    "account_open",
    "admission_apply",
    "client_issue",
    "desk_halt",
    "desk_limits_decide",
    "desk_limits_submit",
    "desk_resume",
    "drawdown_check",
    "equity_record",
    "held_rule",
    "limits_decide",
    "limits_review",
    "limits_submit",
    "limits_withdraw",
    "outcome_apply",
    "peak_rebase",
    "penalty_lift",
    "positions_record",
    "resume_review",
    "scope_halt",
    "scope_resume",
    "stop_judge",
    "stop_place",
    "stop_trading",
    "stop_within",
    "tokens_revoke",
    "trading_halt",
    "trading_resume",
]
log = structlog.get_logger(__name__)
SNAPSHOT_EVERY = timedelta(minutes=15)
FRACTION_STEP = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """`stop`: trading must stop. `penalty_active`: the figure is above the limit (also where the rule is in shadow)."""

    stop: bool
    penalty_active: bool
    drawdown: Decimal
    snapshot_id: UUID
    overtrade_risk_score: float
    limit: Decimal | None
    leaves: list[Leaf]


def stop_trading(drawdown: Decimal | float | str, *, account: str | None = None, actor: Actor | None = None) -> bool:
    """Whether trading must stop at `drawdown` (fraction; MIA's negative convention is normalised).

    Records a snapshot and a penalty-log row, stops the account and alerts if the drawdown is above the limit.
    Never raises: on any trouble it alerts and answers True. `account` may be left out where exactly one exists.
    """
    try:
        code = account or account_only()
        actor = actor or command_actor("stop_trading")
        return with_retries(lambda: stop_judge(drawdown, account=code, actor=actor), retry_on=DATABASE_AWAY).stop
    except Exception as error:
        log.exception("stop_trading_failed", account=account)
        _failure_alert(account or "", error, priority=3)
        return True


def stop_within(drawdown: Decimal, *, account: str, actor: Actor, deadline: Deadline) -> StopAnswer:
    """`stop_judge` for a request: no lock or statement is waited for beyond the deadline, nothing is recorded after it,
    and where that, or the database, kept it from recording, one alert says so: the answer was stop."""
    try:
        with deadline_watch("stop_trading", deadline, account=account):
            return retry_within(deadline, lambda: stop_judge(drawdown, account=account, actor=actor, deadline=deadline))
    except TROUBLE as error:
        if not missed(deadline, error):  # that has an alert of its own
            _failure_alert(account, error, priority=3)
        raise


def _failure_alert(account: str, error: Exception, *, priority: int) -> None:
    told = {"error": f"{type(error).__name__}: {error}"}
    alert_raise_outside("risk_check_failed", priority=priority, account=account, params=told)


def drawdown_fraction(drawdown: Decimal | float | str) -> Decimal:
    """`drawdown` as a positive fraction, from its text; never rounded down to a limit. Raises `InputError`."""
    try:
        value = Decimal(str(drawdown)).copy_abs()
    except InvalidOperation as error:
        raise InputError("drawdown", str(drawdown)[:40], "a fraction such as 0.06") from error
    if not value.is_finite() or value > 1000:
        raise InputError("drawdown", str(drawdown)[:40], "a fraction such as 0.06")
    return value.quantize(FRACTION_STEP, rounding=ROUND_UP)


@timed("stop_trading")
def stop_judge(
    drawdown: Decimal | float | str, *, account: str, actor: Actor, deadline: Deadline | None = None
) -> StopAnswer:
    """What `stop_trading` does, with all it found. Raises `InputError`, `AccountUnknown`, database errors, and
    `DeadlineExceeded` where there is a `deadline` and it was missed."""
    value = drawdown_fraction(drawdown)
    with transaction.atomic() if deadline is None else transaction_within(deadline):
        desk_lock()
        state = account_lock(account)
        seq, now = seq_take(state)
        limits = limits_of(state)
        called = drawdown_call(limits, value)
        score = overtrade_score(state, limits, now)
        limit = None if called.rule is None else called.rule.allowance.value
        written = _stop_write(
            state, value, limit, penalty=called.penalty, enforced=called.enforced, score=score, actor=actor, seq=seq,
            now=now,
        )  # fmt: skip
        state.save()
        leaves = written.record(actor=actor, account=account)
    return StopAnswer(called.enforced, called.penalty, value, written.facts[0].id, score, limit, leaves)


def _stop_write(
    state: AccountState,
    drawdown: Decimal,
    limit: Decimal | None,
    *,
    penalty: bool,
    enforced: bool,
    score: float,
    actor: Actor,
    seq: int,
    now: datetime,
) -> Written:
    evidence: dict[str, Any] = {
        "drawdown": number(drawdown),
        "limit": None if limit is None else number(limit),
        "overtrade_risk_score": score,
        "told_by": str(actor),
        "shadow": penalty and not enforced,
    }
    told = (NO_LIMIT if limit is None else ABOVE_LIMIT if penalty else WITHIN_LIMIT) % evidence
    snapshot = snapshot_build(
        state, drawdown=drawdown, limit=limit, penalty=penalty, cause=Cause.STOP_TRADING.value, score=score,
        evidence=evidence, seq=seq, now=now,
    )  # fmt: skip
    written = Written(facts=[snapshot, penalty_build(snapshot, reason=told)])
    state.penalty_active = state.penalty_active or enforced
    if enforced and stricter(TradingState.REDUCE_ONLY, state.state):
        written.facts.append(
            state_enter(
                state, TradingState.REDUCE_ONLY, cause=Cause.STOP_TRADING, reason=told, actor=actor, now=now, seq=seq,
                evidence=evidence,
            )
        )  # fmt: skip
    if penalty:
        drawdown_alert(state, drawdown, limit, stopped=enforced)
    return written


@timed("check_drawdown")
def drawdown_check(*, actor: Actor | None = None) -> int:
    """The safety net and heartbeat: takes limits whose time has come, judges every account as it stands, ends timed
    stops, takes the snapshots that are due, alerts where equity has gone silent. Locks only accounts that need a write.
    Returns how many were written."""
    actor = actor or worker_actor("risk.tasks.check_drawdown")
    limits_due(actor=actor)
    resume_reviews_due(actor=actor)
    written, now = 0, database_now()
    for state in AccountState.objects.select_related("account", "limits").iterator(chunk_size=1_000):
        try:
            if _due(state, now):
                written += _account_check(state.account.code, actor)
        except Exception as error:  # one account's trouble must not leave the others unwatched
            log.exception("account_check_failed", account=state.account.code)
            _failure_alert(state.account.code, error, priority=4)
    desk_stop_end(actor=actor)
    scope_stops_end(actor=actor)
    desk_drawdown_check(actor=actor)
    Desk.objects.filter(id=1).update(checks_at=database_now())
    return written


def _due(state: AccountState, now: datetime) -> bool:
    """Whether the account needs a write; alerts where its equity is silent, or it is not flat in time."""
    if state.state_until is not None and state.state_until <= now:
        return True
    limits = limits_of(state)
    if limits is None:
        return False
    _silence_alert(state, limits, now)
    _flat_alert(state, limits, now)
    if doubts_due(state, limits, now):
        return True
    views = drawdown_views(state, limits, now)
    return breach_target(state, limits, views, on_record=state.penalty_active) is not None or _snapshot_due(state, now)


def _snapshot_due(state: AccountState, now: datetime) -> bool:
    if state.equity is None or state.equity_seq <= state.snapshot_seq:
        return False
    if state.snapshot_at is None or state.worst_drawdown > state.snapshot_worst:
        return True
    return now - state.snapshot_at >= SNAPSHOT_EVERY


def _silence_alert(state: AccountState, limits: Limits, now: datetime) -> None:
    """A stale feed is news only while the account may trade and its market is open: the gate blocks it meanwhile."""
    if state.equity_received_at is None or state.state == TradingState.HALTED:
        return
    age = int((now - state.equity_received_at).total_seconds())
    if age > limits.freshness.equity_seconds and feeds_expected(now, limits, limits.freshness.equity_seconds):
        alert_raise(
            "equity_stale", priority=3, account=state.account.code,
            params={"age": age, "limit": limits.freshness.equity_seconds},
            dedup_key=state.equity_received_at.isoformat(),
        )  # fmt: skip


def _flat_alert(state: AccountState, limits: Limits, now: datetime) -> None:
    """Positions held when they must be flat; once for each time to be flat. Openings are blocked meanwhile."""
    until = flat_until(limits.flat, now, state.account.zone)
    if until is not None and state.positions:
        held = ", ".join(f"{instrument} {quantity}" for instrument, quantity in sorted(state.positions.items()))
        alert_raise(
            "positions_not_flat", priority=4, account=state.account.code,
            params={"by": limits.flat.by or "-", "positions": held}, dedup_key=until.isoformat(),
        )  # fmt: skip


def _account_check(code: str, actor: Actor) -> int:
    with transaction.atomic():
        desk_lock()
        state = account_lock(code)
        limits = limits_of(state)
        seq, now = seq_take(state)
        ended = stop_ended(state, actor=actor, now=now, seq=seq)
        written = Written(facts=[] if ended is None else [ended])
        if ended is not None and ended.cause == Cause.AUTOMATIC:
            state_announce(ended, "trading_resumed")
        if limits is not None:
            written.add(equity_judge(state, limits, actor=actor, seq=seq, now=now))
            if _snapshot_due(state, now):
                written.facts.append(_snapshot_take(state, limits, seq, now))
        if not written.facts:
            return 0
        state.save()
        written.record(actor=actor, account=code)
    return 1


def _snapshot_take(state: AccountState, limits: Limits, seq: int, now: datetime) -> Snapshot:
    views = drawdown_views(state, limits, now)
    state.drawdown = deepest(views)
    rule = tightest_fraction(limits)
    return snapshot_build(
        state, drawdown=state.drawdown, limit=None if rule is None else rule.allowance.value,
        penalty=state.penalty_active, cause="check", score=overtrade_score(state, limits, now),
        evidence={"rules": [view_evidence(view) for view in views]}, seq=seq, now=now,
    )  # fmt: skip
