"""Rule `duplicates`: the same opening twice within seconds is more likely a bot's fault than its wish."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.effect import side_of
from risk.rules.facts import Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


class OpeningsUnknownError(RuntimeError):
    """The openings let through lately could not be read."""


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block where the same instrument, side and size were let through less than `pace.duplicate_seconds` ago.

    Another trade_id does not make it another order. Raises OpeningsUnknownError where the openings are not known: the
    gate turns that into a block.
    """
    seconds = limits.pace.duplicate_seconds
    if seconds is None:
        return
    if facts.openings is None:
        raise OpeningsUnknownError
    window = timedelta(seconds=seconds)
    size = _size(ask.quantity, limits.order.max_quantity)
    side = side_of(ask)
    same = ask.instrument, side, size
    alike = [
        told
        for told in facts.openings
        if now - told.at < window and (told.instrument, told.side, told.quantity) == same
    ]
    if alike:
        last = max(alike, key=lambda told: told.at)
        evidence = {
            "earlier_id": last.id,
            "earlier_at": instant(last.at),
            "instrument": ask.instrument,
            "side": str(side or "-"),
            "quantity": "-" if size is None else number(size),
            "duplicate_seconds": seconds,
        }
        found = reason(ReasonCode.DUPLICATE_ORDER, evidence, last.at + window)
        yield Finding(RuleName.DUPLICATES, Outcome.BLOCK, found)


def _size(quantity: Decimal | None, cap: Decimal | None) -> Decimal | None:
    """What is left of the quantity under the cap: that is what was let through the first time."""
    return quantity if quantity is None or cap is None else min(quantity, cap)
