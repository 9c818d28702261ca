"""Orders of a replayed world: those that it let through, as their bot told of them, beside positions and prices as
recorded. An opening that it blocked reserves nothing, whatever was filled."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from risk.rules.ask import Ask, Effect
from risk.rules.effect import side_of
from risk.rules.exposure_types import ExposureView
from risk.rules.holdings import holdings_of, order_view
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.order_life import OrderTold, order_answered, order_end, order_start, order_tell
from risk.rules.reference import Quote, price_views, quotes_take
from risk.rules.replay_standing import OrderHeld, Standing
from risk.rules.replay_steps import Asked, OrderReported, PositionsTold, Step, TradeClosed
from risk.rules.verdict import VerdictKind

ANSWERED_KEPT = 1_000
"""Orders that positions answer for, of which a bot may still tell something new: the newest."""


def order_recall(standing: Standing, step: Step) -> None:
    """Folds what happened before the limits began, as recorded."""
    match step:
        case PositionsTold():
            positions_told(standing, step)
        case OrderReported():
            order_reported(standing, step)
        case TradeClosed():
            trade_ended(standing, step)
        case Asked():
            price_told(standing, step.quote)
            if step.verdict is not VerdictKind.BLOCK:
                quantity = step.max_quantity or step.ask.quantity
                order_admitted(standing, step, effect=step.effect, quantity=quantity, lasts=step.lasts)


def order_admitted(
    standing: Standing, step: Asked, *, effect: Effect, quantity: Decimal | None, lasts: timedelta
) -> None:
    """Takes in an order for `quantity`, which can live for `lasts`."""
    if effect is Effect.NEUTRAL:
        return
    told = step.max_quantity or step.ask.quantity
    smaller = quantity is not None and told is not None and quantity < told
    life = order_start(at=step.at, quantity=quantity, lasts=lasts if effect is Effect.OPENS else None)
    order = OrderHeld(
        instrument=step.ask.instrument, effect=effect, side=side_of(step.ask), life=life,
        most=quantity if smaller else None,
    )  # fmt: skip
    _keep(standing, step.decision_id, order)


def positions_told(standing: Standing, step: PositionsTold) -> None:
    """Takes a report in, unless a newer one is known; orders that it answers for are put aside."""
    if standing.positions_at is not None and step.as_of < standing.positions_at:
        return
    standing.positions, standing.positions_at = step.positions, step.as_of
    for key, order in list(standing.orders.items()):
        _keep(standing, key, order)


def order_reported(standing: Standing, step: OrderReported) -> None:
    """Takes in what became of an order."""
    price_told(standing, step.quote)
    order = _found(standing, step.decision_id)
    if order is not None:
        life = order_tell(order.life, _at_most(order, step.told), standing.positions_at)
        _keep(standing, step.decision_id, replace(order, life=life))


def trade_ended(standing: Standing, step: TradeClosed) -> None:
    """Of a trade that was closed nothing is under way."""
    order = _found(standing, step.decision_id)
    if order is not None and order.effect is Effect.OPENS:
        _keep(standing, step.decision_id, replace(order, life=order_end(order.life, step.closed_at)))


def price_told(standing: Standing, quote: Quote | None) -> None:
    """Takes in a price, whoever told it: the market is as recorded."""
    if quote is not None:
        standing.prices = quotes_take(standing.prices, quote)


def exposure_view(standing: Standing, limits: Limits, ask: Ask) -> ExposureView:
    """What the account would hold and have under way, where a cap asks for it, and the last known prices."""
    prices = price_views(standing.prices)
    capped = limits.exposure.capped and limits.rule_mode(RuleName.EXPOSURE) is not RuleMode.OFF
    views = (
        order_view(
            order.life, instrument=order.instrument, effect=order.effect, side=order.side,
            positions_at=standing.positions_at,
        )
        for order in standing.orders.values()
    )  # fmt: skip
    return ExposureView(
        holdings=holdings_of(standing.positions, filter(None, views)) if capped else (),
        reference=prices.get(ask.instrument),
        prices=prices,
    )


def _found(standing: Standing, key: str) -> OrderHeld | None:
    return standing.orders.get(key) or standing.answered.get(key)


def _at_most(order: OrderHeld, told: OrderTold) -> OrderTold:
    """Of an order that would have been smaller no more than it is filled."""
    if order.most is None or told.filled is None:
        return told
    return OrderTold(status=told.status, at=told.at, filled=min(told.filled, order.most))


def _keep(standing: Standing, key: str, order: OrderHeld) -> None:
    """Among those that count, or those that positions answer for: what is told of it may bring one back."""
    standing.orders.pop(key, None)
    standing.answered.pop(key, None)
    answered = order_answered(order.life, standing.positions_at)
    (standing.answered if answered else standing.orders)[key] = order
    if len(standing.answered) > ANSWERED_KEPT:
        standing.answered.pop(next(iter(standing.answered)))
