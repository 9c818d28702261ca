"""Rule `limits`: without limits nothing can be called safe."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.codes import ReasonCode
from risk.rules.limits import RuleName
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(_ask: Ask, facts: Facts, _now: datetime) -> Iterator[Finding]:
    """Block where the account has no limits."""
    if facts.limits is None:
        yield Finding(RuleName.LIMITS, Outcome.BLOCK, reason(ReasonCode.LIMITS_MISSING, {}))
