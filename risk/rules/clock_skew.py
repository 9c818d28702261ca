"""Rule `clock_skew`: a decision dated too far from the service's clock was made on another market."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


def judge(ask: Ask, _facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block a decision dated further than `clock.max_skew_seconds` away, in either direction."""
    if ask.decided_at is None:
        return
    skew = now - ask.decided_at
    if abs(skew) > timedelta(seconds=limits.clock.max_skew_seconds):
        evidence = {
            "decided_at": instant(ask.decided_at),
            "judged_at": instant(now),
            "skew_seconds": round(skew.total_seconds()),
            "max_skew_seconds": limits.clock.max_skew_seconds,
        }
        yield Finding(RuleName.CLOCK_SKEW, Outcome.BLOCK, reason(ReasonCode.CLOCK_SKEW, evidence))
