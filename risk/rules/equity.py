"""Rule `equity`: drawdown is only known as long as the equity is."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where no equity was reported, the last is older than `freshness.equity_seconds`, or points are held."""
    if facts.held is not None:
        held = {"count": facts.held.count, "since": instant(facts.held.since)}
        yield Finding(RuleName.EQUITY, Outcome.BLOCK, reason(ReasonCode.EQUITY_HELD, held))
    allowed = limits.freshness.equity_seconds
    if facts.equity is None:
        yield Finding(RuleName.EQUITY, Outcome.BLOCK, reason(ReasonCode.EQUITY_MISSING, {}))
    elif abs(now - facts.equity.at) > timedelta(seconds=allowed):
        evidence = {
            "at": instant(facts.equity.at),
            "age_seconds": round((now - facts.equity.at).total_seconds()),
            "max_age_seconds": allowed,
        }
        yield Finding(RuleName.EQUITY, Outcome.BLOCK, reason(ReasonCode.EQUITY_STALE, evidence))
