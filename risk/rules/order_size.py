"""Rule `order_size`: one opening is not larger than the caps on quantity and value; a larger one is reduced to them."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.effect import known_quantity
from risk.rules.exposure_types import ExposureView
from risk.rules.facts import Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import number
from risk.rules.notional import contract_values
from risk.rules.quantities import fitting
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Reduce to `order.max_quantity` and to what `order.max_value` buys; block where there is a cap and no quantity, or
    no value of a contract, to hold against it, and where not one contract fits."""
    cap = limits.order.max_quantity
    if cap is None and limits.order.max_value is None:
        return
    quantity = known_quantity(ask.quantity)
    if quantity is None:
        told = {} if cap is None else {"max_quantity": number(cap)}
        found = reason(ReasonCode.QUANTITY_UNKNOWN, {"decision": ask.decision} | told)
        yield Finding(RuleName.ORDER_SIZE, Outcome.BLOCK, found)
        return
    if cap is not None and quantity > cap:
        evidence = {"quantity": number(quantity), "max_quantity": number(cap)}
        found = reason(ReasonCode.ORDER_TOO_LARGE, evidence)
        yield Finding(RuleName.ORDER_SIZE, Outcome.REDUCE, found, max_quantity=cap)
    yield from _value(ask, facts, limits, now)


def _value(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    most, quantity = limits.order.max_value, known_quantity(ask.quantity)
    if most is None or quantity is None:
        return
    view = facts.exposure or ExposureView()
    values, unknown = contract_values([ask.instrument], ask, view, limits.exposure, now)
    for found in unknown:
        yield Finding(RuleName.ORDER_SIZE, Outcome.BLOCK, found)
    for value in values.values():
        fits = fitting(most / value, quantity)
        if quantity > fits:
            evidence = {
                "instrument": ask.instrument,
                "value": number(quantity * value),
                "max_value": number(most),
                "max_quantity": number(fits),
            }
            found = reason(ReasonCode.ORDER_VALUE_TOO_LARGE, evidence)
            outcome = Outcome.REDUCE if fits else Outcome.BLOCK
            yield Finding(RuleName.ORDER_SIZE, outcome, found, max_quantity=fits or None)
