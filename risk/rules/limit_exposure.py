"""The sections of the limits that say how much may be held, in which contracts, and at which prices."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from risk.rules.limit_base import Section, check_money, check_share
from risk.rules.limit_windows import Root

Pattern = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9._/-]{0,31}\*?$")]


class InstrumentCap(Section, frozen=True):
    """The most that may be held in an instrument: a contract such as ESZ6, or a root such as ES with all its months.

    `max_position` in contracts, `max_notional` in money; null is no cap.
    """

    instrument: Root
    max_position: Decimal | None = None
    max_notional: Decimal | None = None

    def __post_init__(self) -> None:
        _check_caps(self.max_position, self.max_notional)


class Multiplier(Section, frozen=True):
    """What one point of the instrument, a root or a contract, is worth."""

    instrument: Root
    value: Decimal

    def __post_init__(self) -> None:
        check_money("value", self.value)


class ExposureLimits(Section, frozen=True):
    """The most that may be held in all instruments together, and in some of them.

    An allowed opening counts from the moment of the answer until its order's end is reported, at most
    `reservation_minutes`: a day order does not live longer than a day. `price_hours` is how old the price may be that
    positions are valued at.
    """

    max_position: Decimal | None = None
    max_notional: Decimal | None = None
    instruments: Annotated[tuple[InstrumentCap, ...], Meta(max_length=200)] = ()
    multipliers: Annotated[tuple[Multiplier, ...], Meta(max_length=200)] = ()
    price_hours: Annotated[int, Meta(ge=1, le=744)] = 72
    reservation_minutes: Annotated[int, Meta(ge=1, le=44_640)] = 1440

    def __post_init__(self) -> None:
        _check_caps(self.max_position, self.max_notional)
        for field in ("instruments", "multipliers"):
            names = [item.instrument for item in getattr(self, field)]
            if len(set(names)) != len(names):
                raise ValueError(f"{field}:unique_instruments")

    @property
    def capped(self) -> bool:
        """Whether there is any cap."""
        return self.max_position is not None or self.valued or bool(self.instruments)

    @property
    def valued(self) -> bool:
        """Whether a cap is in money, so that prices and multipliers must be known."""
        return self.max_notional is not None or any(cap.max_notional is not None for cap in self.instruments)


class ContractLimits(Section, frozen=True):
    """What may be opened: contracts (ESZ6), roots with all their months (ES), or beginnings (ES*). None: anything."""

    allowed: Annotated[tuple[Pattern, ...], Meta(max_length=200)] = ()


class PriceLimits(Section, frozen=True):
    """How far the price of an opening may be from a reference price of at most `reference_seconds` of age.

    `max_deviation` is a fraction of the reference; null is no collar.
    """

    max_deviation: Decimal | None = None
    reference_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60

    def __post_init__(self) -> None:
        if self.max_deviation is not None:
            check_share("max_deviation", self.max_deviation)
            if not self.max_deviation:
                raise ValueError("max_deviation:share")


class SelfMatchAction(StrEnum):
    """What becomes of an opening against one that another account of the same owner has under way."""

    OFF = "off"
    ALERT = "alert"
    BLOCK = "block"


class SelfMatchLimits(Section, frozen=True):
    """Accounts without an owner are nobody's, and match nobody."""

    action: SelfMatchAction = SelfMatchAction.ALERT


def _check_caps(position: Decimal | None, notional: Decimal | None) -> None:
    if position is not None:
        check_money("max_position", position)
    if notional is not None:
        check_money("max_notional", notional)
