"""Rule `losses`: after losing trades, and after a stop, openings wait."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.codes import ReasonCode
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import gettext_noop, instant, number
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome, PenaltyView, Reason

WEIGHT_STEP = Decimal("0.0001")
FULL = Decimal(1)


class LossesUnknownError(RuntimeError):
    """What losing trades have left behind could not be read."""


def penalty_weight(losses: int, most: int) -> Decimal:
    """Return how heavy the penalty for `losses` in a row is, 0..1: losses / most, at most 1, as in MIA."""
    return min(FULL, Decimal(losses) / Decimal(most)).quantize(WEIGHT_STEP)


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
