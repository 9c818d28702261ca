"""Rule `price`: the price of an opening stays within a collar around a dated reference price."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.exposure_types import PriceView
from risk.rules.facts import Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block a price further than `price.max_deviation` from the reference, on either side; and where the price or the
    reference is not known, or the reference is too old."""
    most = limits.price.max_deviation
    if most is None:
        return
    price, reference = ask_price(ask), None if facts.exposure is None else facts.exposure.reference
    if price is None:
        yield _block(reason(ReasonCode.PRICE_UNKNOWN, {"instrument": ask.instrument}))
        return
    doubt = price_reason(ask.instrument, reference, timedelta(seconds=limits.price.reference_seconds), now)
    if doubt is not None or reference is None:
        yield _block(doubt or reason(ReasonCode.REFERENCE_MISSING, {"instrument": ask.instrument}))
        return
    deviation = abs(price - reference.price) / reference.price
    if deviation > most:
        evidence = {
            "price": number(price),
            "reference": number(reference.price),
            "reference_at": instant(reference.at),
            "source": reference.source,
            "deviation": number(round(deviation, 6)),
            "max_deviation": number(most),
        }
        yield _block(reason(ReasonCode.PRICE_OUTSIDE_COLLAR, evidence))


def ask_price(ask: Ask) -> Decimal | None:
    """The price of the ask if it can be judged: a finite number above 0."""
    return ask.price if ask.price is not None and ask.price.is_finite() and ask.price > 0 else None


def price_reason(instrument: str, seen: PriceView | None, max_age: timedelta, now: datetime) -> Reason | None:
    """Why a reference price does not count; None where it does."""
    if seen is None or seen.price <= 0:
        return reason(ReasonCode.REFERENCE_MISSING, {"instrument": instrument})
    if abs(now - seen.at) <= max_age:
        return None
    evidence = {
        "instrument": instrument,
        "at": instant(seen.at),
        "age_seconds": round((now - seen.at).total_seconds()),
        "max_age_seconds": round(max_age.total_seconds()),
    }
    return reason(ReasonCode.REFERENCE_STALE, evidence)


def _block(found: Reason) -> Finding:
    return Finding(RuleName.PRICE, Outcome.BLOCK, found)
