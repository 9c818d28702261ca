"""What one contract stands for in money: its multiplier times the highest price known for it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.exposure_types import ExposureView
from risk.rules.instruments import multiplier_of
from risk.rules.limits import ExposureLimits
from risk.rules.prices import ask_price, price_reason
from risk.rules.reasons import reason
from risk.rules.verdict import Reason


def contract_values(
    instruments: Iterable[str], ask: Ask, view: ExposureView, limits: ExposureLimits, now: datetime
) -> tuple[dict[str, Decimal], tuple[Reason, ...]]:
    """Money that one contract of each instrument stands for, and why those that are left out have no value.

    The ask's own instrument is worth the higher of its price and the last known one.
    """
    values: dict[str, Decimal] = {}
    unknown: list[Reason] = []
    for instrument in dict.fromkeys(instruments):
        multiplier = multiplier_of(instrument, limits.multipliers)
        prices = _prices(instrument, ask, view, timedelta(hours=limits.price_hours), now)
        if multiplier is None:
            unknown.append(reason(ReasonCode.MULTIPLIER_UNKNOWN, {"instrument": instrument}))
        elif not prices:
            unknown.append(reason(ReasonCode.PRICE_UNKNOWN, {"instrument": instrument}))
        else:
            values[instrument] = multiplier * max(prices)
    return values, tuple(unknown)


def _prices(instrument: str, ask: Ask, view: ExposureView, max_age: timedelta, now: datetime) -> list[Decimal]:
    own = instrument == ask.instrument
    seen = view.reference if own else view.prices.get(instrument)
    stated = ask_price(ask) if own else None
    prices = [] if stated is None else [stated]
    if seen is not None and price_reason(instrument, seen, max_age, now) is None:
        prices.append(seen.price)
    return prices
