"""The reference price that a bot's view of the market gives, and the last ones known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from risk.rules.exposure_types import PriceView
from risk.rules.messages import number

KEPT = 100
"""Instruments of one account whose last price is kept: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price of an instrument, above 0, as of `at`."""

    instrument: str
    price: Decimal
    at: datetime


def reference_of(bid: Decimal | None, ask: Decimal | None, reference: Decimal | None) -> Decimal | None:
    """The reference that was sent, else the middle of the market; None where there is none above 0, or the market is
    crossed: somebody's data is broken."""
    if reference is not None:
        return reference if reference > 0 else None
    if bid is None or ask is None or bid <= 0 or ask < bid:
        return None
    return (bid + ask) / 2


def quotes_take(known: Mapping[str, Mapping[str, str]], quote: Quote) -> dict[str, dict[str, str]]:
    """The last prices (instrument -> price and time, as text) with `quote`, unless a newer one is known."""
    prices = {name: dict(told) for name, told in known.items()}
    last = prices.get(quote.instrument)
    if last is not None and datetime.fromisoformat(last["at"]) > quote.at:
        return prices
    prices[quote.instrument] = {"price": number(quote.price), "at": quote.at.isoformat()}
    newest = sorted(prices, key=lambda name: (datetime.fromisoformat(prices[name]["at"]), name), reverse=True)
    return {name: prices[name] for name in newest[:KEPT]}


def price_views(known: Mapping[str, Mapping[str, str]]) -> dict[str, PriceView]:
    """The last known prices by instrument."""
    return {
        name: PriceView(price=Decimal(told["price"]), at=datetime.fromisoformat(told["at"]))
        for name, told in known.items()
    }
