"""References, floors and resets, told as trading days with round numbers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, getcontext, localcontext
from zoneinfo import ZoneInfo

import pytest

from risk.rules.drawdown import (
    Mark,
    Point,
    PointError,
    breached,
    drawdown,
    floor,
    mark_advance,
    mark_fold,
    mark_roll,
    mark_start,
    mark_view,
    period_of,
)
from risk.rules.limits import DrawdownLimit
from risk.rules.mark_codec import mark_dump, mark_load
from tests.risk.rules.given import CHICAGO, INITIAL, drawdown_rule

MONDAY = datetime(2025, 5, 5, 14, 0, tzinfo=UTC)
"""Monday, 9:00 in Chicago. The futures day ends at 17:00 there, which is 22:00 UTC."""


def at(hours: float, equity: int | str, flow: int | str = 0) -> Point:
    return Point(at=MONDAY + timedelta(hours=hours), equity=Decimal(equity), cash_flow=Decimal(flow))


def after(rule: DrawdownLimit, *points: Point, zone: ZoneInfo = CHICAGO) -> Mark:
    return mark_fold(rule, mark_start(rule, INITIAL, MONDAY), points, zone)


def numbers(*values: int | str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def test_a_trailing_reference_starts_at_the_initial_balance() -> None:
    view = mark_view(drawdown_rule(), after(drawdown_rule(), at(1, 96_000)))
    assert (view.reference, view.floor, view.drawdown) == numbers(100_000, 95_000, "0.04")
    assert not breached(view)


def test_a_trailing_reference_follows_the_highest_equity_and_never_falls() -> None:
    rule = drawdown_rule()
    view = mark_view(rule, after(rule, at(1, 110_000), at(2, 105_000)))
    assert (view.reference, view.floor) == numbers(110_000, 104_500)
    assert after(rule, at(1, 110_000), at(2, 105_000)).reference_at == MONDAY + timedelta(hours=1)


def test_equity_at_the_floor_is_no_breach_and_a_cent_below_is() -> None:
    rule = drawdown_rule()
    assert not breached(mark_view(rule, after(rule, at(1, 95_000))))
    assert breached(mark_view(rule, after(rule, at(1, "94999.99"))))


def test_a_static_rule_measures_from_the_initial_balance_whatever_was_won() -> None:
    rule = drawdown_rule("static", "0.10", "initial")
    view = mark_view(rule, after(rule, at(1, 150_000), at(2, 91_000)))
    assert (view.reference, view.floor, view.drawdown) == numbers(100_000, 90_000, "0.09")


def test_an_amount_is_money_below_the_reference() -> None:
    rule = drawdown_rule(value="2000", of="amount")
    view = mark_view(rule, after(rule, at(1, 103_000), at(2, 101_000)))
    assert (view.reference, view.floor) == numbers(103_000, 101_000)
    assert not breached(view)


def test_a_share_of_the_initial_balance_stays_the_same_money_as_the_peak_rises() -> None:
    rule = drawdown_rule(value="0.05", of="initial")
    assert mark_view(rule, after(rule, at(1, 120_000))).floor == 115_000


def test_a_floor_may_stop_rising_at_the_initial_balance() -> None:
    rule = drawdown_rule(value="2000", of="amount", stops_rising_at_initial=True)
    assert mark_view(rule, after(rule, at(1, 101_000))).floor == 99_000
    assert mark_view(rule, after(rule, at(1, 102_000))).floor == 100_000
    assert mark_view(rule, after(rule, at(1, 110_000))).floor == 100_000


def test_a_daily_floor_is_not_capped_by_the_initial_balance() -> None:
    rule = drawdown_rule("daily", "2000", "amount", stops_rising_at_initial=True)
    assert mark_view(rule, after(rule, at(1, 110_000), at(9, 109_000))).floor == 108_000


def test_a_daily_reference_is_the_last_equity_before_the_reset() -> None:
    rule = drawdown_rule("daily", "2000", "amount")
    during_monday = after(rule, at(1, 104_000), at(2, 101_500))
    assert mark_view(rule, during_monday).floor == 98_000
    evening = mark_view(rule, mark_advance(rule, during_monday, at(9, 100_000), CHICAGO))
    assert (evening.reference, evening.floor) == numbers(101_500, 99_500)


def test_a_loss_seen_at_the_very_reset_belongs_to_the_new_day() -> None:
    rule = drawdown_rule("daily", "2000", "amount")
    view = mark_view(rule, after(rule, at(7, 100_000), at(8, 97_000)))
    assert view.reference == 100_000
    assert breached(view) is True


def test_a_silent_feed_over_several_resets_keeps_the_last_known_equity() -> None:
    rule = drawdown_rule("daily", "2000", "amount")
    quiet = after(rule, at(1, 103_000))
    thursday = mark_advance(rule, quiet, at(24 * 3 + 1, 102_000), CHICAGO)
    assert thursday.reference == 103_000
    assert thursday.reset_on == date(2025, 5, 7)
    later = mark_advance(rule, thursday, at(24 * 3 + 2, 90_000), CHICAGO)
    assert later.reference == 103_000


def test_a_reset_counts_without_a_new_point_when_somebody_looks() -> None:
    rule = drawdown_rule("daily", "2000", "amount")
    lost = after(rule, at(1, 97_000))
    assert breached(mark_view(rule, lost))
    tuesday = mark_roll(rule, lost, MONDAY + timedelta(hours=24), CHICAGO)
    assert tuesday.reference == 97_000
    assert breached(mark_view(rule, tuesday)) is False
    assert mark_roll(rule, tuesday, MONDAY + timedelta(hours=25), CHICAGO) == tuesday


def test_rolling_before_a_point_changes_nothing_about_what_the_point_finds() -> None:
    rule = drawdown_rule("daily", "2000", "amount")
    mark, point = after(rule, at(1, 103_000)), at(30, 99_000)
    rolled = mark_roll(rule, mark, MONDAY + timedelta(hours=29), CHICAGO)
    assert mark_advance(rule, rolled, point, CHICAGO) == mark_advance(rule, mark, point, CHICAGO)


def test_an_end_of_day_reference_ignores_what_was_high_only_during_the_day() -> None:
    rule = drawdown_rule("trailing_eod", "0.05")
    view = mark_view(rule, after(rule, at(1, 110_000), at(7, 102_000), at(9, 101_000)))
    assert (view.reference, view.floor) == numbers(102_000, 96_900)


def test_an_end_of_day_reference_never_falls() -> None:
    rule = drawdown_rule("trailing_eod", "0.05")
    view = mark_view(rule, after(rule, at(7, 104_000), at(31, 103_000), at(33, 103_000)))
    assert view.reference == 104_000


def test_a_weekly_reference_is_taken_on_sunday_when_the_futures_week_opens() -> None:
    rule = drawdown_rule("weekly", "0.05")
    friday = at(24 * 4, 98_000)
    assert after(rule, at(1, 104_000), friday).reference == 100_000
    sunday_before, sunday_after = at(24 * 6 + 7.9, 98_500), at(24 * 6 + 8.1, 98_400)
    assert after(rule, friday, sunday_before).reference == 100_000
    assert after(rule, friday, sunday_before, sunday_after).reference == 98_500
    assert after(rule, friday, sunday_after).reset_on == date(2025, 5, 11)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # New York, spring: at 2:00 the clock jumps to 3:00, so that 2:30 does not exist on 2025-03-09.
        (datetime(2025, 3, 9, 6, 59, tzinfo=UTC), date(2025, 3, 8)),
        (datetime(2025, 3, 9, 7, 0, tzinfo=UTC), date(2025, 3, 9)),
        # Autumn: on 2025-11-02 the hour from 1:00 to 2:00 comes twice; 2:30 comes once.
        (datetime(2025, 11, 2, 6, 30, tzinfo=UTC), date(2025, 11, 1)),
        (datetime(2025, 11, 2, 7, 29, tzinfo=UTC), date(2025, 11, 1)),
        (datetime(2025, 11, 2, 7, 30, tzinfo=UTC), date(2025, 11, 2)),
    ],
)
def test_a_reset_at_half_past_two_finds_both_days_when_the_clocks_change(moment: datetime, day: date) -> None:
    rule = drawdown_rule("daily", "0.02", reset_at="02:30")
    assert period_of(rule, moment, ZoneInfo("America/New_York")) == day


def test_a_reset_in_the_hour_that_comes_twice_happens_once() -> None:
    rule, new_york = drawdown_rule("daily", "0.02", reset_at="01:30"), ZoneInfo("America/New_York")
    night = datetime(2025, 11, 2, 5, 0, tzinfo=UTC)
    mark = mark_start(rule, INITIAL, night)
    references = []
    for minutes, equity in ((10, 101_000), (40, 102_000), (70, 103_000), (100, 104_000)):
        point = Point(at=night + timedelta(minutes=minutes), equity=Decimal(equity))
        mark = mark_advance(rule, mark, point, new_york)
        references.append(mark.reference)
    assert references == [100_000, 101_000, 101_000, 101_000]


@pytest.mark.parametrize("season", [datetime(2025, 1, 6, tzinfo=UTC), datetime(2025, 7, 7, tzinfo=UTC)])
def test_midnight_in_prague_is_the_reset_in_winter_and_in_summer(season: datetime) -> None:
    rule, prague = drawdown_rule("daily", "0.05", "initial", reset_at="00:00"), ZoneInfo("Europe/Prague")
    midnight = datetime(season.year, season.month, season.day, tzinfo=prague).astimezone(UTC)
    assert period_of(rule, midnight, prague) == season.date()
    assert period_of(rule, midnight - timedelta(microseconds=1), prague) == season.date() - timedelta(days=1)


def test_a_late_point_can_raise_the_peak_and_never_becomes_the_last_equity() -> None:
    rule = drawdown_rule()
    mark = after(rule, at(1, 100_000), at(3, 104_000), at(2, 110_000))
    assert (mark.reference, mark.last_equity) == numbers(110_000, 104_000)
    assert breached(mark_view(rule, mark))
    assert (mark.worst_peak_at, mark.worst_trough_at) == (at(2, 0).at, at(3, 0).at)


def test_a_late_point_below_the_floor_is_not_the_last_equity_either() -> None:
    rule = drawdown_rule()
    mark = after(rule, at(1, 100_000), at(3, 100_000), at(2, 80_000))
    assert mark == after(rule, at(1, 100_000), at(3, 100_000))


def test_a_late_point_from_before_a_withdrawal_raises_no_peak() -> None:
    rule = drawdown_rule()
    mark = after(rule, at(1, 100_000), at(3, 50_000, -50_000), at(2, 101_000))
    assert mark.reference == 50_000


def test_a_cash_flow_cannot_be_reported_late() -> None:
    rule = drawdown_rule()
    mark = after(rule, at(3, 100_000))
    with pytest.raises(PointError) as caught:
        mark_advance(rule, mark, at(2, 110_000, 10_000), CHICAGO)
    assert caught.value.field == "cash_flow"


def test_a_deposit_scales_a_fractional_reference_and_shifts_an_amount_floor() -> None:
    fraction, amount = drawdown_rule(), drawdown_rule(value="5000", of="amount")
    deposited = (at(1, 96_000), at(2, 192_000, 96_000))
    scaled = mark_view(fraction, after(fraction, *deposited))
    assert (scaled.reference, scaled.floor, scaled.drawdown) == numbers(200_000, 190_000, "0.04")
    shifted = mark_view(amount, after(amount, *deposited))
    assert (shifted.reference, shifted.floor) == numbers(196_000, 191_000)


def test_a_deposit_does_not_lift_a_breach_and_a_withdrawal_does_not_cause_one() -> None:
    for rule in (
        drawdown_rule(),
        drawdown_rule(value="0.05", of="initial"),
        drawdown_rule(value="5000", of="amount"),
    ):
        assert breached(mark_view(rule, after(rule, at(1, 94_000), at(2, 194_000, 100_000))))
        assert not breached(mark_view(rule, after(rule, at(1, 96_000), at(2, 46_000, -50_000))))


def test_a_deposit_moves_the_initial_balance_of_a_static_rule_too() -> None:
    rule = drawdown_rule("static", "0.10", "initial")
    view = mark_view(rule, after(rule, at(1, 95_000), at(2, 190_000, 95_000)))
    assert (view.reference, view.floor, view.drawdown) == numbers(200_000, 180_000, "0.05")


def test_the_equity_just_before_a_flow_can_be_the_peak() -> None:
    rule = drawdown_rule()
    assert after(rule, at(1, 60_000, -60_000)).reference == 60_000


def test_equity_at_the_floor_is_still_no_breach_after_an_awkward_deposit() -> None:
    rule = drawdown_rule()
    mark = after(rule, at(1, 95_000), at(2, "95333.33", "333.33"), at(3, "31777.7767", "-63555.5533"))
    view = mark_view(rule, mark)
    assert abs(view.floor - view.equity) < Decimal("1e-7")
    assert not breached(view)


@pytest.mark.parametrize("point", [at(1, 1_000, 1_000), at(1, 1_000, 2_000), at(1, 0, -100_000), at(1, -5, -100_005)])
def test_money_into_nothing_or_out_of_everything_cannot_be_measured(point: Point) -> None:
    for rule in (drawdown_rule(), drawdown_rule(value="5000", of="amount")):
        with pytest.raises(PointError) as caught:
            after(rule, point)
        assert isinstance(caught.value, ValueError)
        assert caught.value.field == "cash_flow"


def test_an_account_that_lost_half_cannot_be_emptied_either() -> None:
    rule = drawdown_rule(value="5000", of="amount")
    with pytest.raises(PointError):
        after(rule, at(1, 50_000), at(2, 0, -50_000))


@pytest.mark.parametrize("equity", ["NaN", "Infinity", "-Infinity"])
def test_equity_that_is_no_number_is_refused(equity: str) -> None:
    with pytest.raises(PointError) as caught:
        after(drawdown_rule(), at(1, equity))
    assert caught.value.field == "equity"


@pytest.mark.parametrize("initial", ["0", "-1", "NaN"])
def test_an_account_must_start_with_something(initial: str) -> None:
    with pytest.raises(PointError):
        mark_start(drawdown_rule(), Decimal(initial), MONDAY)


def test_a_drawdown_needs_a_reference_above_zero() -> None:
    with pytest.raises(PointError):
        drawdown(Decimal(0), Decimal(1))


def test_equity_below_zero_is_a_drawdown_of_more_than_everything() -> None:
    rule = drawdown_rule()
    view = mark_view(rule, after(rule, at(1, -10_000)))
    assert view.drawdown == Decimal("1.1")
    assert breached(view) is True


def test_equity_above_the_reference_is_no_drawdown() -> None:
    assert drawdown(Decimal(100), Decimal(120)) == 0


def test_the_worst_drawdown_is_kept_with_its_peak_and_trough_after_a_recovery() -> None:
    rule = drawdown_rule()
    mark = after(rule, at(1, 110_000), at(2, 99_000), at(3, 120_000), at(4, 114_000))
    assert (mark.worst, mark.worst_amount) == numbers("0.1", 11_000)
    assert (mark.worst_peak_at, mark.worst_trough_at) == (at(1, 0).at, at(2, 0).at)


def test_the_worst_day_is_kept_over_resets() -> None:
    rule = drawdown_rule("daily", "0.05")
    mark = after(rule, at(1, 97_000), at(24, 98_000), at(25, 97_500))
    assert mark.worst == Decimal("0.03")


def test_a_mark_survives_its_trip_through_json() -> None:
    rule = drawdown_rule("daily", "0.05")
    fresh = mark_start(rule, INITIAL, MONDAY)
    lived = after(rule, at(1, 110_000), at(9, "31777.7767", "-63555.5533"), at(10, 20_000))
    for mark in (fresh, lived):
        assert mark_load(mark_dump(mark)) == mark
        assert all(value is None or isinstance(value, str) for value in mark_dump(mark).values())


def test_a_mark_that_lost_a_figure_is_an_error_and_not_a_zero() -> None:
    written = mark_dump(mark_start(drawdown_rule(), INITIAL, MONDAY))
    with pytest.raises(ValueError, match="reference"):
        mark_load(written | {"reference": None})
    with pytest.raises(KeyError):
        mark_load({"reference": "1"})


def test_the_thread_s_own_decimal_precision_changes_nothing() -> None:
    rule = drawdown_rule(value="0.123456")
    points = (at(1, "99999999999.9999"), at(2, "88888888888.8888", "-3"))
    exact = mark_view(rule, after(rule, *points))
    with localcontext() as context:
        context.prec = 5
        assert mark_view(rule, after(rule, *points)) == exact
    assert getcontext().prec == 28
    assert floor(rule, Decimal("99999999999.9999"), INITIAL) == Decimal("87654399999.99991235")
