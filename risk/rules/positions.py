"""Rule `positions`: limits may require that the positions are known before more is opened."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts, PositionView
from risk.rules.limits import FreshnessLimits, Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where `freshness.positions_required` and no report is younger than `positions_seconds`."""
    if limits.freshness.positions_required:
        for found in position_reasons(facts.position, limits.freshness, now):
            yield Finding(RuleName.POSITIONS, Outcome.BLOCK, found)


def position_reasons(position: PositionView | None, limits: FreshnessLimits, now: datetime) -> Iterator[Reason]:
    """Say that the positions were never reported, or longer ago than `positions_seconds`."""
    allowed = limits.positions_seconds
    if position is None:
        yield reason(ReasonCode.POSITIONS_MISSING, {})
    elif abs(now - position.at) > timedelta(seconds=allowed):
        evidence = {
            "at": instant(position.at),
            "age_seconds": round((now - position.at).total_seconds()),
            "max_age_seconds": allowed,
        }
        yield reason(ReasonCode.POSITIONS_STALE, evidence)
