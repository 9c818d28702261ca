"""What holds for every equity curve."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.rules.drawdown import (
    Mark,
    Point,
    breached,
    mark_advance,
    mark_fold,
    mark_roll,
    mark_start,
    mark_view,
)
from risk.rules.limits import AllowanceOf, DrawdownLimit, DrawdownMode, limits_parse
from risk.rules.mark_codec import mark_dump, mark_load
from tests.risk.rules.given import CHICAGO, INITIAL, NOW
from tests.risk.rules.strategies import ALLOWANCES, MODES, decimals, drawdown_documents, equity_curves

TINY = Decimal("1e-7")
SHARES = (AllowanceOf.REFERENCE, AllowanceOf.INITIAL)
CURVES = equity_curves()


def rules(
    modes: tuple[DrawdownMode, ...] = MODES, of: tuple[AllowanceOf, ...] = ALLOWANCES
) -> st.SearchStrategy[DrawdownLimit]:
    return drawdown_documents("a", modes, of).map(lambda rule: limits_parse({"drawdown": [rule]}).drawdown[0])


def folded(rule: DrawdownLimit, points: list[Point], initial: Decimal = INITIAL) -> Mark:
    return mark_fold(rule, mark_start(rule, initial, NOW), points, CHICAGO)


@given(rules(of=SHARES), CURVES, decimals("0.001", "1000", 3))
def test_equity_scaled_by_any_factor_is_the_same_drawdown(
    rule: DrawdownLimit, points: list[Point], scale: Decimal
) -> None:
    scaled = [replace(point, equity=point.equity * scale) for point in points]
    one, other = mark_view(rule, folded(rule, points)), mark_view(rule, folded(rule, scaled, INITIAL * scale))
    assert other.drawdown == one.drawdown
    assert abs(other.floor - one.floor * scale) <= TINY * max(Decimal(1), scale)
    assert breached(other) is breached(one)


@given(rules(of=SHARES), CURVES, decimals("-900", "100000", 2))
def test_a_deposit_or_withdrawal_changes_no_drawdown_and_no_breach(
    rule: DrawdownLimit, points: list[Point], flow: Decimal
) -> None:
    mark = folded(rule, points)
    moved = mark_advance(rule, mark, _flow_after(mark, flow), CHICAGO)
    before, after = mark_view(rule, mark), mark_view(rule, moved)
    assert abs(after.drawdown - before.drawdown) <= TINY
    assert breached(after) is breached(before)


@given(rules(of=(AllowanceOf.AMOUNT,)), CURVES, decimals("-900", "100000", 2))
def test_a_flow_moves_an_amount_floor_by_itself(rule: DrawdownLimit, points: list[Point], flow: Decimal) -> None:
    mark = folded(rule, points)
    moved = mark_advance(rule, mark, _flow_after(mark, flow), CHICAGO)
    before, after = mark_view(rule, mark), mark_view(rule, moved)
    assert after.floor - before.floor == flow
    assert breached(after) is breached(before)


def _flow_after(mark: Mark, flow: Decimal) -> Point:
    """A flow right after the last point, and no other change of equity."""
    return Point(at=mark.last_at, equity=mark.last_equity + flow, cash_flow=flow)


@given(rules((DrawdownMode.STATIC, DrawdownMode.TRAILING_INTRADAY), SHARES), CURVES, st.data())
def test_raising_a_return_never_deepens_the_worst_drawdown(
    rule: DrawdownLimit, points: list[Point], data: st.DataObject
) -> None:
    # As in empyrical: raising a return multiplies all equity from that point on.
    factor = data.draw(decimals("1", "3", 2))
    low = _monthly_returns(points)
    raised = data.draw(st.integers(0, len(low) - 1))
    high = [
        replace(point, equity=point.equity * factor) if number >= raised else point for number, point in enumerate(low)
    ]
    assert folded(rule, high).worst <= folded(rule, low).worst


def _monthly_returns(points: list[Point]) -> list[Point]:
    return [replace(point, at=NOW + timedelta(days=30 * number)) for number, point in enumerate(points, 1)]


@given(rules(), CURVES, decimals("0.01", "5000", 2))
def test_losing_more_at_the_end_never_lifts_a_breach(rule: DrawdownLimit, points: list[Point], loss: Decimal) -> None:
    worse = [*points[:-1], replace(points[-1], equity=points[-1].equity - loss)]
    view, deeper = mark_view(rule, folded(rule, points)), mark_view(rule, folded(rule, worse))
    assert deeper.drawdown >= view.drawdown
    if breached(view):
        assert breached(deeper)


@given(rules(), CURVES)
def test_the_drawdown_is_never_negative_and_never_above_the_worst_fraction_of_a_fractional_rule(
    rule: DrawdownLimit, points: list[Point]
) -> None:
    mark = folded(rule, points)
    view = mark_view(rule, mark)
    assert view.drawdown >= 0
    if rule.allowance.of is not AllowanceOf.AMOUNT:
        assert mark.worst >= view.drawdown
    assert mark.worst_amount >= 0


@given(rules((DrawdownMode.TRAILING_INTRADAY, DrawdownMode.TRAILING_EOD)), CURVES)
def test_a_trailing_reference_never_falls(rule: DrawdownLimit, points: list[Point]) -> None:
    mark = mark_start(rule, INITIAL, NOW)
    for point in points:
        after = mark_advance(rule, mark, point, CHICAGO)
        assert after.reference >= mark.reference
        mark = after


@given(rules(), CURVES, st.integers(0, 20))
def test_looking_between_two_points_changes_nothing(rule: DrawdownLimit, points: list[Point], looks: int) -> None:
    mark = mark_start(rule, INITIAL, NOW)
    for point in points:
        gap = (point.at - mark.last_at) / (looks + 1)
        for look in range(looks):
            mark = mark_roll(rule, mark, mark.last_at + gap * look, CHICAGO)
        mark = mark_advance(rule, mark, point, CHICAGO)
    assert mark == folded(rule, points)


@given(rules(), equity_curves(flows=True))
def test_a_mark_kept_as_json_between_all_points_ends_the_same(rule: DrawdownLimit, points: list[Point]) -> None:
    mark = mark_start(rule, INITIAL, NOW)
    for point in points:
        mark = mark_advance(rule, mark_load(mark_dump(mark)), point, CHICAGO)
    assert mark == folded(rule, points)


@given(rules(), CURVES, CURVES)
def test_a_late_point_never_moves_the_last_equity_and_never_lowers_a_reference(
    rule: DrawdownLimit, points: list[Point], others: list[Point]
) -> None:
    mark = folded(rule, points)
    late = replace(others[0], at=mark.last_at - timedelta(seconds=1))
    after = mark_advance(rule, mark, late, CHICAGO)
    assert (after.last_equity, after.last_at) == (mark.last_equity, mark.last_at)
    assert after.reference >= mark.reference
