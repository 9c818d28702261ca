"""What a bot sends: frozen, bounded, checked at the door."""

import math
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from risk.inputs import (
    END,
    LINE,
    PRINTABLE,
    AccountCode,
    Aware,
    EquityInput,
    Input,
    Instrument,
    Label,
    Positions,
    Reason,
    Text,
    decimal_check,
    moment_utc,
    positions_check,
)
from risk.rules.order_life import OrderStatus

Word = Annotated[
    str,
    Meta(pattern=rf"^[a-z][a-z0-9_]{{0,31}}{END}", description="a lower-case word of up to 32 letters, digits and _"),
]
Share = Annotated[float, Meta(ge=0, le=1)]
TradeId = Annotated[str, Meta(min_length=1, max_length=128, pattern=PRINTABLE, description=LINE)]
FeatureName = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=rf"^[ -~]+{END}", description="printable ASCII")
]
SUM_TOLERANCE = 1e-9
FILLING = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


class RegimeInput(Input, frozen=True, omit_defaults=True):
    """Probabilities of the market regimes; one may be left out, together they are at most 1."""

    range: Share | None = None
    trend: Share | None = None
    defensive: Share | None = None

    def __post_init__(self) -> None:
        if (
            math.fsum(value for value in (self.range, self.trend, self.defensive) if value is not None)
            > 1 + SUM_TOLERANCE
        ):
            raise ValueError("expected probabilities whose sum is at most 1")


class MarketInput(Input, frozen=True, omit_defaults=True):
    """The market as the bot saw it at `at`: bid and ask, or a reference price of its own, or both."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    reference: Decimal | None = None
    at: Aware | None = None

    def __post_init__(self) -> None:
        decimal_check("bid", self.bid)
        decimal_check("ask", self.ask)
        decimal_check("reference", self.reference, positive=True)
        for name in ("bid", "ask"):
            if getattr(self, name) is None and (self.reference is None or (self.bid, self.ask) != (None, None)):
                raise ValueError(f"{name}: expected bid and ask, or a reference alone")
        if self.at is not None:
            force_setattr(self, "at", moment_utc("at", self.at))


class DecisionInput(Input, frozen=True):
    """A decision to judge (`gate`) or only to record (`record`)."""

    account: AccountCode
    trade_id: TradeId
    decision: Word
    signal_score: Share
    regime_probs: RegimeInput
    instrument: Instrument
    side: Literal["buy", "sell"] | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    order_type: Annotated[str, Meta(max_length=16, pattern=PRINTABLE, description=LINE)] = ""
    order_id: Text = ""
    decided_at: Aware | None = None
    reason: Reason = ""
    features: Annotated[dict[FeatureName, float], Meta(max_length=1000)] = {}
    algorithm: Label = ""
    model: Label = ""
    trace_id: Text = ""
    mode: Literal["gate", "record"] = "gate"
    equity: EquityInput | None = None
    positions: Positions | None = None
    market: MarketInput | None = None

    def __post_init__(self) -> None:
        decimal_check("quantity", self.quantity, positive=True)
        decimal_check("price", self.price)
        positions_check("positions", self.positions)
        if self.decided_at is not None:
            force_setattr(self, "decided_at", moment_utc("decided_at", self.decided_at))
        if not all(map(math.isfinite, self.features.values())):
            raise ValueError("features: expected finite numbers; leave out what is missing")


class OutcomeInput(Input, frozen=True):
    """What became of a decision; money in the account's currency."""

    pnl: Decimal
    closed_at: Aware
    final: bool
    quantity: Decimal | None = None
    exit_price: Decimal | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "closed_at", moment_utc("closed_at", self.closed_at))
        decimal_check("pnl", self.pnl)
        decimal_check("quantity", self.quantity, positive=True)
        decimal_check("exit_price", self.exit_price)


class OrderInput(Input, frozen=True):
    """What became of a decision's order up to `at`. `filled_quantity` counts from the beginning; left out: as told
    before, all of it where the order is filled."""

    order_status: OrderStatus
    at: Aware
    filled_quantity: Decimal | None = None
    fill_price: Decimal | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "at", moment_utc("at", self.at))
        decimal_check("filled_quantity", self.filled_quantity)
        decimal_check("fill_price", self.fill_price)
        filled = self.filled_quantity
        if self.order_status is OrderStatus.REJECTED and filled:
            raise ValueError("filled_quantity: expected nothing filled of a rejected order")
        if filled is not None and (filled < 0 or (not filled and self.order_status in FILLING)):
            raise ValueError("filled_quantity: expected a number above 0")
        if filled is None and self.order_status is OrderStatus.PARTIALLY_FILLED:
            raise ValueError("filled_quantity: expected what was filled so far")


def regime_dict(regimes: RegimeInput) -> dict[str, float]:
    """Only the regimes that were sent."""
    return {name: value for name, value in msgspec.structs.asdict(regimes).items() if value is not None}
