"""How much of a quantity fits."""

from decimal import ROUND_FLOOR, Decimal

SMALLEST = Decimal("0.0001")


def fitting(room: Decimal, quantity: Decimal) -> Decimal:
    """The largest part of `quantity` within `room`: whole contracts where `quantity` is; 0 where none fits."""
    step = Decimal(1) if quantity == quantity.to_integral_value() else SMALLEST
    return max(Decimal(0), min(room, quantity).quantize(step, rounding=ROUND_FLOOR))
