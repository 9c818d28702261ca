"""Coverage: how much of what the model looks at was there when it decided."""

import math
from collections.abc import Sequence
from decimal import Decimal

from risk.rules.types import FeatureView

# Fine enough to compare with a limit of 6 decimals, coarse enough to swallow the rounding of float sums.
COVERAGE_STEP = Decimal("1e-9")
MISSING_SHOWN = 10


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
    set_version: str, names: Sequence[str], importances: Sequence[float], vector: Sequence[float]
) -> FeatureView:
    """Return what the gate needs to know about a feature vector in the set's order (NaN = missing)."""
    present = [math.isfinite(value) for value in vector]
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
