"""The life of an order that the gate let through, as its bot tells it: what may still be filled, what was filled, and
from when on a position report answers for it.

Nothing told means that all of it may still be filled. A position report shows every fill that is not younger than it
is; it says nothing about what is still working, except that an order which can live no longer (`until`) is over.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

NOTHING = Decimal(0)


class OrderStatus(StrEnum):
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLife:
    """An order of `quantity` contracts, let through at `at`. None as quantity: nobody knows how many.

    `working` may still be filled; `filled` is everything that was, the last of it at `filled_at`; `settled` is the part
    that position reports had shown when the newest fill was told. A position report of `until` or later shows all.
    `told_at` is the time of the newest report, None: none yet.
    """

    at: datetime
    quantity: Decimal | None
    working: Decimal | None
    until: datetime | None
    filled: Decimal = NOTHING
    settled: Decimal = NOTHING
    filled_at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTold:
    """What a bot says of an order as of `at`. `filled` counts from the beginning; None: as before, all if filled."""

    status: OrderStatus
    at: datetime
    filled: Decimal | None = None


def order_start(*, at: datetime, quantity: Decimal | None, lasts: timedelta | None) -> OrderLife:
    """An order let through at `at`, which can live for `lasts`; None for an exit, which reserves nothing."""
    return OrderLife(at=at, quantity=quantity, working=quantity, until=None if lasts is None else at + lasts)


def order_tell(life: OrderLife, told: OrderTold, positions_at: datetime | None) -> OrderLife:
    """The life after a report; one older than the last changes nothing. `positions_at`: positions are known as of then.

    No fill is earlier than the answer that allowed it, whatever the bot's clock says.
    """
    if life.told_at is not None and told.at < life.told_at:
        return life
    filled = _filled(life, told)
    if filled != life.filled:
        shown = life.filled if fills_shown(life, positions_at) else life.settled
        life = replace(life, filled=filled, settled=min(shown, filled), filled_at=max(told.at, life.at))
    life = replace(life, told_at=told.at)
    if told.status is not OrderStatus.PARTIALLY_FILLED:
        return replace(life, working=NOTHING, until=life.filled_at or told.at)
    working = None if life.quantity is None else max(NOTHING, life.quantity - filled)
    return replace(life, working=working, until=_latest(life.until, life.filled_at))


def order_end(life: OrderLife, at: datetime) -> OrderLife:
    """The life of an order whose whole trade was closed at `at`: nothing of it is held or under way."""
    return replace(life, working=NOTHING, settled=life.filled, until=at, told_at=_latest(life.told_at, at))


def fills_shown(life: OrderLife, positions_at: datetime | None) -> bool:
    """Whether positions as of `positions_at` show everything that was filled."""
    return life.filled_at is None or (positions_at is not None and positions_at >= life.filled_at)


def order_answered(life: OrderLife, positions_at: datetime | None) -> bool:
    """Whether positions as of `positions_at` answer for all of the order; any do that come after an exit."""
    return life.until is None or (positions_at is not None and positions_at >= life.until)


def _filled(life: OrderLife, told: OrderTold) -> Decimal:
    if told.filled is not None:
        return told.filled
    return life.quantity or life.filled if told.status is OrderStatus.FILLED else life.filled


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
