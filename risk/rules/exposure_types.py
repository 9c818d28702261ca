"""What is held and under way, and at which prices: the facts that exposure is judged on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from risk.rules.limit_exposure import ExposureLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """A price above 0 and its moment. `source`: sent (with the decision) or known (the last one before it)."""

    price: Decimal
    at: datetime
    source: str = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One account's contracts in one instrument: the position (long > 0) with the fills it does not show yet, and what
    openings under way may still buy and sell (>= 0). `unknown` counts openings under way whose size nobody knows."""

    instrument: str
    position: Decimal = Decimal(0)
    buying: Decimal = Decimal(0)
    selling: Decimal = Decimal(0)
    unknown: int = 0

    @property
    def longest(self) -> Decimal:
        """The position if everything under way is bought and nothing sold."""
        return self.position + self.buying

    @property
    def shortest(self) -> Decimal:
        """The same for selling, as a short position (short > 0)."""
        return self.selling - self.position

    @property
    def gross(self) -> Decimal:
        """The largest position, long or short, that can come of it."""
        return max(self.longest, self.shortest)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpposingView:
    """An opening under way in another account of the same owner; `side` is empty where nobody knows it."""

    account: str
    instrument: str
    side: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskExposureView:
    """The desk's caps, and the holdings of every other account; None where they could not be read whole."""

    limits: ExposureLimits
    holdings: tuple[Holding, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureView:
    """`holdings` of the account, one for each instrument; `reference` and `prices` are the last known prices, of the
    ask's instrument and of all; `opposing` is every opening under way in the owner's other accounts."""

    holdings: tuple[Holding, ...] = ()
    reference: PriceView | None = None
    prices: Mapping[str, PriceView] = field(default_factory=dict)
    opposing: tuple[OpposingView, ...] = ()
    desk: DeskExposureView | None = None
