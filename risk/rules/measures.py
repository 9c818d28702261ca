"""Measures that rules and snapshots are judged on: coverage of features, and the risk of trading too much."""

import math
from collections.abc import Sequence
from decimal import Decimal

from risk.rules.limits import PaceLimits
from risk.rules.types import FeatureView, PaceView

COVERAGE_STEP = Decimal("1e-9")
UNKNOWN_CORRELATION = 0.5
MISSING_SHOWN = 5


def coverage(importances: Sequence[float], present: Sequence[bool]) -> Decimal:
    """Return the share (0..1) of the importance whose feature is present and finite.

    `importances` are SHAP values of any sign, `present` is a mask in the same order. Raises ValueError where
    the lengths differ or the importances add up to nothing.
    """
    weights = [abs(value) for value in importances]
    total = math.fsum(weights)
    if not (math.isfinite(total) and total > 0):
        raise ValueError("feature importances must be finite and not all 0")
    covered = math.fsum(weight for weight, there in zip(weights, present, strict=True) if there)
    return Decimal(covered / total).quantize(COVERAGE_STEP)


def feature_view(
    set_version: str, names: Sequence[str], importances: Sequence[float], present: Sequence[bool]
) -> FeatureView:
    """Return what the gate needs to know about a feature vector, with the most important missing names."""
    missing = [
        (-abs(importance), name)
        for name, importance, there in zip(names, importances, present, strict=True)
        if not there
    ]
    return FeatureView(
        set_version=set_version,
        coverage=coverage(importances, present),
        present=len(names) - len(missing),
        count=len(names),
        missing_top=tuple(name for _, name in sorted(missing)[:MISSING_SHOWN]),
    )


def pace_load(pace: PaceView | None, limits: PaceLimits) -> float | None:
    """Return the openings of the last hour as a share (0..1) of the limit; None where none were measured."""
    if pace is None:
        return None
    return min(1.0, pace.openings_last_hour / limits.max_openings_per_hour)


def overtrade_risk_score(vix_es_correlation: float | None, load: float | None) -> float:
    """Return the risk of trading too much, 0..1.

    score = c + (1 - c) * load, where c is the newest cluster's `vix_es_correlation` clipped to 0..1 (0.5
    where there is none) and load is the pace as a share of its limit. Without a measured pace it is c, as in
    the original specification; pace only ever raises it.
    """
    if vix_es_correlation is None or not math.isfinite(vix_es_correlation):
        vix_es_correlation = UNKNOWN_CORRELATION
    base = min(1.0, max(0.0, vix_es_correlation))
    if load is None:
        return base
    return min(1.0, base + (1.0 - base) * min(1.0, max(0.0, load)))
