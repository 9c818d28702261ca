"""Rule `exposure`: positions and notional stay within the caps of the instrument, the account and the desk.

Counted is the worst that can come of what is reported and what is under way: the position with every opening on one
side filled and none on the other (`Holding.gross`), summed without netting between contracts and accounts. Notional is
that, times the contract's multiplier, times the highest price known for it. Where a smaller quantity fits under every
cap, the ask is reduced to it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from risk.rules.ask import Ask, Side
from risk.rules.codes import ReasonCode
from risk.rules.effect import known_quantity, side_of
from risk.rules.exposure_types import ExposureView, Holding
from risk.rules.facts import Facts
from risk.rules.instruments import covers
from risk.rules.limits import ExposureLimits, Limits, RuleName
from risk.rules.messages import number
from risk.rules.notional import contract_values
from risk.rules.positions import position_reasons
from risk.rules.quantities import fitting
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason

ONE = Decimal(1)


class ExposureUnknownError(RuntimeError):
    """What is held and under way could not be read."""


@dataclass(frozen=True, slots=True)
class _Cap:
    """One cap: `scope` names it, `held` is all that counts towards it."""

    scope: str
    limit: Decimal
    held: tuple[Holding, ...]
    money: bool


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Reduce to what fits under every cap; block where nothing fits, or where what a cap needs is not known.

    Raises ExposureUnknownError where the holdings are not known: the gate turns that into a block.
    """
    view = facts.exposure
    own = limits.exposure
    desk = view.desk if view is not None else None
    if not own.capped and desk is None:
        return
    if view is None or (desk is not None and desk.holdings is None):
        raise ExposureUnknownError
    unknown = [*_unknowns(ask, facts, limits, view, now)]
    if unknown:
        yield from map(_block, unknown)
        return
    yield from _judge_caps(ask, view, own, _caps("account", ask.instrument, own, view.holdings), now)
    if desk is not None and desk.holdings is not None:
        held = (*view.holdings, *desk.holdings)
        yield from _judge_caps(ask, view, desk.limits, _caps("desk", ask.instrument, desk.limits, held), now)


def _unknowns(ask: Ask, facts: Facts, limits: Limits, view: ExposureView, now: datetime) -> Iterator[Reason]:
    """Why nobody can say what would be held."""
    if known_quantity(ask.quantity) is None:
        yield reason(ReasonCode.QUANTITY_UNKNOWN, {"decision": ask.decision})
    yield from position_reasons(facts.position, limits.freshness, now)
    others = view.desk.holdings or () if view.desk is not None else ()
    for held in (*view.holdings, *others):
        if held.unknown:
            evidence = {"instrument": held.instrument, "count": held.unknown}
            yield reason(ReasonCode.EXPOSURE_UNKNOWN, evidence)


def _caps(scope: str, instrument: str, limits: ExposureLimits, held: Sequence[Holding]) -> Iterator[_Cap]:
    """The caps that the ask counts towards."""
    yield from _pair(scope, limits.max_position, limits.max_notional, tuple(held))
    for cap in limits.instruments:
        if not covers(cap.instrument, instrument):
            continue
        covered = tuple(item for item in held if covers(cap.instrument, item.instrument))
        yield from _pair(f"{scope} {cap.instrument}", cap.max_position, cap.max_notional, covered)


def _pair(scope: str, position: Decimal | None, notional: Decimal | None, held: tuple[Holding, ...]) -> Iterator[_Cap]:
    if position is not None:
        yield _Cap(scope, position, held, money=False)
    if notional is not None:
        yield _Cap(scope, notional, held, money=True)


def _judge_caps(
    ask: Ask, view: ExposureView, limits: ExposureLimits, caps: Iterable[_Cap], now: datetime
) -> Iterator[Finding]:
    for cap in caps:
        instruments = [ask.instrument, *(held.instrument for held in cap.held)] if cap.money else []
        values, unknown = contract_values(instruments, ask, view, limits, now)
        if unknown:
            yield from map(_block, unknown)
            continue
        found = _over(ask, view, cap, values)
        if found is not None:
            yield found


def _over(ask: Ask, view: ExposureView, cap: _Cap, values: Mapping[str, Decimal]) -> Finding | None:
    """What is said where the ask does not fit under the cap whole."""
    nothing = Holding(instrument=ask.instrument)
    mine = next((held for held in view.holdings if held.instrument == ask.instrument), nothing)
    each, quantity = values.get(ask.instrument, ONE), known_quantity(ask.quantity) or Decimal(0)
    rest = sum((held.gross * values.get(held.instrument, ONE) for held in cap.held if held is not mine), Decimal(0))
    fits = fitting(_room(side_of(ask), mine, (cap.limit - rest) / each), quantity)
    if quantity <= fits:
        return None
    evidence = {
        "scope": cap.scope,
        "instrument": ask.instrument,
        "quantity": number(quantity),
        "held": number(rest + mine.gross * each),
        "limit": number(cap.limit),
        "max_quantity": number(fits),
    }
    found = reason(ReasonCode.NOTIONAL_CAP if cap.money else ReasonCode.POSITION_CAP, evidence)
    return Finding(RuleName.EXPOSURE, Outcome.REDUCE, found, max_quantity=fits) if fits else _block(found)


def _room(side: Side | None, mine: Holding, left: Decimal) -> Decimal:
    """How much more fits on the ask's side, on both where nobody knows which."""
    if mine.gross > left:
        return Decimal(0)
    return left - (mine.gross if side is None else mine.longest if side is Side.BUY else mine.shortest)


def _block(found: Reason) -> Finding:
    return Finding(RuleName.EXPOSURE, Outcome.BLOCK, found)
