"""Losing trades: each outcome moves the count of losses in a row and the penalties that follow from it."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, Penalty
from risk.rules.facts import PenaltyView
from risk.rules.limits import RuleMode, RuleName
from risk.rules.losses import FULL, LOSSES, penalties_due
from risk.rules.messages import number
from risk.selectors.limits import limits_of, limits_readable
from risk.selectors.overtrade import overtrade_score
from risk.written import Written


def outcome_apply(state: AccountState, *, pnl: Decimal, losses: int, seq: int, now: datetime) -> Written:
    """Folds the final outcome of a trade into the locked account (unsaved); returns the penalties to write.

    `losses` is how many trades in a row were lost, this one included; 0 where it was not (a trade at 0 is none).
    """
    state.losses = losses
    if pnl < 0:
        state.last_loss_at = now
    limits = limits_of(state)
    if limits is None or limits.rule_mode(RuleName.LOSSES) is RuleMode.OFF:
        return Written()
    score = overtrade_score(state, limits, now)
    growing = Decimal(state.penalties.get(LOSSES, {}).get("value", "0"))
    due = penalties_due(limits.losses, losses=losses, pnl=pnl, growing=growing, now=now)
    return Written(facts=[_penalised(state, _row(state, view, seq), score) for view in due])


def _row(state: AccountState, view: PenaltyView, seq: int) -> Penalty:
    return Penalty(
        account=state.account, seq=seq, at=view.since, penalty_active=view.value >= FULL, penalty_kind=view.kind,
        value=view.value, reason=view.reason, expires_at=view.until, recorded_at=view.since,
    )  # fmt: skip


def _penalised(state: AccountState, row: Penalty, score: float) -> Penalty:
    row.overtrade_risk_score = score
    penalty_fold(state, row)
    if row.penalty_active:
        alert_raise(
            "penalty_active", priority=3, account=state.account.code, dedup_key=str(row.id),
            params={"reason": row.reason, "until": row.expires_at.isoformat() if row.expires_at else "-"},
        )  # fmt: skip
    return row


def penalty_fold(state: AccountState, row: Penalty) -> None:
    """Projects a penalty for losing trades, or its end, into the account (unsaved)."""
    if row.value:
        state.penalties = state.penalties | {
            row.penalty_kind: {
                "value": number(Decimal(row.value)),
                "since": row.at.isoformat(),
                "until": None if row.expires_at is None else row.expires_at.isoformat(),
                "reason": row.reason,
            }
        }
        return
    state.penalties = {kind: told for kind, told in state.penalties.items() if kind != row.penalty_kind}
    if row.penalty_kind == LOSSES:
        state.losses, state.losses_seq = 0, row.seq


def penalty_lift(*, account: str, kind: str, reason: str, actor: Actor) -> Penalty:
    """Ends a penalty for losing trades before it expires; the losses in a row start again from 0.

    Raises `InputError` for a kind that is not active and for an empty reason, and `AccountUnknown`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk_lock()
        state = account_lock(account)
        if kind not in state.penalties:
            active = ", ".join(sorted(state.penalties)) or "none: no penalty is active"
            raise InputError("kind", kind[:40], f"one of {active}")
        seq, now = seq_take(state)
        ended = PenaltyView(kind=kind, value=Decimal(0), since=now, until=None, reason=reason)
        row = _row(state, ended, seq)
        row.overtrade_risk_score = overtrade_score(state, limits_readable(state), now)
        penalty_fold(state, row)
        state.save()
        Written(facts=[row]).record(actor=actor, account=account, why=reason)
    return row
