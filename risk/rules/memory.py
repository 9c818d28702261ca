"""Rule `memory`: limits may require a market memory to trade on."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.codes import ReasonCode
from risk.rules.limits import Limits, RuleName
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block where `memory.required` and no cluster is known."""
    if limits.memory.required and (facts.memory is None or not facts.memory.cluster_ids):
        yield Finding(RuleName.MEMORY, Outcome.BLOCK, reason(ReasonCode.MEMORY_MISSING, {}))
