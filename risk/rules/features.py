"""Rule `features`: a model that did not see enough of its features is not to be trusted."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.codes import ReasonCode
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import number
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block without a feature set, and below the least coverage."""
    view = facts.features
    if view is None:
        yield Finding(RuleName.FEATURES, Outcome.BLOCK, reason(ReasonCode.FEATURES_SET_MISSING, {}))
    elif view.coverage < limits.features.min_coverage:
        evidence = {
            "set_version": view.set_version,
            "coverage": number(view.coverage),
            "min_coverage": number(limits.features.min_coverage),
            "present": view.present,
            "count": view.count,
            "missing_top": list(view.missing_top),
        }
        yield Finding(RuleName.FEATURES, Outcome.BLOCK, reason(ReasonCode.FEATURE_COVERAGE_LOW, evidence))
