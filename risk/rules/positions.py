"""Rule `positions`: limits may require that the positions are known before more is opened."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.codes import ReasonCode
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where `freshness.positions_required` and no report is younger than `positions_seconds`."""
    if not limits.freshness.positions_required:
        return
    allowed = limits.freshness.positions_seconds
    if facts.position is None:
        yield Finding(RuleName.POSITIONS, Outcome.BLOCK, reason(ReasonCode.POSITIONS_MISSING, {}))
    elif abs(now - facts.position.at) > timedelta(seconds=allowed):
        evidence = {
            "at": instant(facts.position.at),
            "age_seconds": round((now - facts.position.at).total_seconds()),
            "max_age_seconds": allowed,
        }
        yield Finding(RuleName.POSITIONS, Outcome.BLOCK, reason(ReasonCode.POSITIONS_STALE, evidence))
