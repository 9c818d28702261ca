"""Who may resume: not the person who halted by hand, unless the desk's policy allows break-glass."""

from datetime import datetime
from typing import Any

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.inputs import InputError
from risk.loosenings import way_check
from risk.models import AccountState, Desk, ScopedStop, StateChange
from risk.models.state import Cause, Scope
from risk.rules.facts import SEVERITY, TradingState
from risk.rules.loosening import Way
from risk.rules.sentences import ANOTHER_RESUMES

Stoppable = AccountState | Desk | ScopedStop
"""A row that holds a trading state."""


def place_columns(row: Stoppable) -> dict[str, Any]:
    """What a change of the row's state is said of."""
    if isinstance(row, ScopedStop):
        return {"scope": row.scope, "key": row.key, "account": row.account}
    if isinstance(row, AccountState):
        return {"scope": Scope.ACCOUNT, "account": row.account}
    return {"scope": Scope.DESK, "account": None}


def resume_allow(
    desk: Desk, row: Stoppable, to: TradingState, *, actor: Actor, break_glass: bool, now: datetime
) -> datetime | None:
    """Until when another person must review that `actor` resumes the locked row; None: it needs no review.

    Raises `InputError` where `actor` halted it by hand, and breaks no glass or may not.
    """
    if not halted_by(row, to, actor):
        return None
    if not break_glass:
        raise InputError("actor", str(actor), ANOTHER_RESUMES)
    return way_check(desk, Way.BREAK_GLASS, actor).review_by(now)


def halted_by(row: Stoppable, to: TradingState, actor: Actor) -> bool:
    """Whether a stop that a resume to `to` would lift was entered by `actor`, or came back after their break-glass.

    Stops since trading was last active count, as far as none of the resumes since has lifted them.
    """
    changes = StateChange.objects.filter(**place_columns(row)).order_by("-recorded_at", "-id")
    held = max(SEVERITY.values())
    for change in changes.iterator(chunk_size=20):
        entered, left = SEVERITY[TradingState(change.to_state)], SEVERITY[TradingState(change.from_state)]
        if change.to_state == TradingState.ACTIVE:
            return False
        if entered < left:
            held = min(held, entered)
        elif change.cause == Cause.MANUAL and SEVERITY[to] < entered <= held and _by(change) == str(actor):
            return True
    return False


def _by(change: StateChange) -> str:
    """Who entered the stop; of one that came back, who had lifted it by break-glass."""
    return str(change.evidence.get("by", change.actor))


def resume_alert(code: str, change: StateChange, *, priority: int, actor: str, reason: str) -> None:
    """An alert about a resume by break-glass, once for each thing that becomes of it."""
    alert_raise(
        code, priority=priority, account=change.account.code if change.account else "", dedup_key=str(change.id),
        params={
            "scope": change.scope, "key": place_key(change), "actor": actor, "reason": reason,
            "until": change.review_by.isoformat() if change.review_by else "-",
        },
    )  # fmt: skip


def place_key(change: StateChange) -> str:
    """What a change is said of, besides its scope."""
    return change.key or (change.account.code if change.account else "")
