"""Losses in a row and their penalties in a replayed world: of the trades that would have been made."""

from decimal import Decimal

from risk.rules.facts import PenaltyView
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.losses import LOSSES, losses_in_a_row, penalties_due
from risk.rules.replay_standing import Standing
from risk.rules.replay_steps import PenaltyLifted, TradeClosed

OUTCOMES_KEPT = 1_000
"""Far more than the losses in a row that any limit asks for."""


def trade_closed(standing: Standing, limits: Limits | None, step: TradeClosed) -> None:
    """Counts the trade anew, as its newest outcome says, and gives the penalties that are due."""
    if step.decision_id in standing.unmade:
        return
    standing.outcomes.pop(step.decision_id, None)
    standing.outcomes[step.decision_id] = step.seq, step.pnl
    if len(standing.outcomes) > OUTCOMES_KEPT:
        standing.outcomes.pop(next(iter(standing.outcomes)))
    standing.losses = losses_in_a_row(reversed(standing.outcomes.values()), standing.losses_seq)
    if step.pnl < 0:
        standing.last_loss_at = step.at
    if limits is None or limits.rule_mode(RuleName.LOSSES) is RuleMode.OFF:
        return
    growing = standing.penalties[LOSSES].value if LOSSES in standing.penalties else Decimal(0)
    for due in penalties_due(limits.losses, losses=standing.losses, pnl=step.pnl, growing=growing, now=step.at):
        _penalise(standing, due, step.seq)


def penalty_lifted(standing: Standing, step: PenaltyLifted) -> None:
    """A person ended a penalty: it may be one that these limits never gave."""
    if step.kind in standing.penalties:
        _unpenalise(standing, step.kind, step.seq)


def _penalise(standing: Standing, due: PenaltyView, seq: int) -> None:
    if due.value:
        standing.penalties[due.kind] = due
    else:
        _unpenalise(standing, due.kind, seq)


def _unpenalise(standing: Standing, kind: str, seq: int) -> None:
    standing.penalties.pop(kind, None)
    if kind == LOSSES:
        standing.losses, standing.losses_seq = 0, seq
