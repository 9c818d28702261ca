"""Coverage: how much of what the model looks at was there when it decided."""

import math
from collections.abc import Sequence
from decimal import Decimal

from risk.rules.drift import Reference, deviations, drift
from risk.rules.types import FeatureView, TopFeature

# Fine enough to compare with a limit of 6 decimals, coarse enough to swallow the rounding of float sums.
COVERAGE_STEP = Decimal("1e-9")
MISSING_SHOWN = 10
TOP_SHOWN = 10


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
    set_version: str,
    names: Sequence[str],
    importances: Sequence[float],
    vector: Sequence[float],
    reference: Reference | None = None,
) -> FeatureView:
    """Return what the gate needs to know about a feature vector in the set's order (NaN = missing).

    `reference` is of the same set, in the same order.
    """
    present = [math.isfinite(value) for value in vector]
    far = [None] * len(names) if reference is None else deviations(vector, reference)
    ranked = sorted(range(len(names)), key=lambda place: (-abs(importances[place]), names[place]))
    missing = [rank for rank, place in enumerate(ranked, 1) if not present[place]]
    total = math.fsum(abs(value) for value in importances)
    return FeatureView(
        set_version=set_version,
        coverage=coverage(importances, present),
        present=len(names) - len(missing),
        count=len(names),
        missing_top=tuple(names[ranked[rank - 1]] for rank in missing[:MISSING_SHOWN]),
        missing_ranks=tuple(missing),
        drift=drift(importances, far),
        reference=None if reference is None else reference.version,
        top=tuple(
            TopFeature(
                name=names[place],
                share=abs(importances[place]) / total,
                missing=not present[place],
                deviation=far[place],
            )
            for place in ranked[:TOP_SHOWN]
        ),
    )
