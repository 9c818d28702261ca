"""Losing trades: each outcome moves the count of losses in a row and the penalties that follow from it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, Penalty
from risk.rules.limits import LossLimits, RuleMode, RuleName
from risk.rules.losses import FULL, penalty_weight
from risk.rules.sentences import LOSSES_ENDED, LOSSES_IN_A_ROW, TRADE_LOST
from risk.selectors.limits import limits_of
from risk.selectors.overtrade import overtrade_score
from risk.stops import figure
from risk.written import Written

LOSSES, TRADE_LOSS = "losses", "trade_loss"
KINDS = (LOSSES, TRADE_LOSS)


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
    found = [_penalised(state, row, score) for row in _penalties(state, limits.losses, pnl, seq, now)]
    return Written(facts=list(found))


def _penalties(state: AccountState, limits: LossLimits, pnl: Decimal, seq: int, now: datetime) -> Iterator[Penalty]:
    until = now + timedelta(minutes=limits.penalty_minutes)
    if limits.max_consecutive is not None and pnl < 0:
        weight = penalty_weight(state.losses, limits.max_consecutive)
        told = LOSSES_IN_A_ROW % {"losses": state.losses, "limit": limits.max_consecutive}
        yield _row(state, LOSSES, weight, told, until, seq, now)
    elif state.losses == 0 and _growing(state):
        yield _row(state, LOSSES, Decimal(0), LOSSES_ENDED, None, seq, now)
    if limits.max_per_trade is not None and -pnl > limits.max_per_trade:
        told = TRADE_LOST % {"lost": figure(-pnl), "limit": figure(limits.max_per_trade)}
        yield _row(state, TRADE_LOSS, FULL, told, until, seq, now)


def _growing(state: AccountState) -> bool:
    """Whether losses in a row weigh something without blocking yet: only that does a better trade end."""
    return 0 < Decimal(state.penalties.get(LOSSES, {}).get("value", "0")) < FULL


def _row(
    state: AccountState, kind: str, weight: Decimal, reason: str, until: datetime | None, seq: int, now: datetime
) -> Penalty:
    return Penalty(
        account=state.account, seq=seq, at=now, penalty_active=weight >= FULL, penalty_kind=kind, value=weight,
        reason=reason, expires_at=until if weight >= FULL else None, recorded_at=now,
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
                "value": figure(Decimal(row.value)),
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
        row = _row(state, kind, Decimal(0), reason, None, seq, now)
        row.overtrade_risk_score = overtrade_score(state, limits_of(state), now)
        penalty_fold(state, row)
        state.save()
        Written(facts=[row]).record(actor=actor, account=account, why=reason)
    return row
