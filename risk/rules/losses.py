"""Rule `losses`: after losing trades, and after a stop, openings wait."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts, PenaltyView
from risk.rules.limits import Limits, LossLimits, RuleName
from risk.rules.messages import gettext_noop, instant, number
from risk.rules.reasons import reason
from risk.rules.sentences import LOSSES_ENDED, LOSSES_IN_A_ROW, TRADE_LOST
from risk.rules.verdict import Finding, Outcome, Reason

WEIGHT_STEP = Decimal("0.0001")
FULL = Decimal(1)
LOSSES, TRADE_LOSS = "losses", "trade_loss"
KINDS = (LOSSES, TRADE_LOSS)
LOSSES_MOST = 100
"""The largest number of losses in a row that any limit can ask for."""


class LossesUnknownError(RuntimeError):
    """What losing trades have left behind could not be read."""


def penalty_weight(losses: int, most: int) -> Decimal:
    """Return how heavy the penalty for `losses` in a row is, 0..1: losses / most, at most 1, as in MIA."""
    return min(FULL, Decimal(losses) / Decimal(most)).quantize(WEIGHT_STEP)


def losses_in_a_row(outcomes: Iterable[tuple[int, Decimal]], after: int) -> int:
    """Return how many trades in a row were lost, from (`seq`, profit) of each, newest first; those up to the `seq`
    `after` no longer count."""
    losses = 0
    for seq, pnl in outcomes:
        if pnl >= 0 or seq <= after or losses > LOSSES_MOST:
            break
        losses += 1
    return losses


def penalties_due(
    limits: LossLimits, *, losses: int, pnl: Decimal, growing: Decimal, now: datetime
) -> Iterator[PenaltyView]:
    """Yield the penalties that a trade's outcome brings, the newest of their kind; a weight of 0 ends one.

    `losses` in a row include this one. `growing` is the weight of the penalty for losses in a row so far (0: none): a
    better trade ends only one that does not block yet.
    """
    until = now + timedelta(minutes=limits.penalty_minutes)
    if limits.max_consecutive is not None and pnl < 0:
        weight = penalty_weight(losses, limits.max_consecutive)
        told = LOSSES_IN_A_ROW % {"losses": losses, "limit": limits.max_consecutive}
        yield _due(LOSSES, weight, told, now, until)
    elif losses == 0 and 0 < growing < FULL:
        yield _due(LOSSES, Decimal(0), LOSSES_ENDED, now, until)
    if limits.max_per_trade is not None and -pnl > limits.max_per_trade:
        told = TRADE_LOST % {"lost": number(-pnl), "limit": number(limits.max_per_trade)}
        yield _due(TRADE_LOSS, FULL, told, now, until)


def _due(kind: str, weight: Decimal, told: str, now: datetime, until: datetime) -> PenaltyView:
    return PenaltyView(kind=kind, value=weight, since=now, until=until if weight >= FULL else None, reason=told)


def penalty_holds(penalty: PenaltyView, now: datetime) -> bool:
    """Return whether a penalty blocks at `now`: at full weight, until it expires."""
    return penalty.value >= FULL and (penalty.until is None or now < penalty.until)


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block while a penalty holds, and for the cool-downs after a stop by a limit and after a losing trade.

    Raises LossesUnknownError where nobody knows: the gate turns that into a block.
    """
    if facts.losses is None:
        raise LossesUnknownError
    for penalty in facts.losses.penalties:
        if penalty_holds(penalty, now):
            yield Finding(RuleName.LOSSES, Outcome.BLOCK, _penalised(penalty))
    waits = (
        (gettext_noop("stop"), facts.losses.stopped_at, limits.losses.cooldown_after_stop_minutes),
        (gettext_noop("loss"), facts.losses.last_loss_at, limits.losses.cooldown_after_loss_minutes),
    )
    for after, since, minutes in waits:
        if since is not None and now < since + timedelta(minutes=minutes):
            yield Finding(RuleName.LOSSES, Outcome.BLOCK, _cooling(after, since, since + timedelta(minutes=minutes)))


def _penalised(penalty: PenaltyView) -> Reason:
    evidence = {
        "kind": penalty.kind,
        "value": number(penalty.value),
        "since": instant(penalty.since),
        "until": None if penalty.until is None else instant(penalty.until),
        "reason": penalty.reason or "-",
    }
    return reason(ReasonCode.PENALTY_ACTIVE, evidence, penalty.until)


def _cooling(after: str, since: datetime, until: datetime) -> Reason:
    evidence = {"after": after, "since": instant(since), "until": instant(until)}
    return reason(ReasonCode.COOLDOWN, evidence, until)
