"""Drawdowns that others have published or test against, as worked cases.

- LEAN, MaximumDrawdownPercentPortfolioTests: 10 % of 100,000; a loss of 10,000 does not trip, 10,001 does.
- FTMO, 1-step: 10 % of 100,000 below the best end-of-day balance; daily loss from midnight in Prague.
- empyrical, tests/conftest.py: daily returns `negative_returns`, maximum drawdown -0.36590730.
- freqtrade, test_calculate_max_drawdown_abs: profits on 1,000; by money 1,000 (0.0909), by ratio 500 (0.5).
- freqtrade's users report 100 % for an account that is 1 % down, and 1.79 % after a day's lookback where the loss from
  the peak is 8.33 %: the same accounts measured here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from risk.rules.drawdown import Mark, Point, breached, mark_fold, mark_start, mark_view
from risk.rules.limits import DrawdownLimit
from tests.risk.rules.given import CHICAGO, drawdown_rule

START = datetime(2025, 5, 5, 14, 0, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")


def hourly(rule: DrawdownLimit, initial: str | int, equities: Sequence[Decimal | int | str]) -> Mark:
    points = [
        Point(at=START + timedelta(hours=hour), equity=Decimal(equity)) for hour, equity in enumerate(equities, start=1)
    ]
    return mark_fold(rule, mark_start(rule, Decimal(initial), START), points, CHICAGO)


@pytest.mark.parametrize(("loss", "trips"), [(10_000, False), (10_001, True)])
@pytest.mark.parametrize("mode", ["trailing_intraday", "static"])
def test_lean_ten_per_cent_of_a_hundred_thousand(mode: str, loss: int, trips: bool) -> None:
    rule = drawdown_rule(mode, "0.10")
    assert breached(mark_view(rule, hourly(rule, 100_000, [100_000 - loss]))) is trips


def test_lean_trailing_loss_is_measured_from_the_peak() -> None:
    rule = drawdown_rule(value="0.10")
    assert not breached(mark_view(rule, hourly(rule, 100_000, [110_000, 99_000])))
    assert breached(mark_view(rule, hourly(rule, 100_000, [110_000, "98999.99"])))


@pytest.mark.parametrize(
    ("balances", "floor"), [([100_000], 90_000), ([104_000], 94_000), ([104_000, 103_000], 94_000)]
)
def test_ftmo_floor_follows_the_best_end_of_day_balance(balances: list[int], floor: int) -> None:
    rule = drawdown_rule("trailing_eod", "0.10", "initial", reset_at="00:00")
    evening = datetime(2025, 5, 5, 20, 0, tzinfo=UTC)
    points = [Point(at=evening + timedelta(days=day), equity=Decimal(balance)) for day, balance in enumerate(balances)]
    next_morning = Point(at=points[-1].at + timedelta(hours=10), equity=points[-1].equity)
    mark = mark_fold(rule, mark_start(rule, Decimal(100_000), START), [*points, next_morning], PRAGUE)
    assert mark_view(rule, mark).floor == floor


def test_ftmo_daily_loss_is_five_per_cent_of_the_start_below_the_balance_at_midnight() -> None:
    rule = drawdown_rule("daily", "0.05", "initial", reset_at="00:00")
    before_midnight = Point(at=datetime(2025, 5, 5, 21, 59, tzinfo=UTC), equity=Decimal(102_000))
    after_midnight = Point(at=datetime(2025, 5, 5, 22, 1, tzinfo=UTC), equity=Decimal(97_000))
    mark = mark_fold(rule, mark_start(rule, Decimal(100_000), START), [before_midnight, after_midnight], PRAGUE)
    view = mark_view(rule, mark)
    assert view.floor == 97_000
    assert not breached(view)


def test_empyrical_maximum_drawdown_of_nine_losing_days() -> None:
    returns = [Decimal(percent) / 100 for percent in (0, -6, -7, -1, -9, -2, -6, -8, -5)]
    equities = list(accumulate(returns, lambda equity, change: equity * (1 + change), initial=Decimal(1)))
    rule = drawdown_rule()
    assert round(hourly(rule, 1, equities[1:]).worst, 8) == Decimal("0.36590730")


@pytest.mark.parametrize(
    ("of", "value", "amount", "fraction"),
    [("amount", "100", 1_000, "0.0909"), ("reference", "0.10", 500, "0.5")],
)
def test_freqtrade_worst_drawdown_by_money_and_by_ratio(of: str, value: str, amount: int, fraction: str) -> None:
    equities = list(accumulate((0, -500, 500, 10_000, -1_000), initial=1_000))[1:]
    mark = hourly(drawdown_rule(value=value, of=of), 1_000, equities)
    assert mark.worst_amount == amount
    assert round(mark.worst, 4) == Decimal(fraction)


def test_what_freqtrade_calls_100_per_cent_is_one_per_cent() -> None:
    rule = drawdown_rule()
    view = mark_view(rule, hourly(rule, 10_000, [9_950, 9_900]))
    assert view.drawdown == Decimal("0.01")
    assert not breached(view)


def test_what_freqtrade_s_lookback_calls_1_79_per_cent_is_8_33_per_cent() -> None:
    rule = drawdown_rule()
    fading = hourly(rule, 10_000, [12_000, *range(11_990, 10_990, -10)])
    assert round(mark_view(rule, fading).drawdown, 4) == Decimal("0.0833")


def test_the_specification_stops_above_five_per_cent_and_not_at_it() -> None:
    rule = drawdown_rule(value="0.05")
    assert not breached(mark_view(rule, hourly(rule, 100_000, [95_000])))
    assert breached(mark_view(rule, hourly(rule, 100_000, [94_000])))
