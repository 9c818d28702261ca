"""Accounts that hold something are told before a blackout opens."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from risk.inputs import PositionInput, PositionsInput
from risk.risk_controller import positions_record
from risk.trade_window_filter import calendar_check
from tests.risk.calendars import ACTOR, MINUTE, SECOND, desk_account, event, load, raised, told
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "fomc_clock")]
OPENS = FOMC - timedelta(minutes=30)


@pytest.fixture
def holding(desk_clock: StillClock) -> None:
    """An account that holds two ES, a quarter of an hour's warning; another that holds nothing."""
    load(event(FOMC), event(FOMC + 10 * MINUTE, "Press conference"))
    desk_account("ES-DEMO")
    desk_account("ES-FLAT")
    report = PositionsInput(at=desk_clock.now, positions=(PositionInput(instrument="ESM5", quantity=Decimal(2)),))
    positions_record(account="ES-DEMO", report=report, actor=ACTOR)


def test_an_account_with_a_position_is_warned_once_before_the_window(holding: None) -> None:
    assert calendar_check(OPENS - 15 * MINUTE - SECOND) == 0
    assert [calendar_check(OPENS - minute * MINUTE) for minute in (15, 14, 1)] == [1, 0, 0]
    (alert,) = raised("window_ahead")
    assert (alert.account, alert.priority) == ("ES-DEMO", 3)
    assert told(alert) == (
        "ES-DEMO holds ESM5: a blackout opens at 2025-05-07 17:30 UTC (FOMC), no new trade will be allowed"
    )


def test_inside_a_blackout_nothing_warns_of_the_one_it_is_part_of(holding: None) -> None:
    calendar_check(OPENS + MINUTE)
    assert not raised("window_ahead")


def test_more_accounts_ask_no_more_queries(holding: None, desk_clock: StillClock) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            calendar_check(OPENS - 60 * MINUTE)
        return len(asked)

    few = queries()
    for place in range(5):
        desk_account(f"ES-{place}")
        report = PositionsInput(at=desk_clock.now, positions=(PositionInput(instrument="ES", quantity=Decimal(1)),))
        positions_record(account=f"ES-{place}", report=report, actor=ACTOR)

    assert queries() == few
