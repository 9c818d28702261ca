"""What a decision does to the account's risk: it opens, it reduces, or it does neither.

The effect follows from side, quantity and the reported position. What cannot be known counts as opening, and
a bot's own words ("open_long") can only make it stricter. Where an intended exit counts as an opening,
`effect_remarks` says why.

The decision word gives the side where the bot sends none:

| words | side |
|---|---|
| buy, long, enter_long, open_long, buy_to_open | buy |
| exit_short, close_short, buy_to_close, buy_to_cover, cover | buy |
| sell, short, enter_short, open_short, sell_to_open | sell |
| exit_long, close_long, sell_to_close | sell |
| hold, wait, skip, none, pass, stay, no_trade, do_nothing | none: neutral if no side and no quantity |

Any other word ("exit", "flat", "rebalance") says nothing about the side.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.ask import Ask, Effect, Side
from risk.rules.codes import ReasonCode
from risk.rules.facts import PositionView
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Reason

OPENING_WORDS = {
    "enter_long": Side.BUY,
    "open_long": Side.BUY,
    "buy_to_open": Side.BUY,
    "enter_short": Side.SELL,
    "open_short": Side.SELL,
    "sell_to_open": Side.SELL,
}
SIDE_WORDS = OPENING_WORDS | {
    "buy": Side.BUY,
    "long": Side.BUY,
    "exit_short": Side.BUY,
    "close_short": Side.BUY,
    "buy_to_close": Side.BUY,
    "buy_to_cover": Side.BUY,
    "cover": Side.BUY,
    "sell": Side.SELL,
    "short": Side.SELL,
    "exit_long": Side.SELL,
    "close_long": Side.SELL,
    "sell_to_close": Side.SELL,
}
NEUTRAL_WORDS = frozenset({"hold", "wait", "skip", "none", "pass", "stay", "no_trade", "do_nothing"})


def effect_of(ask: Ask, position: PositionView | None, now: datetime, max_age: timedelta) -> Effect:
    """Return the effect of `ask` on the position last reported; older than `max_age` it counts as unknown."""
    if word_of(ask) in NEUTRAL_WORDS and ask.side is None and not ask.quantity:
        return Effect.NEUTRAL
    if declares_opening(ask) or any(effect_remarks(ask, position, now, max_age)):
        return Effect.OPENS
    side = side_of(ask)
    closes = position is not None and side is not None and _opposite(side, position.quantity)
    return Effect.REDUCES if closes else Effect.OPENS


def effect_remarks(ask: Ask, position: PositionView | None, now: datetime, max_age: timedelta) -> Iterator[Reason]:
    """Say why what may be meant as an exit counts as an opening; nothing where it plainly is one."""
    side = side_of(ask)
    if side is None:
        yield reason(ReasonCode.SIDE_UNKNOWN, {"decision": ask.decision, "side": str(ask.side or "-")})
    quantity = known_quantity(ask.quantity)
    if quantity is None:
        yield reason(ReasonCode.QUANTITY_UNKNOWN, {"decision": ask.decision})
    if position is None:
        yield reason(ReasonCode.POSITION_UNKNOWN, {"instrument": ask.instrument})
    elif abs(now - position.at) > max_age:
        yield _position_stale(ask, position, now, max_age)
    elif side is not None and quantity is not None and _opposite(side, position.quantity):
        yield from _flip(quantity, position)


def side_of(ask: Ask) -> Side | None:
    """Return the side that the bot states or its word implies; None for neither, or if they disagree."""
    implied = SIDE_WORDS.get(word_of(ask))
    if ask.side is not None and implied is not None and ask.side != implied:
        return None
    return ask.side or implied


def declares_opening(ask: Ask) -> bool:
    """Return whether the bot itself says that it opens."""
    return word_of(ask) in OPENING_WORDS


def word_of(ask: Ask) -> str:
    """Return the decision word in the spelling of the tables above."""
    return ask.decision.strip().lower().replace("-", "_").replace(" ", "_")


def known_quantity(quantity: Decimal | None) -> Decimal | None:
    """Return the quantity if it can be judged: a finite number above 0."""
    return quantity if quantity is not None and quantity.is_finite() and quantity > 0 else None


def reducible(position: PositionView) -> Decimal:
    """Return the quantity that may still be closed: the position less what is already being closed."""
    return max(Decimal(0), abs(position.quantity) - position.pending_reductions)


def _opposite(side: Side, quantity: Decimal) -> bool:
    return quantity < 0 if side == Side.BUY else quantity > 0


def _flip(quantity: Decimal, position: PositionView) -> Iterator[Reason]:
    if quantity > reducible(position):
        yield reason(
            ReasonCode.POSITION_FLIP,
            {
                "quantity": number(quantity),
                "position": number(position.quantity),
                "pending_reductions": number(position.pending_reductions),
                "reducible": number(reducible(position)),
            },
        )


def _position_stale(ask: Ask, position: PositionView, now: datetime, max_age: timedelta) -> Reason:
    return reason(
        ReasonCode.POSITION_STALE,
        {
            "instrument": ask.instrument,
            "reported_at": instant(position.at),
            "age_seconds": round((now - position.at).total_seconds()),
            "max_age_seconds": round(max_age.total_seconds()),
        },
    )
