"""What a decision says about prices and exposure, as it is stored, and read again when projections are rebuilt."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from decisions.inputs import DecisionInput
from risk.rules.exposure_types import ExposureView, Holding
from risk.rules.limits import ExposureLimits, Limits
from risk.rules.messages import number
from risk.rules.reference import Quote, reference_of

MARKET_PRICES = ("bid", "ask", "reference")


def market_told(sent: DecisionInput, now: datetime) -> dict[str, Any] | None:
    """The market that came with a decision. One without a time is of the moment when the bot decided."""
    market = sent.market
    if market is None:
        return None
    at = market.at or min(sent.decided_at or now, now)
    prices = {name: getattr(market, name) for name in MARKET_PRICES}
    return {name: None if price is None else number(price) for name, price in prices.items()} | {"at": at.isoformat()}


def quote_told(instrument: str, market: Mapping[str, Any] | None) -> Quote | None:
    """The reference price that `market`, as stored, gives; None where it gives none. Older decisions have no time."""
    if not market or not market.get("at"):
        return None
    prices = {name: None if market.get(name) is None else Decimal(market[name]) for name in MARKET_PRICES}
    price = reference_of(prices["bid"], prices["ask"], prices["reference"])
    return None if price is None else Quote(instrument=instrument, price=price, at=datetime.fromisoformat(market["at"]))


def exposure_told(view: ExposureView | None, limits: Limits) -> dict[str, Any]:
    """How long an opening is reserved; where a cap asks for it, what was held and under way; the reference price."""
    told: dict[str, Any] = {"reservation_minutes": limits.exposure.reservation_minutes}
    if view is None:
        return told
    if view.holdings:
        told["holdings"] = [_holding(held) for held in view.holdings]
    if view.reference is not None:
        reference = view.reference
        told["reference"] = {
            "price": number(reference.price), "at": reference.at.isoformat(), "source": reference.source,
        }  # fmt: skip
    return told


def reserved(judged_on: Mapping[str, Any] | None) -> timedelta:
    """How long an order of the decision can live. Older decisions do not say; then it is the default."""
    told = (judged_on or {}).get("exposure") or {}
    return timedelta(minutes=told.get("reservation_minutes", ExposureLimits().reservation_minutes))


def _holding(held: Holding) -> dict[str, Any]:
    return {
        "instrument": held.instrument,
        "position": number(held.position),
        "buying": number(held.buying),
        "selling": number(held.selling),
    }
