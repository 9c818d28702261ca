"""Stops of one client, algorithm or instrument, within an account or on the whole desk: the kill switch's fine teeth.

Each is a fact like any stop. Within an account it is changed under the account's lock, else under the desk's
exclusive one, so that no decision is being judged meanwhile.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, Client, Desk, ScopedStop, StateChange
from risk.models.state import Cause
from risk.resume_policy import resume_alert, resume_allow
from risk.rules.facts import StopScope, TradingState
from risk.rules.messages import gettext_noop
from risk.rules.scopes import algorithm_key
from risk.rules.sentences import MILDER_STATE
from risk.trading_states import StateRefused, halt_check, state_enter, stop_ended, stricter

ALGORITHM = r"[^\x00-\x1f\x7f]{1,64}"
INSTRUMENT = r"[A-Z0-9][A-Z0-9._/-]{0,31}"


@dataclass(frozen=True, slots=True)
class StopPlace:
    """What a stop singles out. `account` is its code; None: on the whole desk."""

    scope: StopScope
    key: str
    account: str | None = None


@dataclass(slots=True)
class ScopeLocked:
    """The stop's row (unsaved where nothing is stopped yet), and what was locked for it."""

    desk: Desk
    row: ScopedStop
    state: AccountState | None
    seq: int
    now: datetime


def stop_place(scope: StopScope, key: str, account: str | None = None) -> StopPlace:
    """The place as it is compared and stored; a client's account is its own. Raises `InputError`."""
    if scope is StopScope.CLIENT:
        client = Client.objects.select_related("account").filter(name=key).first()
        if client is None or account not in (None, client.account.code):
            raise InputError("client", key[:64], gettext_noop("the name of an API client"))
        return StopPlace(scope, key, client.account.code)
    folded = algorithm_key(key) if scope is StopScope.ALGORITHM else key.strip().upper()
    if not re.fullmatch(ALGORITHM if scope is StopScope.ALGORITHM else INSTRUMENT, folded):
        raise InputError(scope.value, key[:64], gettext_noop("a name of at most 64 characters, as bots send it"))
    return StopPlace(scope, folded, account)


def scope_halt(
    place: StopPlace,
    *,
    reason: str,
    actor: Actor,
    state: TradingState = TradingState.HALTED,
    until: datetime | None = None,
) -> StateChange:
    """Stops what `place` singles out. Raises `InputError` (also for a milder stop) and `AccountUnknown`."""
    reason = reason_check(reason)
    with transaction.atomic():
        locked = scope_lock(place)
        halt_check(locked.row, state, until, locked.now)
        return _enter(locked, state, reason=reason, actor=actor, alert="scope_stopped", until=until)


def scope_resume(
    place: StopPlace,
    *,
    reason: str,
    actor: Actor,
    state: TradingState = TradingState.ACTIVE,
    break_glass: bool = False,
) -> StateChange:
    """Lifts a stop that another person entered, or lets exits pass; by break-glass one's own. Raises `InputError` and
    `AccountUnknown`."""
    reason = reason_check(reason)
    with transaction.atomic():
        locked = scope_lock(place)
        if not stricter(TradingState(locked.row.state), state.value):
            raise StateRefused("state", state.value, MILDER_STATE % {"state": locked.row.state})
        review_by = resume_allow(locked.desk, locked.row, state, actor=actor, break_glass=break_glass, now=locked.now)
        return _enter(locked, state, reason=reason, actor=actor, alert="scope_resumed", review_by=review_by)


def scope_stops_end(*, actor: Actor) -> int:
    """Ends the timed stops whose time is over; returns how many."""
    due = ScopedStop.objects.select_related("account").filter(state_until__lte=database_now())
    places = [StopPlace(StopScope(row.scope), row.key, row.account.code if row.account else None) for row in due]
    return sum(_end(place, actor) for place in places)


def _end(place: StopPlace, actor: Actor) -> bool:
    with transaction.atomic():
        locked = scope_lock(place)
        change = stop_ended(locked.row, actor=actor, now=locked.now, seq=locked.seq)
        if change is not None:
            scope_save(locked, change, actor, "scope_resumed")
    return change is not None


def scope_lock(place: StopPlace) -> ScopeLocked:
    """Locks what the place's stop is changed under, until the transaction ends."""
    desk = desk_lock(exclusive=place.account is None)
    state = None if place.account is None else account_lock(place.account)
    seq, now = (0, database_now()) if state is None else seq_take(state)
    account = None if state is None else state.account
    row = ScopedStop.objects.filter(scope=place.scope.value, key=place.key, account=account).first()
    row = row or ScopedStop(scope=place.scope.value, key=place.key, account=account)
    return ScopeLocked(desk, row, state, seq, now)


def _enter(
    locked: ScopeLocked, state: TradingState, *, reason: str, actor: Actor, alert: str, until: datetime | None = None,
    review_by: datetime | None = None,
) -> StateChange:  # fmt: skip
    change = state_enter(
        locked.row, state, cause=Cause.MANUAL, reason=reason, actor=actor, now=locked.now, seq=locked.seq, until=until,
        review_by=review_by,
    )  # fmt: skip
    scope_save(locked, change, actor, alert)
    return change


def scope_save(locked: ScopeLocked, change: StateChange, actor: Actor, alert: str) -> None:
    """Writes a change of the locked stop, and tells of it."""
    if change.review_by is not None:
        resume_alert("resume_broken_glass", change, priority=5, actor=change.actor, reason=change.reason)
    row, account = locked.row, "" if locked.state is None else locked.state.account.code
    if change.to_state != TradingState.ACTIVE:
        row.save()
    elif row.pk is not None:
        row.delete()
    if locked.state is not None:
        locked.state.save(update_fields=["seq"])
    facts_record([change], actor=actor, account=account, why=change.reason)
    alert_raise(
        alert, priority=4 if change.to_state == TradingState.HALTED else 3, account=account, dedup_key=str(change.id),
        params={
            "scope": row.scope, "key": row.key, "state": change.to_state, "reason": change.reason,
            "actor": change.actor,
        },
    )  # fmt: skip
