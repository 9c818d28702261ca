"""Drawdown: where the reference stands, where the floor is, and how deep the account is below.

Drawdown = (reference - equity) / reference, 0 when above. Floor = reference - allowance. Breach: equity <
floor, strictly. The reference by mode:

- trailing_intraday: the highest equity seen, starting at the initial balance;
- trailing_eod: the highest of the equities known at each reset, starting at the initial balance;
- static: the initial balance;
- daily, weekly: the last equity known before the last reset, in the account's zone; where a rule begins between two
  resets, the higher of the initial balance and what the account is known to have had.

A point's equity includes its cash flow. A flow multiplies a fractional rule's reference and initial balance
by equity after / equity before, and shifts those of an amount rule by itself: a deposit changes no drawdown
and un-breaches nothing.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from risk.rules.facts import DrawdownView
from risk.rules.limits import AllowanceOf, DrawdownLimit, DrawdownMode
from risk.rules.messages import number

# Wider than money (15 digits) times a fraction (6 decimals), and independent of the thread's own context.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
# A reference scaled by a flow keeps more decimals than a floor, so that its rounding cannot cause a breach.
REFERENCE_STEP = Decimal("1e-14")
FLOOR_STEP = Decimal("1e-8")
FRACTION_STEP = Decimal("1e-10")

SUNDAY = 6
RESETTING = frozenset({DrawdownMode.TRAILING_EOD, DrawdownMode.DAILY, DrawdownMode.WEEKLY})
TRAILING = frozenset({DrawdownMode.TRAILING_INTRADAY, DrawdownMode.TRAILING_EOD})
PERIODIC = frozenset({DrawdownMode.DAILY, DrawdownMode.WEEKLY})


class PointError(ValueError):
    """An equity point that cannot be measured; `field` is the part of it that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Equity at a moment, in the account's currency. `cash_flow` (deposit > 0) is already inside `equity`."""

    at: datetime
    equity: Decimal
    cash_flow: Decimal = Decimal(0)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What one drawdown rule remembers between two points; a struct, since each point makes a new one.

    `initial` is the initial balance as moved by cash flows since. `reset_on` is the local date of the last
    reset. `flow_at` is the last cash flow or rebased peak: equity known before cannot be compared with equity after.
    `worst` is the deepest drawdown so far (a fraction; `worst_amount` the same in money), peak to trough;
    `worst_peak` is the reference it fell from, and `worst_recovered_at` is when equity was back there.
    """

    reference: Decimal
    reference_at: datetime
    initial: Decimal
    last_equity: Decimal
    last_at: datetime
    reset_on: date | None = None
    flow_at: datetime | None = None
    worst: Decimal = Decimal(0)
    worst_amount: Decimal = Decimal(0)
    worst_peak_at: datetime | None = None
    worst_trough_at: datetime | None = None
    worst_peak: Decimal | None = None
    worst_recovered_at: datetime | None = None


def mark_start(rule: DrawdownLimit, initial: Decimal, now: datetime, known: Decimal | None = None) -> Mark:
    """Start remembering for `rule`; the initial balance (> 0) is its first reference and first equity.

    `known` is what the account had as its period began, as far as anybody knows: a daily or weekly rule that begins
    within its period measures from there, where that is higher.
    """
    if not (initial.is_finite() and initial > 0):
        raise PointError("initial", f"the initial balance of {rule.name} must be above 0")
    begin = max(initial, known) if known is not None and rule.mode in PERIODIC else initial
    return Mark(reference=begin, reference_at=now, initial=initial, last_equity=begin, last_at=now)


def mark_advance(rule: DrawdownLimit, mark: Mark, point: Point, zone: ZoneInfo) -> Mark:
    """Return the mark after `point`.

    A point older than the last one can raise an intraday peak (unless money flowed since) but never becomes
    the last equity. Raises PointError for equity that is not finite, for a flow out of nothing or into
    nothing, and for a flow older than the last point.
    """
    if not (point.equity.is_finite() and point.cash_flow.is_finite()):
        raise PointError("equity", "equity and cash flow must be finite numbers")
    if point.at < mark.last_at:
        return _advance_late(rule, mark, point)
    mark = _flow(rule, mark_roll(rule, mark, point.at, zone), point)
    mark = _raise_peak(rule, mark, point.equity, point.at)
    return _recover(_deepen(rule, replace(mark, last_equity=point.equity, last_at=point.at)))


def mark_rebase(mark: Mark, reference: Decimal, now: datetime) -> Mark:
    """Return the mark with its peak moved down to `reference`; nothing that was known before `now` raises it again.

    Raises PointError unless the new peak lies from the last equity up to below the old peak.
    """
    if not (reference.is_finite() and reference > 0 and mark.last_equity <= reference < mark.reference):
        low, high = number(mark.last_equity), number(mark.reference)
        raise PointError("reference", f"a peak from the last equity {low} up to below the present one {high}")
    return replace(mark, reference=reference, reference_at=now, flow_at=now)


def mark_fold(rule: DrawdownLimit, mark: Mark, points: Iterable[Point], zone: ZoneInfo) -> Mark:
    """Return the mark after all `points`, in the order given."""
    for point in points:
        mark = mark_advance(rule, mark, point, zone)
    return mark


def mark_roll(rule: DrawdownLimit, mark: Mark, now: datetime, zone: ZoneInfo) -> Mark:
    """Apply the reset that lies between the last point and `now`, if any, however many were missed."""
    if rule.mode not in RESETTING:
        return mark
    period = period_of(rule, now, zone)
    if mark.reset_on is not None and period <= mark.reset_on:
        return mark
    if mark.reset_on is None and period_of(rule, mark.last_at, zone) == period:
        return replace(mark, reset_on=period)
    mark = replace(mark, reset_on=period)
    if rule.mode is DrawdownMode.TRAILING_EOD and mark.last_equity <= mark.reference:
        return mark
    return replace(mark, reference=mark.last_equity, reference_at=mark.last_at)


def period_of(rule: DrawdownLimit, at: datetime, zone: ZoneInfo) -> date:
    """Return the local date of the last reset up to `at`: a day, or for weekly rules a Sunday."""
    local = at.astimezone(zone)
    day = local.date() if local.time() >= time.fromisoformat(rule.reset_at) else local.date() - timedelta(days=1)
    if rule.mode is DrawdownMode.WEEKLY:
        return day - timedelta(days=(day.weekday() - SUNDAY) % 7)
    return day


def reset_before(rule: DrawdownLimit, at: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of the last reset up to `at`."""
    return datetime.combine(period_of(rule, at, zone), time.fromisoformat(rule.reset_at), tzinfo=zone)


def floor(rule: DrawdownLimit, reference: Decimal, initial: Decimal) -> Decimal:
    """Return the lowest equity that is not a breach. `initial` is the mark's, not the account's."""
    allowance = rule.allowance.value
    if rule.allowance.of is not AllowanceOf.AMOUNT:
        allowance = EXACT.multiply(allowance, reference if rule.allowance.of is AllowanceOf.REFERENCE else initial)
    level = EXACT.subtract(reference, allowance).quantize(FLOOR_STEP, context=EXACT)
    return min(level, initial) if rule.stops_rising_at_initial and rule.mode in TRAILING else level


def drawdown(reference: Decimal, equity: Decimal) -> Decimal:
    """Return how far `equity` is below `reference` (> 0), as a positive fraction of it; 0 when above."""
    if reference <= 0:
        raise PointError("reference", "a drawdown needs a reference above 0")
    depth = EXACT.divide(EXACT.subtract(reference, equity), reference)
    return max(Decimal(0), depth).quantize(FRACTION_STEP, context=EXACT)


def mark_view(rule: DrawdownLimit, mark: Mark) -> DrawdownView:
    """Return the rule as measured at the last known equity, ready for the gate."""
    return DrawdownView(
        rule=rule,
        reference=mark.reference,
        floor=floor(rule, mark.reference, mark.initial),
        equity=mark.last_equity,
        drawdown=drawdown(mark.reference, mark.last_equity),
    )


def view_lowered(view: DrawdownView, equity: Decimal) -> DrawdownView:
    """Return the rule as measured at `equity` too, a late point: the lower of the two, with its own drawdown."""
    if equity >= view.equity:
        return view
    return dataclasses.replace(view, equity=equity, drawdown=drawdown(view.reference, equity))


def allowance_used(view: DrawdownView) -> Decimal:
    """Return the share of the allowance that is used up: 0 at the reference, 1 at the floor, negative above."""
    room = view.reference - view.floor
    return (view.reference - view.equity) / room if room > 0 else Decimal(1)


def breached(view: DrawdownView) -> bool:
    """Return whether equity is strictly below the floor."""
    return view.equity < view.floor


def _advance_late(rule: DrawdownLimit, mark: Mark, point: Point) -> Mark:
    if point.cash_flow:
        raise PointError("cash_flow", "a cash flow cannot be older than the last known equity")
    if mark.flow_at is not None and point.at < mark.flow_at:
        return mark
    return _deepen(rule, _raise_peak(rule, mark, point.equity, point.at))


def _flow(rule: DrawdownLimit, mark: Mark, point: Point) -> Mark:
    """Move reference and initial balance with the money that came in or went out."""
    if not point.cash_flow:
        return mark
    with localcontext(EXACT):
        before = point.equity - point.cash_flow
        if before <= 0 or point.equity <= 0:
            raise PointError("cash_flow", "equity must be above 0 before and after a cash flow")
        if rule.allowance.of is AllowanceOf.AMOUNT:
            reference, initial = mark.reference + point.cash_flow, mark.initial + point.cash_flow
        else:
            reference = (mark.reference * point.equity / before).quantize(REFERENCE_STEP)
            initial = (mark.initial * point.equity / before).quantize(REFERENCE_STEP)
    if reference <= 0:
        raise PointError("cash_flow", "the cash flow takes the reference to 0 or below")
    if mark.worst_peak is not None:
        with localcontext(EXACT):
            moved = mark.worst_peak * reference / mark.reference
        mark = replace(mark, worst_peak=moved.quantize(REFERENCE_STEP))
    return replace(mark, reference=reference, initial=initial, flow_at=point.at)


def _raise_peak(rule: DrawdownLimit, mark: Mark, equity: Decimal, at: datetime) -> Mark:
    if rule.mode is DrawdownMode.TRAILING_INTRADAY and equity > mark.reference:
        return replace(mark, reference=equity, reference_at=at)
    return mark


def _deepen(rule: DrawdownLimit, mark: Mark) -> Mark:
    """Keep the deepest drawdown: by money for an amount rule, by fraction for the others."""
    if 0 < mark.reference <= mark.last_equity:
        return mark
    depth = drawdown(mark.reference, mark.last_equity)
    amount = mark.reference - mark.last_equity
    deeper = amount > mark.worst_amount if rule.allowance.of is AllowanceOf.AMOUNT else depth > mark.worst
    if not deeper:
        return mark
    return replace(
        mark,
        worst=depth,
        worst_amount=amount,
        worst_peak_at=mark.reference_at,
        worst_trough_at=mark.last_at,
        worst_peak=mark.reference,
        worst_recovered_at=None,
    )


def _recover(mark: Mark) -> Mark:
    """Note when equity is back at the peak that the worst drawdown fell from."""
    if mark.worst_peak is None or mark.worst_recovered_at is not None or mark.last_equity < mark.worst_peak:
        return mark
    return replace(mark, worst_recovered_at=mark.last_at)
