"""Drift: how far what the model sees lies from what it saw when its reference was learned."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

MOST_SCALES = 5.0
"""Where a deviation is cut: one feature that ran away does not stand for all of them."""
IQR_OF_SCALE = 1.349
"""The interquartile range of a normal distribution, in standard deviations."""
DRIFT_STEP = Decimal("1e-9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where each feature of a set usually lies, in the set's order: its median and scale (IQR / 1.349, at least 0);
    None where the reference knows nothing of it."""

    version: str
    centres: tuple[float | None, ...]
    scales: tuple[float | None, ...]


def deviation(value: float, centre: float, scale: float) -> float:
    """Return how many scales `value` lies from `centre`, 0..5. Of a feature that never varied (scale 0) any other value
    lies 5 away."""
    distance = abs(value - centre)
    if scale > 0:
        return min(distance / scale, MOST_SCALES)
    return MOST_SCALES if distance else 0.0


def deviations(vector: Sequence[float], reference: Reference) -> list[float | None]:
    """Return each feature's deviation; None where it is missing, not finite, or unknown to the reference.

    Raises ValueError where the lengths differ.
    """
    isfinite = math.isfinite
    return [
        None if centre is None or scale is None or not isfinite(value) else deviation(value, centre, scale)
        for value, centre, scale in zip(vector, reference.centres, reference.scales, strict=True)
    ]


def drift(weights: Sequence[float], found: Sequence[float | None]) -> Decimal | None:
    """Return the deviation weighted by importance (|SHAP|), as a share of the most there can be, 0..1:
    sum(w d / 5) / sum(w) over the features that have a deviation; None where none has, or where they weigh nothing.
    """
    known = [(weight, weight * far) for weight, far in zip(weights, found, strict=True) if far is not None]
    total = math.fsum(weight for weight, _ in known)
    if not total > 0:
        return None
    share = math.fsum(moved for _, moved in known) / (MOST_SCALES * total)
    return Decimal(min(1.0, share)).quantize(DRIFT_STEP)
