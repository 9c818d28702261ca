"""What goes into the gate first: `Ask`, what a bot wants to do.

Here and in `facts` and `verdict`: money, quantities and fractions are `Decimal`, every time is an aware `datetime`, and
no value knows a database row.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class Effect(StrEnum):
    """What a decision does to the account's risk."""

    OPENS = "opens"
    REDUCES = "reduces"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A bot's question before a trade. `decision` is a lower-case word, `decided_at` the bot's own clock, `client` the
    name of the API client that asks."""

    trade_id: str
    decision: str
    instrument: str
    side: Side | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    decided_at: datetime | None = None
    signal_score: float | None = None
    algorithm: str = ""
    client: str = ""
