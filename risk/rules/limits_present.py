"""Rule `limits`: without limits nothing can be called safe."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts
from risk.rules.limits import RuleName
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


class LimitsUnknownError(RuntimeError):
    """The account has limits that could not be read."""


def judge(_ask: Ask, facts: Facts, _now: datetime) -> Iterator[Finding]:
    """Block where the account has no limits.

    Raises LimitsUnknownError where they could not be read: the gate turns that into a block of openings.
    """
    if facts.limits is None:
        if facts.limits_version is not None:
            raise LimitsUnknownError
        yield Finding(RuleName.LIMITS, Outcome.BLOCK, reason(ReasonCode.LIMITS_MISSING, {}))
