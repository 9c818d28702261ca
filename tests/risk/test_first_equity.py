"""A daily or weekly rule that begins between two resets: from what it measures, and that a rebuild says the same."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from risk.models import Account, EquityPoint
from risk.projections import account_check
from tests.factories import EquityPointFactory
from tests.risk.accounts import CODE, account_under, drawdown_rule, report, state_now
from tests.stillness import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
DAILY = drawdown_rule("1000", of="amount", name="daily_loss", mode="daily")
WEEKLY = drawdown_rule("1000", of="amount", name="weekly_loss", mode="weekly")
BEFORE_RESET = datetime(2025, 5, 12, 21, 59, tzinfo=UTC)
"""17:00 in Chicago is 22:00 UTC: the reset before NOON of the 13th."""


def reference(rule: str = "daily_loss") -> Decimal:
    return Decimal(state_now().marks[rule]["reference"])


def imported(account: Account, at: datetime, equity: int) -> EquityPoint:
    point: EquityPoint = EquityPointFactory(account=account, seq=0, at=at, equity=Decimal(equity), origin="imported")
    return point


def test_an_account_that_comes_with_gains_is_measured_from_them() -> None:
    account_under(DAILY, WEEKLY)
    report(52_700, NOON.replace(hour=16))
    assert reference() == reference("weekly_loss") == 52_700
    assert report(51_699).state == "REDUCE_ONLY", "1,001 below what it came with"
    assert account_check(CODE) == []


def test_a_new_account_is_measured_from_its_initial_balance() -> None:
    account_under(DAILY)
    report(49_500)
    assert reference() == 50_000 and state_now().drawdown == Decimal("0.01")


def test_money_that_came_with_the_first_equity_is_no_gain() -> None:
    account_under(DAILY)
    report(60_000, cash_flow=10_000)
    assert reference() == 60_000 and state_now().drawdown == 0


def test_imported_equity_at_the_reset_is_what_the_day_is_measured_from() -> None:
    account = account_under(DAILY)
    imported(account, BEFORE_RESET, 52_000)
    imported(account, BEFORE_RESET.replace(hour=23), 53_000)
    report(51_500)
    assert reference() == 52_000 and state_now().state == "ACTIVE"
    assert account_check(CODE) == []


def test_imported_equity_below_the_initial_balance_lowers_nothing() -> None:
    account = account_under(DAILY)
    imported(account, BEFORE_RESET, 48_000)
    report(49_500)
    assert reference() == 50_000


def test_a_trailing_rule_still_begins_at_the_initial_balance() -> None:
    account_under(drawdown_rule("0.05", mode="trailing_eod"))
    report(52_700)
    assert reference("max_drawdown") == 50_000
