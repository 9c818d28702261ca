"""Confirmation: one bad tick latches nothing, a breach that lasts does."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.drawdown import Mark, Point, PointError, allowance_used, breached, mark_fold, mark_rebase, mark_view
from risk.rules.limits import ConfirmationLimits, DrawdownLimit
from risk.rules.plausibility import implausible_move
from risk.rules.track import Track, doubt_view, track_dump, track_hear, track_load, track_settle, track_start
from tests.risk.rules.given import CHICAGO, INITIAL, NOW, drawdown_rule, limits
from tests.risk.rules.strategies import decimals, equity_curves

RULE = drawdown_rule()
THREE = ConfirmationLimits(points=3)
HALF_A_MINUTE = ConfirmationLimits(seconds=30)
EITHER = ConfirmationLimits(points=3, seconds=30)


def at(seconds: float, equity: str | int | Decimal, flow: str | int = 0) -> Point:
    return Point(at=NOW + timedelta(seconds=seconds), equity=Decimal(equity), cash_flow=Decimal(flow))


def heard(confirmation: ConfirmationLimits, *points: Point, rule: DrawdownLimit = RULE) -> Track:
    track = track_start(rule, INITIAL, NOW)
    for point in points:
        track = track_hear(rule, track, point, CHICAGO, confirmation)
    return track


def stands_breached(track: Track) -> bool:
    return breached(mark_view(RULE, track.mark))


def test_without_confirmation_the_first_point_below_the_floor_is_a_breach() -> None:
    track = heard(ConfirmationLimits(), at(1, 94_000))
    assert stands_breached(track) and track.doubt is None


def test_one_bad_tick_is_in_doubt_and_the_next_good_one_leaves_no_trace_of_it() -> None:
    track = heard(THREE, at(1, 100_500), at(2, 50))
    assert not stands_breached(track)
    view = doubt_view(RULE, track)
    assert view is not None and view.equity == 50 and view.points == 1
    assert view.floor == Decimal(95475)
    refuted = track_hear(RULE, track, at(3, 100_400), CHICAGO, THREE)
    assert refuted == heard(THREE, at(1, 100_500), at(3, 100_400))
    assert round(refuted.mark.worst, 6) == Decimal("0.000995")


def test_the_third_point_in_a_row_confirms_and_the_lowest_of_them_is_remembered() -> None:
    points = [at(1, 94_000), at(2, 90_000), at(3, 93_000)]
    assert not stands_breached(heard(THREE, *points[:2]))
    track = heard(THREE, *points)
    assert stands_breached(track) and track.doubt is None
    assert track.mark.last_equity == 93_000
    assert (track.mark.worst, track.mark.worst_trough_at) == (Decimal("0.1"), points[1].at)


@pytest.mark.parametrize(("seconds", "confirmed"), [(29, False), (30, True)])
def test_half_a_minute_below_the_floor_confirms(seconds: int, confirmed: bool) -> None:
    assert stands_breached(heard(HALF_A_MINUTE, at(0, 94_000), at(seconds, 94_500))) is confirmed


@pytest.mark.parametrize(("seconds", "confirmed"), [(29, False), (30, True)])
def test_time_alone_confirms_what_nothing_refutes(seconds: int, confirmed: bool) -> None:
    track = heard(HALF_A_MINUTE, at(0, 94_000))
    settled = track_settle(RULE, track, NOW + timedelta(seconds=seconds), CHICAGO, HALF_A_MINUTE)
    assert stands_breached(settled) is confirmed


def test_time_confirms_nothing_where_only_points_do() -> None:
    track = heard(THREE, at(0, 94_000))
    assert track_settle(RULE, track, NOW + timedelta(days=1), CHICAGO, THREE) == track


def test_points_or_time_whichever_comes_first() -> None:
    assert stands_breached(heard(EITHER, at(0, 94_000), at(1, 94_000), at(2, 94_000)))
    assert stands_breached(heard(EITHER, at(0, 94_000), at(30, 94_000)))


def test_when_confirmation_is_taken_away_a_doubt_is_believed() -> None:
    track = heard(THREE, at(0, 94_000))
    assert stands_breached(track_settle(RULE, track, NOW, CHICAGO, ConfirmationLimits()))


def test_a_late_good_point_refutes_nothing_and_a_late_bad_one_adds_to_the_doubt() -> None:
    late_good = heard(THREE, at(10, 94_000), at(5, 99_000))
    assert late_good.doubt is not None and late_good.doubt.points == 1
    late_bad = heard(THREE, at(10, 99_000), at(5, 94_000))
    assert late_bad.doubt is not None and not stands_breached(late_bad)


def test_a_point_with_a_cash_flow_is_believed_as_it_is() -> None:
    assert stands_breached(heard(THREE, at(0, 104_000, 10_000)))


def test_a_bad_tick_just_before_the_reset_is_not_the_day_s_reference() -> None:
    rule = drawdown_rule("daily", "0.05", reset_at="17:00")
    reset = NOW.replace(hour=22)
    points = [
        Point(at=reset - timedelta(minutes=2), equity=Decimal(100_000)),
        Point(at=reset - timedelta(minutes=1), equity=Decimal(50)),
        Point(at=reset + timedelta(minutes=1), equity=Decimal(99_000)),
    ]
    assert heard(THREE, *points, rule=rule).mark.reference == 100_000


@pytest.mark.parametrize("confirmation", [ConfirmationLimits(), THREE, EITHER])
def test_a_track_survives_its_trip_through_json(confirmation: ConfirmationLimits) -> None:
    track = heard(confirmation, at(1, 101_000), at(2, 94_000), at(3, "93000.25"))
    assert track_load(track_dump(track)) == track


def test_a_mark_from_before_recoveries_were_noted_is_read() -> None:
    values = track_dump(heard(ConfirmationLimits(), at(1, 94_000)))
    for newer in ("doubt", "worst_peak", "worst_recovered_at"):
        del values[newer]
    assert track_load(values).mark.worst == Decimal("0.06")


@given(equity_curves(), st.integers(2, 5))
def test_confirmation_never_finds_a_deeper_drawdown_than_believing_everything(points: list[Point], count: int) -> None:
    believed = mark_fold(RULE, track_start(RULE, INITIAL, NOW).mark, points, CHICAGO)
    assert heard(ConfirmationLimits(points=count), *points).mark.worst <= believed.worst


# Recovery


def test_the_worst_drawdown_says_when_it_was_recovered() -> None:
    track = heard(ConfirmationLimits(), at(1, 110_000), at(2, 99_000), at(3, 109_999), at(4, 110_000), at(5, 105_000))
    mark = track.mark
    assert (mark.worst, mark.worst_peak) == (Decimal("0.1"), Decimal(110_000))
    assert mark.worst_recovered_at == at(4, 0).at


def test_a_deeper_drawdown_is_not_recovered_because_an_older_one_was() -> None:
    track = heard(ConfirmationLimits(), at(1, 99_000), at(2, 100_000), at(3, 98_000))
    assert track.mark.worst_trough_at == at(3, 0).at
    assert track.mark.worst_recovered_at is None


def test_a_deposit_recovers_nothing() -> None:
    track = heard(ConfirmationLimits(), at(1, 98_000), at(2, 108_000, 10_000))
    assert track.mark.worst_recovered_at is None
    assert track_hear(RULE, track, at(3, 111_000), CHICAGO, THREE).mark.worst_recovered_at == at(3, 0).at


# Peaks moved by a person


def peaked() -> Mark:
    return heard(ConfirmationLimits(), at(1, 120_000), at(2, 110_000)).mark


def test_a_rebased_peak_is_the_new_reference_and_the_worst_stays() -> None:
    mark = mark_rebase(peaked(), Decimal(110_000), at(3, 0).at)
    assert mark.reference == 110_000 and mark_view(RULE, mark).drawdown == 0
    assert round(mark.worst, 4) == Decimal("0.0833")


def test_a_late_point_from_before_does_not_bring_a_rebased_peak_back() -> None:
    mark = mark_rebase(peaked(), Decimal(112_000), at(3, 0).at)
    track = track_hear(RULE, Track(mark=mark), at(1.5, 119_000), CHICAGO, ConfirmationLimits())
    assert track.mark.reference == 112_000


@pytest.mark.parametrize("reference", ["109999.99", "120000", "130000", "0", "NaN"])
def test_a_peak_can_only_be_moved_down_and_not_below_the_equity(reference: str) -> None:
    with pytest.raises(PointError, match="up to below the present one"):
        mark_rebase(peaked(), Decimal(reference), at(3, 0).at)


# The share of the allowance that is used up, and moves that nobody believes


@pytest.mark.parametrize(("equity", "used"), [(100_000, "0"), (96_000, "0.8"), (95_000, "1"), (94_000, "1.2")])
def test_four_of_five_per_cent_are_eight_tenths_of_the_allowance(equity: int, used: str) -> None:
    assert allowance_used(mark_view(RULE, heard(ConfirmationLimits(), at(1, equity)).mark)) == Decimal(used)


@pytest.mark.parametrize(
    ("equity", "flow", "move"),
    [("80000", 0, None), ("79999", 0, "0.20001"), ("120001", 0, "0.20001"), ("150000", 50_000, None)],
)
def test_equity_may_move_by_a_fifth_between_two_points(equity: str, flow: int, move: str | None) -> None:
    under = limits(plausibility={"max_move": "0.2"}).plausibility
    found = implausible_move(INITIAL, at(1, equity, flow), under)
    assert found == (None if move is None else Decimal(move))


def test_a_first_point_is_believed_and_so_is_everything_without_a_limit() -> None:
    under = limits(plausibility={"max_move": "0.2"}).plausibility
    assert implausible_move(None, at(1, 5), under) is None
    assert implausible_move(Decimal(0), at(1, 5), under) is None
    assert implausible_move(INITIAL, at(1, 5), limits().plausibility) is None


@given(decimals("1000", "200000", 2), decimals("1000", "200000", 2), st.sampled_from([2, 10, 1000]))
def test_a_move_is_the_same_whatever_the_money_is_counted_in(before: Decimal, after: Decimal, scale: int) -> None:
    under = limits(plausibility={"max_move": "0.2"}).plausibility
    scaled = implausible_move(before * scale, at(1, after * scale), under)
    assert scaled == implausible_move(before, at(1, after), under)
