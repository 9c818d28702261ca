"""Trading states: every change is a fact (who, why, on what evidence, until when). No peak is forgotten by a resume."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, Desk, Penalty, StateChange
from risk.models.state import Cause
from risk.resume_policy import Stoppable, place_columns, resume_alert, resume_allow
from risk.rules.drawdown import breached
from risk.rules.facts import SEVERITY, DrawdownView, TradingState
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.messages import number
from risk.rules.resume import may_resume
from risk.rules.sentences import (
    BELOW_FLOOR,
    DESK_BELOW_FLOOR,
    LIMITS_UNREAD,
    MILDER_STATE,
    RESUMED_ITSELF,
    STOP_BEFORE,
    STOP_BROKEN,
    STOP_ENDED,
    STRICTER_STOP,
)
from risk.selectors.desk import desk_limits_of, desk_limits_readable, desk_views
from risk.selectors.drawdown import drawdown_views
from risk.selectors.limits import LimitsUnreadable, limits_of
from risk.written import Written

DESK_FIELDS = ["state", "state_since", "state_reason", "state_until", "state_change_id"]
"""What a stop writes: the desk's row also holds what calendar and checks write under locks of their own."""
STOPS = (TradingState.REDUCE_ONLY, TradingState.HALTED)


class StateRefused(InputError):
    """The change asked for is not one that may be made now; the message says what would be."""


def stricter(new: TradingState, old: str) -> bool:
    """Whether `new` lets less through than `old`."""
    return SEVERITY[new] > SEVERITY[TradingState(old)]


def state_enter(
    row: Stoppable,
    to: TradingState,
    *,
    cause: Cause,
    reason: str,
    actor: Actor,
    now: datetime,
    seq: int = 0,
    evidence: dict[str, Any] | None = None,
    until: datetime | None = None,
    review_by: datetime | None = None,
) -> StateChange:
    """Moves the locked row (unsaved) to `to` and returns the fact that says so (unsaved)."""
    change = StateChange(
        **place_columns(row), seq=seq, from_state=row.state, to_state=to.value, cause=cause, reason=reason[:2000],
        evidence=evidence or {}, until=until, review_by=review_by, actor=str(actor), recorded_at=now,
    )  # fmt: skip
    state_take(row, change)
    return change


def state_take(row: Stoppable, change: StateChange) -> None:
    """Projects a change of state into its row (unsaved)."""
    stops = stricter(TradingState(change.to_state), change.from_state)
    if isinstance(row, AccountState) and change.cause != Cause.MANUAL and stops:
        row.stopped_at = change.recorded_at
    row.state, row.state_since, row.state_reason = change.to_state, change.recorded_at, change.reason
    row.state_until, row.state_change_id = change.until, change.id


def stop_ended(row: Stoppable, *, actor: Actor, now: datetime, seq: int = 0) -> StateChange | None:
    """Ends the timed stop of the locked row (unsaved) if its time is over: what held beneath it holds again. None: it
    is not over.

    To put a time on a stop, or a short stop over a long one, is therefore no way around the right to resume; nor
    does an account in breach trade again because a stop by hand has ended.
    """
    if row.state_until is None or row.state_until > now:
        return None
    own = own_stop(row)
    if own is not None:
        return _own_stop_ended(row, own, actor=actor, now=now, seq=seq)
    to, until, sentence, before = _beneath(row, now)
    told = {"until": row.state_until.isoformat(), "reason": row.state_reason, "before": before}
    return state_enter(
        row, to, cause=Cause.MANUAL, actor=actor, now=now, seq=seq, until=until, reason=sentence % told
    )  # fmt: skip


def own_stop(row: Stoppable) -> StateChange | None:
    """The drawdown limit's own stop that is in force; None where another stop is, or none."""
    if row.state_change_id is None:
        return None
    return StateChange.objects.filter(id=row.state_change_id, cause=Cause.DRAWDOWN).first()


def _own_stop_ended(row: Stoppable, own: StateChange, *, actor: Actor, now: datetime, seq: int) -> StateChange | None:
    """The limit's own stop ends as the limits say, and only above the floors; else it goes on. The peaks stay."""
    limits, views = _measured(row, now)
    rule = own.evidence.get("rule", "")
    doubt = isinstance(row, AccountState | Desk) and any(values.get("doubt") for values in row.marks.values())
    if limits is None or not may_resume(limits.drawdown, rule, views, doubt=doubt):
        return None
    to, until, _sentence, _before = _beneath(row, now, healed=True)
    told = {"rule": rule, "until": own.until.isoformat() if own.until else "-"}
    return state_enter(
        row, to, cause=Cause.AUTOMATIC, actor=actor, now=now, seq=seq, until=until, reason=RESUMED_ITSELF % told,
        evidence={"rule": rule, "stop": str(own.id)},
    )  # fmt: skip


def _measured(row: Stoppable, now: datetime) -> tuple[Limits | None, Sequence[DrawdownView]]:
    """The row's drawdown rules in force and what they measure."""
    if isinstance(row, AccountState):
        limits = limits_of(row)
        return limits, () if limits is None else drawdown_views(row, limits, now)
    desk = desk_limits_readable(row) if isinstance(row, Desk) else None
    if desk is None or not isinstance(row, Desk):
        return None, ()
    return desk.limits, desk_views(row, desk, now)


def _beneath(row: Stoppable, now: datetime, *, healed: bool = False) -> tuple[TradingState, datetime | None, str, str]:
    """The state that holds beneath the stop, until when, how that is said, and the reason that it had. `healed`: the
    account is known to be above its floors."""
    changes = StateChange.objects.filter(Q(until=None) | Q(until__gt=now), **place_columns(row))
    last = changes.order_by("-recorded_at", "-id").first()
    if last is not None and last.to_state != TradingState.ACTIVE:
        return TradingState(last.to_state), last.until, STOP_BEFORE, last.reason
    if isinstance(row, AccountState) and row.penalty_active and _enforced(row) and not healed:
        return TradingState.REDUCE_ONLY, None, STOP_BROKEN, ""
    return TradingState.ACTIVE, None, STOP_ENDED, ""


def _enforced(row: AccountState) -> bool:
    limits = limits_of(row)
    return limits is None or limits.rule_mode(RuleName.DRAWDOWN) is RuleMode.ENFORCE


def halt_check(row: Stoppable, state: TradingState, until: datetime | None, now: datetime) -> None:
    """Raises `InputError` for a stop that is none, that is over, or that is milder than the present one."""
    if state not in STOPS:
        raise InputError("state", state.value, "REDUCE_ONLY or HALTED")
    if until is not None and until <= now:
        raise InputError("until", until.isoformat(), "a time in the future")
    if not stricter(state, row.state) and row.state != state.value:
        raise StateRefused("state", state.value, STRICTER_STOP % {"state": row.state})


def state_announce(change: StateChange, code: str) -> None:
    """Tells of a change of an account's or the desk's state; of a resume by break-glass loudly."""
    if change.review_by is not None:
        resume_alert("resume_broken_glass", change, priority=5, actor=change.actor, reason=change.reason)
    alert_raise(
        code, priority=4 if change.to_state == TradingState.HALTED else 3, dedup_key=str(change.id),
        account=change.account.code if change.account else "",
        params={"state": change.to_state, "reason": change.reason, "actor": change.actor},
    )  # fmt: skip


def trading_halt(
    *,
    account: str,
    reason: str,
    actor: Actor,
    state: TradingState = TradingState.HALTED,
    until: datetime | None = None,
) -> StateChange:
    """The kill switch of one account. REDUCE_ONLY lets exits pass, HALTED nothing.

    Raises `InputError` (also for a stop milder than the present one) and `AccountUnknown`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk_lock()
        row = account_lock(account)
        seq, now = seq_take(row)
        halt_check(row, state, until, now)
        change = state_enter(row, state, cause=Cause.MANUAL, reason=reason, actor=actor, now=now, seq=seq, until=until)
        row.save()
        facts_record([change], actor=actor, why=reason, account=account)
        state_announce(change, "trading_stopped")
    return change


def trading_resume(
    *, account: str, reason: str, actor: Actor, state: TradingState = TradingState.ACTIVE, break_glass: bool = False
) -> StateChange:
    """Lifts a stop that another person entered, or by break-glass one's own. To ACTIVE only while no enforced drawdown
    rule is in breach, since the next equity point would stop the account again at once; to REDUCE_ONLY (so that exits
    pass) at any time. The peaks stay.

    Raises `InputError` and `AccountUnknown`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock()
        row = account_lock(account)
        seq, now = seq_take(row)
        if not stricter(TradingState(row.state), state.value):
            raise StateRefused("state", state.value, MILDER_STATE % {"state": row.state})
        if state is TradingState.ACTIVE:
            _breach_check(row, now)
        review_by = resume_allow(desk, row, state, actor=actor, break_glass=break_glass, now=now)
        change = state_enter(
            row, state, cause=Cause.MANUAL, reason=reason, actor=actor, now=now, seq=seq, review_by=review_by
        )  # fmt: skip
        written = Written(facts=[change])
        if row.penalty_active and state is TradingState.ACTIVE:
            written.facts.append(penalty_lifted(row, reason, seq, now))
            row.penalty_active = False
        row.save()
        written.record(actor=actor, account=account, why=reason)
        state_announce(change, "trading_resumed")
    return change


def _breach_check(row: AccountState, now: datetime) -> None:
    try:
        limits = limits_of(row)
    except LimitsUnreadable as error:
        raise StateRefused("state", TradingState.ACTIVE.value, LIMITS_UNREAD) from error
    if limits is not None:
        _above_floors(limits, drawdown_views(row, limits, now), BELOW_FLOOR)


def _above_floors(limits: Limits, views: Sequence[DrawdownView], refusal: str) -> None:
    if limits.rule_mode(RuleName.DRAWDOWN) is not RuleMode.ENFORCE:
        return
    for view in views:
        if breached(view):
            figures = {"floor": number(view.floor), "equity": number(view.equity), "rule": view.rule.name}
            raise StateRefused("state", TradingState.ACTIVE.value, refusal % figures)


def penalty_lifted(row: AccountState, reason: str, seq: int, now: datetime) -> Penalty:
    """The penalty-log row (unsaved) that ends the penalty of a breach."""
    last = Penalty.objects.filter(account=row.account, origin="live").order_by("-at", "-id").first()
    return Penalty(
        account=row.account, seq=seq, at=now, penalty_active=False, penalty_kind="lifted", value=0, reason=reason,
        overtrade_risk_score=last.overtrade_risk_score if last else 0.5, recorded_at=now,
    )  # fmt: skip


def desk_halt(
    *, reason: str, actor: Actor, state: TradingState = TradingState.HALTED, until: datetime | None = None
) -> StateChange:
    """The kill switch of all accounts; waits for decisions being judged, and wins over all that come after."""
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock(exclusive=True)
        now = database_now()
        halt_check(desk, state, until, now)
        return _desk_enter(desk, state, reason, actor, now, "desk_stopped", until=until)


def desk_resume(
    *, reason: str, actor: Actor, state: TradingState = TradingState.ACTIVE, break_glass: bool = False
) -> StateChange:
    """Lifts a stop of the whole desk, by the same law; accounts stopped by themselves stay stopped."""
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock(exclusive=True)
        if not stricter(TradingState(desk.state), state.value):
            raise StateRefused("state", state.value, MILDER_STATE % {"state": desk.state})
        limits = desk_limits_of(desk)
        if state is TradingState.ACTIVE and limits is not None:
            _above_floors(limits.limits, desk_views(desk, limits, database_now()), DESK_BELOW_FLOOR)
        now = database_now()
        review_by = resume_allow(desk, desk, state, actor=actor, break_glass=break_glass, now=now)
        return _desk_enter(desk, state, reason, actor, now, "desk_resumed", review_by=review_by)


def desk_stop_end(*, actor: Actor) -> StateChange | None:
    """Ends a timed stop of the whole desk once its time is over; None where there is nothing to end."""
    if not Desk.objects.filter(id=1, state_until__lte=database_now()).exists():
        return None  # asked without the lock, for which every decision would have to wait
    with transaction.atomic():
        desk = desk_lock(exclusive=True)
        change = stop_ended(desk, actor=actor, now=database_now())
        if change is not None:
            desk.save(update_fields=DESK_FIELDS)
            facts_record([change], actor=actor, why=change.reason)
            state_announce(change, "desk_resumed")
    return change


def _desk_enter(
    desk: Desk,
    state: TradingState,
    reason: str,
    actor: Actor,
    now: datetime,
    alert: str,
    **more: Any,
) -> StateChange:
    change = state_enter(desk, state, cause=Cause.MANUAL, reason=reason, actor=actor, now=now, **more)
    desk.save(update_fields=DESK_FIELDS)
    facts_record([change], actor=actor, why=reason)
    state_announce(change, alert)
    return change
