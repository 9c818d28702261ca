"""What an account holds and has under way, instrument by instrument: the reported positions and the orders since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from risk.rules.ask import Effect, Side
from risk.rules.exposure_types import Holding
from risk.rules.order_life import NOTHING, OrderLife, fills_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order that the gate let through. `working` may still be filled (None: nobody knows how much); `unshown` was
    filled and no position report shows it yet."""

    instrument: str
    effect: Effect
    side: Side | None
    working: Decimal | None
    unshown: Decimal = Decimal(0)


def order_view(
    life: OrderLife, *, instrument: str, effect: Effect, side: Side | None, positions_at: datetime | None
) -> OrderView | None:
    """The order beside positions as of `positions_at`; None where nothing of it may be filled, or was without being
    shown."""
    unshown = NOTHING if fills_shown(life, positions_at) else life.filled - life.settled
    if life.working == 0 and not unshown:
        return None
    return OrderView(instrument=instrument, effect=effect, side=side, working=life.working, unshown=unshown)


def holdings_of(positions: Mapping[str, Decimal], orders: Iterable[OrderView]) -> tuple[Holding, ...]:
    """One holding for each instrument held or under way, in the order of their names.

    An exit under way frees nothing before it is filled. A side that nobody knows counts on both.
    """
    held = {name: Holding(instrument=name, position=quantity) for name, quantity in positions.items() if quantity}
    for order in orders:
        known = held.get(order.instrument, Holding(instrument=order.instrument))
        held[order.instrument] = _with(known, order)
    return tuple(held[name] for name in sorted(held))


def _with(held: Holding, order: OrderView) -> Holding:
    opens = order.effect is Effect.OPENS
    if opens and order.working is None:
        held = replace(held, unknown=held.unknown + 1)
    working = order.working or Decimal(0) if opens else Decimal(0)
    if order.side is None:
        most = working + order.unshown
        return replace(held, buying=held.buying + most, selling=held.selling + most)
    if order.side is Side.BUY:
        return replace(held, position=held.position + order.unshown, buying=held.buying + working)
    return replace(held, position=held.position - order.unshown, selling=held.selling + working)
