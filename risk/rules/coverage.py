"""Coverage: how much of what the model looks at was there when it decided."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import compress

from risk.rules.drift import Reference, deviations, drift
from risk.rules.facts import FeatureView, TopFeature

# Fine enough to compare with a limit of 6 decimals, coarse enough to swallow the rounding of float sums.
COVERAGE_STEP = Decimal("1e-9")
MISSING_SHOWN = 10
TOP_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What every vector of a set is weighed by: |SHAP| in the set's order, their sum, and places by importance."""

    weights: tuple[float, ...]
    total: float
    ranked: tuple[int, ...]


@lru_cache(maxsize=8)
def _weighed(names: tuple[str, ...], importances: tuple[float, ...]) -> _Weighed:
    weights = tuple(abs(value) for value in importances)
    ranked = sorted(range(len(names)), key=lambda place: (-weights[place], names[place]))
    return _Weighed(weights, math.fsum(weights), tuple(ranked))


def coverage(importances: Sequence[float], present: Sequence[bool]) -> Decimal:
    """Return the share (0..1) of the importance whose feature is present and finite.

    `importances` are SHAP values of any sign, `present` is a mask in the same order. Raises ValueError where
    the lengths differ or the importances add up to nothing.
    """
    if len(importances) != len(present):
        raise ValueError(f"{len(importances)} importances and a mask of {len(present)}")
    weights = [abs(value) for value in importances]
    return _share(math.fsum(compress(weights, present)), math.fsum(weights))


def _share(covered: float, total: float) -> Decimal:
    if not (math.isfinite(total) and total > 0):
        raise ValueError("feature importances must be finite and not all 0")
    return Decimal(covered / total).quantize(COVERAGE_STEP)


def feature_view(
    set_version: str,
    names: Sequence[str],
    importances: Sequence[float],
    vector: Sequence[float],
    reference: Reference | None = None,
) -> FeatureView:
    """Return what the gate needs to know about a feature vector in the set's order (NaN = missing).

    `reference` is of the same set, in the same order. Raises ValueError where the lengths differ.
    """
    if not len(names) == len(importances) == len(vector):
        raise ValueError(f"{len(names)} names, {len(importances)} importances and {len(vector)} values")
    weighed = _weighed(tuple(names), tuple(importances))
    present = list(map(math.isfinite, vector))
    far = None if reference is None else deviations(vector, reference)
    missing = [] if all(present) else [rank for rank, place in enumerate(weighed.ranked, 1) if not present[place]]
    return FeatureView(
        set_version=set_version,
        coverage=_share(math.fsum(compress(weighed.weights, present)), weighed.total),
        present=len(names) - len(missing),
        count=len(names),
        missing_top=tuple(names[weighed.ranked[rank - 1]] for rank in missing[:MISSING_SHOWN]),
        missing_ranks=tuple(missing),
        drift=None if far is None else drift(weighed.weights, far),
        reference=None if reference is None else reference.version,
        top=tuple(
            TopFeature(
                name=names[place],
                share=weighed.weights[place] / weighed.total,
                missing=not present[place],
                deviation=None if far is None else far[place],
            )
            for place in weighed.ranked[:TOP_SHOWN]
        ),
    )
