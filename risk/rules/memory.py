"""Rule `memory`: limits may require a market memory to trade on."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.codes import ReasonCode
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where `memory.required` and no cluster is known, or the newest is older than it may be."""
    if not limits.memory.required:
        return
    view, hours = facts.memory, limits.freshness.memory_hours
    if view is None or not view.cluster_ids:
        yield Finding(RuleName.MEMORY, Outcome.BLOCK, reason(ReasonCode.MEMORY_MISSING, {}))
    elif hours is not None and (view.at is None or now - view.at > timedelta(hours=hours)):
        evidence = {"at": instant(view.at), "max_age_hours": hours}
        yield Finding(RuleName.MEMORY, Outcome.BLOCK, reason(ReasonCode.MEMORY_STALE, evidence))
