"""Repeated execution (RTS 6, article 15(3)): an algorithm is disabled after so many openings, a person reviews it."""

from datetime import datetime

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, AlgorithmSwitch
from risk.models.algorithm import AlgorithmAction
from risk.rules.algorithms import disables
from risk.rules.facts import AlgorithmView
from risk.rules.limits import Limits
from risk.rules.messages import gettext_noop
from risk.rules.scopes import algorithm_key
from risk.rules.sentences import UNREVIEWED
from risk.selectors.algorithms import openings_since, switch_newest
from risk.written import Written


def algorithm_settle(
    state: AccountState, limits: Limits | None, view: AlgorithmView | None, *, actor: Actor, seq: int, now: datetime
) -> AlgorithmSwitch | None:
    """Disables the algorithm (fact unsaved) once it has opened as often as it may; None where it goes on."""
    if limits is None or view is None or not disables(view, limits):
        return None
    told = {"executions": view.executions, "limit": limits.algorithms.max_unreviewed or 0}
    switch = AlgorithmSwitch(
        account=state.account, seq=seq, key=view.key, action=AlgorithmAction.DISABLED, executions=view.executions,
        limit=limits.algorithms.max_unreviewed, reason=UNREVIEWED % told, actor=str(actor), recorded_at=now,
    )  # fmt: skip
    alert_raise(
        "algorithm_disabled", priority=4, account=state.account.code, dedup_key=str(switch.id),
        params={"algorithm": view.key, **told},
    )  # fmt: skip
    return switch


def algorithm_review(*, account: str, algorithm: str, reason: str, actor: Actor) -> AlgorithmSwitch:
    """A person has looked at what the algorithm did: its openings count anew, and it is enabled if it was not.

    Raises `InputError` for one that opened nothing since its last review, and `AccountUnknown`.
    """
    reason, key = reason_check(reason), algorithm_key(algorithm)
    with transaction.atomic():
        desk_lock()
        state = account_lock(account)
        newest = switch_newest(state.account, key)
        disabled = newest is not None and newest.action == AlgorithmAction.DISABLED
        executions = newest.executions if newest and disabled else openings_since(state.account, key, newest).count()
        if not key or not executions:
            raise InputError(
                "algorithm", algorithm[:64], gettext_noop("an algorithm that opened here since its last review")
            )
        seq, now = seq_take(state)
        switch = AlgorithmSwitch(
            account=state.account, seq=seq, key=key, action=AlgorithmAction.REVIEWED, executions=executions,
            reason=reason, actor=str(actor), recorded_at=now,
        )  # fmt: skip
        state.save(update_fields=["seq"])
        Written(facts=[switch]).record(actor=actor, account=account, why=reason)
        alert_raise(
            "algorithm_reviewed", priority=3, account=account, dedup_key=str(switch.id),
            params={"algorithm": key, "executions": executions, "actor": str(actor), "reason": reason},
        )  # fmt: skip
    return switch
