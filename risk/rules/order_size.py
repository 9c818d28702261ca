"""Rule `order_size`: one opening is not larger than the cap; a larger one is reduced to it."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.codes import ReasonCode
from risk.rules.effect import known_quantity
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import number
from risk.rules.reasons import reason
from risk.rules.types import Ask, Facts, Finding, Outcome


def judge(ask: Ask, _facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Reduce to `order.max_quantity`; block where there is a cap and no quantity to hold against it."""
    cap = limits.order.max_quantity
    if cap is None:
        return
    quantity = known_quantity(ask.quantity)
    if quantity is None:
        found = reason(ReasonCode.QUANTITY_UNKNOWN, {"decision": ask.decision, "max_quantity": number(cap)})
        yield Finding(RuleName.ORDER_SIZE, Outcome.BLOCK, found)
    elif quantity > cap:
        evidence = {"quantity": number(quantity), "max_quantity": number(cap)}
        found = reason(ReasonCode.ORDER_TOO_LARGE, evidence)
        yield Finding(RuleName.ORDER_SIZE, Outcome.REDUCE, found, max_quantity=cap)
