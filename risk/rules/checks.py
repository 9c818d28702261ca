"""Rule `checks`: nothing opens while nobody watches the accounts between two trades."""

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
    """Block where the periodic check never ran, or not for `freshness.checks_seconds`."""
    allowed = limits.freshness.checks_seconds
    if facts.checks_at is None or now - facts.checks_at > timedelta(seconds=allowed):
        evidence = {"checks_at": instant(facts.checks_at), "max_age_seconds": allowed}
        yield Finding(RuleName.CHECKS, Outcome.BLOCK, reason(ReasonCode.CHECKS_STALLED, evidence))
