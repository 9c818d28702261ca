"""Reviews of resumes by break-glass: another person keeps or revokes one; without one in time the stop is back."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise_outside
from mia_site.ops.clock import database_now
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, Desk, StateChange, StateReview
from risk.models.limits import Step
from risk.models.state import Cause, Scope
from risk.resume_policy import Stoppable, place_key, resume_alert
from risk.rules.facts import StopScope, TradingState
from risk.rules.sentences import NOTHING_TO_REVIEW, RESUME_NOT_REVIEWED, RESUME_REVOKED, REVIEWER_NEEDED
from risk.scoped_stops import ScopeLocked, StopPlace, scope_lock, scope_save
from risk.trading_states import DESK_FIELDS, state_announce, state_enter, stricter

log = structlog.get_logger(__name__)
ALERTS = {Step.KEPT: ("resume_kept", 2), Step.REVOKED: ("resume_revoked", 3), Step.LAPSED: ("resume_lapsed", 5)}


@dataclass(frozen=True, slots=True)
class _Locked:
    """What was resumed, locked."""

    row: Stoppable
    seq: int
    now: datetime
    account: str = ""
    scoped: ScopeLocked | None = None


def resume_review(change: StateChange, *, keep: bool, actor: Actor, reason: str) -> StateReview:
    """Another person keeps a resume by break-glass, or revokes it: then the stop is back. Who resumed may only revoke.

    Raises `InputError`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        locked = _lock(change)
        change = _fresh(change)
        if change.review_by is None or hasattr(change, "review"):
            raise InputError("change", str(change.id), NOTHING_TO_REVIEW)
        if keep and change.actor == str(actor):
            raise InputError("reviewer", str(actor), REVIEWER_NEEDED)
        step = Step.KEPT if keep else Step.REVOKED
        return _reviewed(locked, change, step, actor=actor, reason=reason, back=RESUME_REVOKED % {"reason": reason})


def resume_reviews_due(*, actor: Actor) -> int:
    """Puts the stops back whose resume by break-glass nobody reviewed in time; returns how many reviews lapsed. One's
    trouble leaves the others alone, and is tried again."""
    due = StateChange.objects.filter(review_by__lte=database_now(), review=None).select_related("account")
    done = 0
    for change in due.order_by("recorded_at", "id"):
        try:
            done += _lapse(change, actor)
        except Exception as error:
            log.exception("resume_review_failed", change=str(change.id))
            told: dict[str, str | int] = {
                "scope": change.scope, "key": place_key(change), "error": f"{type(error).__name__}: {error}"[:500],
            }  # fmt: skip
            account = change.account.code if change.account else ""
            alert_raise_outside(
                "resume_review_failed", priority=4, account=account, params=told, dedup_key=str(change.id)
            )
    return done


def _lapse(change: StateChange, actor: Actor) -> bool:
    with transaction.atomic():
        locked = _lock(change)
        change = _fresh(change)
        if hasattr(change, "review") or change.review_by is None:
            return False  # reviewed while the lock was waited for
        told = RESUME_NOT_REVIEWED % {"until": change.review_by.isoformat()}
        _reviewed(locked, change, Step.LAPSED, actor=actor, reason=told, back=told)
    return True


def _reviewed(locked: _Locked, change: StateChange, step: Step, *, actor: Actor, reason: str, back: str) -> StateReview:
    review = StateReview(
        change=change, account=change.account, seq=locked.seq, step=step.value, actor=str(actor), reason=reason[:2000],
        recorded_at=locked.now,
    )  # fmt: skip
    facts_record([review], actor=actor, account=locked.account, why=reason)
    if isinstance(locked.row, AccountState):
        locked.row.save(update_fields=["seq"])
    if step is not Step.KEPT:
        _stop_back(locked, change, actor=actor, reason=back)
    code, priority = ALERTS[step]
    resume_alert(code, change, priority=priority, actor=str(actor), reason=reason)
    return review


def _stop_back(locked: _Locked, change: StateChange, *, actor: Actor, reason: str) -> None:
    """The stop that was lifted holds again, unless a stricter one does, or another person has resumed since."""
    to = TradingState(change.from_state)
    if not stricter(to, locked.row.state) or _resumed_since(change):
        return
    fact = state_enter(
        locked.row, to, cause=Cause.MANUAL, reason=reason, actor=actor, now=locked.now, seq=locked.seq,
        evidence={"review_of": str(change.id), "by": change.actor},
    )  # fmt: skip
    if locked.scoped is not None:
        scope_save(locked.scoped, fact, actor, "scope_stopped")
        return
    locked.row.save(update_fields=DESK_FIELDS)
    facts_record([fact], actor=actor, account=locked.account, why=reason)
    state_announce(fact, "trading_stopped" if locked.account else "desk_stopped")


def _resumed_since(change: StateChange) -> bool:
    later = StateChange.objects.filter(
        scope=change.scope, key=change.key, account=change.account, recorded_at__gte=change.recorded_at,
        cause=Cause.MANUAL, review_by=None, actor__startswith="user:",
    )  # fmt: skip
    others = later.exclude(id=change.id).exclude(actor=change.actor)
    return any(stricter(TradingState(other.from_state), other.to_state) for other in others)


def _fresh(change: StateChange) -> StateChange:
    return StateChange.objects.select_related("account", "review").get(id=change.id)


def _lock(change: StateChange) -> _Locked:
    account = change.account.code if change.account else ""
    if change.scope in {scope.value for scope in StopScope}:
        scoped = scope_lock(StopPlace(StopScope(change.scope), change.key or "", account or None))
        return _Locked(scoped.row, scoped.seq, scoped.now, account, scoped)
    desk: Desk = desk_lock(exclusive=change.scope == Scope.DESK)
    if change.scope == Scope.DESK:
        return _Locked(desk, 0, database_now())
    row = account_lock(account)
    seq, now = seq_take(row)
    return _Locked(row, seq, now, account)
