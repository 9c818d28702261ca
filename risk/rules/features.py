"""Rule `features`: a model that did not see enough of its features, or sees them far from where they usually lie, is
not to be trusted."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts, FeatureView
from risk.rules.limits import FeatureLimits, Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block without a feature set, with one that is older than it may be, below the least coverage, without one of the
    most influential features, and above the greatest drift."""
    view = facts.features
    if view is None:
        yield _blocked(reason(ReasonCode.FEATURES_SET_MISSING, {}))
        return
    days = limits.freshness.features_days
    if days is not None and (view.loaded_at is None or now - view.loaded_at > timedelta(days=days)):
        evidence: dict[str, object] = {
            "set_version": view.set_version,
            "loaded_at": instant(view.loaded_at),
            "max_age_days": days,
        }
        yield _blocked(reason(ReasonCode.FEATURES_SET_STALE, evidence))
    if view.coverage < limits.features.min_coverage:
        evidence = {
            "set_version": view.set_version,
            "coverage": number(view.coverage),
            "min_coverage": number(limits.features.min_coverage),
            "present": view.present,
            "count": view.count,
            "missing_top": list(view.missing_top),
        }
        yield _blocked(reason(ReasonCode.FEATURE_COVERAGE_LOW, evidence))
    yield from _influential(view, limits.features)
    yield from _drift(view, limits.features)


def _influential(view: FeatureView, limits: FeatureLimits) -> Iterator[Finding]:
    """However much else is there: the model leans on these."""
    missing = sum(rank <= limits.required_top for rank in view.missing_ranks)
    if missing:
        evidence = {
            "set_version": view.set_version,
            "required_top": limits.required_top,
            "missing": missing,
            "names": ", ".join(view.missing_top[:missing]),
        }
        yield _blocked(reason(ReasonCode.FEATURE_INFLUENTIAL_MISSING, evidence))


def _drift(view: FeatureView, limits: FeatureLimits) -> Iterator[Finding]:
    """A drift that cannot be measured is not a small one."""
    if limits.max_drift is None:
        return
    evidence: dict[str, object] = {"set_version": view.set_version, "max_drift": number(limits.max_drift)}
    if view.drift is None:
        yield _blocked(reason(ReasonCode.FEATURE_REFERENCE_MISSING, evidence))
    elif not view.drift <= limits.max_drift:
        evidence |= {"drift": number(view.drift), "reference": view.reference, "farthest": _farthest(view)}
        yield _blocked(reason(ReasonCode.FEATURE_DRIFT_HIGH, evidence))


def _farthest(view: FeatureView) -> list[str]:
    """Of the most influential features those that lie off, farthest first, with their scales."""
    far = [(top.deviation, top.name) for top in view.top if top.deviation]
    return [f"{name} {scales:.2f}" for scales, name in sorted(far, key=lambda found: (-found[0], found[1]))]


def _blocked(found: Reason) -> Finding:
    return Finding(RuleName.FEATURES, Outcome.BLOCK, found)
