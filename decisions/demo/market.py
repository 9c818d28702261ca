"""A synthetic market for the live feed, and the bot's account in it. Pure: a step is asked for, a price comes back."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from decisions.demo.account import POINT_VALUE

HOME_PRICE = Decimal(6000)
TICK = Decimal("0.25")
NOISE = 0.8
"""Points that the price moves in one step, one standard deviation."""
PULL = 0.1
STRONGEST_PULL = 0.8
WORST = Decimal(600)
"""Further than this from home the bot opens nothing: no limit of the demo account is ever near."""


@dataclass
class Market:
    """The price, and the bot's money: at `home` it is where it began; a synthetic hand leads it back there."""

    rng: Random
    home: Decimal
    balance: Decimal
    price: Decimal = HOME_PRICE
    position: int = 0
    entry: Decimal = HOME_PRICE

    @property
    def open_pnl(self) -> Decimal:
        return (self.price - self.entry) * self.position * POINT_VALUE

    @property
    def equity(self) -> Decimal:
        return self.balance + self.open_pnl

    @property
    def may_open(self) -> bool:
        return abs(self.equity - self.home) <= WORST

    def step(self) -> None:
        """One step of the price: towards its home while the bot is flat, else so that the equity comes home."""
        if self.position:
            away = float((self.home - self.equity) / POINT_VALUE / self.position)
        else:
            away = float(HOME_PRICE - self.price)
        pull = max(-STRONGEST_PULL, min(STRONGEST_PULL, away * PULL))
        moved = self.price + Decimal(str(round(pull + self.rng.gauss(0, NOISE), 4)))
        self.price = (moved / TICK).quantize(Decimal(1)) * TICK

    def buy(self, quantity: int) -> None:
        """Opens a long position; the bot was flat."""
        self.position, self.entry = quantity, self.price

    def close(self) -> Decimal:
        """Ends flat; returns what the trade made."""
        made = self.open_pnl
        self.balance += made
        self.position = 0
        return made
