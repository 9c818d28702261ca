"""Plausibility: how far equity moved between two points, and whether that is believed."""

from decimal import Decimal

from risk.rules.drawdown import EXACT, FRACTION_STEP, Point
from risk.rules.limits import PlausibilityLimits


def move_of(previous: Decimal, point: Point) -> Decimal | None:
    """Return how far the point is from the equity before it, cash flows aside, as a fraction of that equity.

    None where there is nothing to compare with: equity was at 0 or below.
    """
    if previous <= 0:
        return None
    moved = EXACT.divide(abs(point.equity - point.cash_flow - previous), previous)
    return moved.quantize(FRACTION_STEP, context=EXACT)


def implausible_move(previous: Decimal | None, point: Point, limits: PlausibilityLimits) -> Decimal | None:
    """Return the move if it is larger than `plausibility.max_move`, else None; a first point is believed."""
    if previous is None or limits.max_move is None:
        return None
    move = move_of(previous, point)
    return move if move is not None and move > limits.max_move else None
