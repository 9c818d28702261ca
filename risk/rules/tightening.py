"""Tightening: by how much what is remembered makes a limit smaller. It never makes one larger."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from risk.rules.facts import MemoryView
from risk.rules.limits import MemoryLimits

ONE, HALF = Decimal(1), Decimal("0.5")
FACTOR_STEP = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightening:
    """What limits are multiplied by: `factor` any limit, `pace_factor` that of openings an hour; both from
    `memory.tightening_floor` to 1. `volatile`: the stress is above `memory.volatile_above`."""

    stress: Decimal
    volatile: bool
    factor: Decimal
    pace_factor: Decimal

    def pace(self, limit: int) -> int:
        """Return the openings an hour that are left of `limit`: rounded down, at least 1."""
        return max(1, int(limit * self.pace_factor))

    def quantity(self, cap: Decimal) -> Decimal:
        """Return the contracts that are left of `cap`: whole ones, at least 1, or the cap itself where that is less."""
        return max(min(cap, ONE), (cap * self.factor).quantize(ONE, ROUND_DOWN))


def tightening(view: MemoryView | None, limits: MemoryLimits) -> Tightening | None:
    """Return how much memory tightens: factor = 1 - (1 - floor) * stress; None where it tightens nothing.

    Where memory says volatile, the pace is halved as well, but never goes below the floor.
    """
    floor = limits.tightening_floor
    if floor is None or view is None or not view.recalled:
        return None
    factor = max(floor, (ONE - (ONE - floor) * view.stress).quantize(FACTOR_STEP))
    volatile = view.stress > limits.volatile_above
    pace_factor = max(floor, min(factor, HALF)) if volatile else factor
    return Tightening(stress=view.stress, volatile=volatile, factor=factor, pace_factor=pace_factor)
