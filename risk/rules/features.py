"""Rule `features`: a model that did not see enough of its features is not to be trusted."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.codes import ReasonCode
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block without a feature set, with one that is older than it may be, and below the least coverage."""
    view = facts.features
    if view is None:
        yield Finding(RuleName.FEATURES, Outcome.BLOCK, reason(ReasonCode.FEATURES_SET_MISSING, {}))
        return
    days = limits.freshness.features_days
    if days is not None and (view.loaded_at is None or now - view.loaded_at > timedelta(days=days)):
        evidence: dict[str, object] = {
            "set_version": view.set_version,
            "loaded_at": instant(view.loaded_at),
            "max_age_days": days,
        }
        yield Finding(RuleName.FEATURES, Outcome.BLOCK, reason(ReasonCode.FEATURES_SET_STALE, evidence))
    if view.coverage < limits.features.min_coverage:
        evidence = {
            "set_version": view.set_version,
            "coverage": number(view.coverage),
            "min_coverage": number(limits.features.min_coverage),
            "present": view.present,
            "count": view.count,
            "missing_top": list(view.missing_top),
        }
        yield Finding(RuleName.FEATURES, Outcome.BLOCK, reason(ReasonCode.FEATURE_COVERAGE_LOW, evidence))
