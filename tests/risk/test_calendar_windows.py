"""Blackouts announced: once when one opens, once when it is over, however often and late the check runs."""

from datetime import timedelta
from typing import Any

import pytest

from mia_site.ops import timings
from mia_site.ops.models import Alert, Timing
from risk.limits_law import limits_submit
from risk.models import Account, AccountState, WindowAnnouncement
from risk.trade_window_filter import calendar_check
from tests.factories import LimitsVersionFactory
from tests.risk.calendars import ACTOR, DRAWDOWN, MINUTE, SECOND, desk_account, event, load, raised, told
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "fomc_clock")]
HALF_HOUR = timedelta(minutes=30)


def announced() -> list[str]:
    windows = Alert.objects.filter(code__startswith="window_")
    return list(windows.order_by("created_at", "id").values_list("code", flat=True))


def test_a_day_with_one_event_is_told_twice() -> None:
    load(event(FOMC))
    desk_account("ES-DEMO")
    minutes = [FOMC + minute * MINUTE for minute in range(-40, 41)]
    assert sum(calendar_check(minute) for minute in minutes) == 2
    (opened,) = raised("window_opened")
    (closed,) = raised("window_closed")
    assert (opened.priority, closed.priority) == (3, 2)
    assert told(opened) == ("Blackout until 2025-05-07 18:30 UTC for ES-DEMO: FOMC 2025-05-07 18:00 UTC")
    assert told(closed) == ("The blackout is over since 2025-05-07 18:30 UTC for ES-DEMO: FOMC 2025-05-07 18:00 UTC")
    assert opened.account == "ES-DEMO"
    row = WindowAnnouncement.objects.get()
    assert (row.opens_at, row.closes_at) == (FOMC - HALF_HOUR, FOMC + HALF_HOUR)
    assert (row.opened_at, row.closed_at) == (FOMC - HALF_HOUR, FOMC + 31 * MINUTE), "18:30 is inside"


def test_a_check_that_runs_twice_tells_once() -> None:
    load(event(FOMC))
    assert [calendar_check(FOMC), calendar_check(FOMC)] == [1, 0]
    over = FOMC + HALF_HOUR + SECOND
    assert [calendar_check(over), calendar_check(over)] == [1, 0]
    assert announced() == ["window_opened", "window_closed"]
    assert sum(Alert.objects.values_list("repeats", flat=True)) == 0
    timings.flush()
    assert {row.operation for row in Timing.objects.all()} == {"check_calendar"}


def test_limits_that_cannot_be_read_keep_nobody_else_from_being_told() -> None:
    load(event(FOMC))
    desk_account("ES-DEMO")
    desk_account("ES-OTHER")
    unread = LimitsVersionFactory(
        account=Account.objects.get(code="ES-OTHER"), version=2, body={"of": "another release"}
    )
    AccountState.objects.filter(account=unread.account).update(limits=unread, positions={"ES": "1"})
    assert calendar_check(FOMC) == 1
    (opened,) = raised("window_opened")
    assert told(opened).startswith("Blackout until 2025-05-07 18:30 UTC for ES-DEMO, ES-OTHER")


def test_a_check_that_was_overtaken_reopens_nothing() -> None:
    load(event(FOMC))
    calendar_check(FOMC)
    calendar_check(FOMC + HALF_HOUR + SECOND)
    assert calendar_check(FOMC + HALF_HOUR) == 0, "this one waited while the later one closed the window"


def test_a_late_check_tells_of_a_window_that_is_on_and_not_of_one_that_is_over() -> None:
    load(event(FOMC))
    assert calendar_check(FOMC + 20 * MINUTE) == 1
    assert calendar_check(FOMC + timedelta(hours=5)) == 1
    assert "over since 2025-05-07 18:30 UTC" in told(raised("window_closed")[0]), "not since the late check"
    load(event(FOMC + timedelta(days=1)))
    assert calendar_check(FOMC + timedelta(days=2)) == 0


def test_nothing_is_told_of_low_impact_undated_or_foreign_events() -> None:
    load(event(FOMC, "PMI", "0.7"))
    load("FOMC,0.8", header="type,impact")
    load(f"{event(FOMC, 'ECB rate decision')},EUR", header="start_time,type,impact,currency")
    assert calendar_check(FOMC) == 0
    assert not Alert.objects.exists()


def test_windows_that_overlap_are_one_blackout() -> None:
    load(event(FOMC), event(FOMC + 45 * MINUTE, "Press conference", "0.9"))
    assert calendar_check(FOMC) == 1
    assert "until 2025-05-07 19:15 UTC" in told(raised("window_opened")[0])
    assert calendar_check(FOMC + 31 * MINUTE) == 0
    assert calendar_check(FOMC + 75 * MINUTE) == 0
    assert calendar_check(FOMC + 76 * MINUTE) == 1
    assert "Press conference" in told(raised("window_closed")[0])


def test_events_at_one_time_are_named_together() -> None:
    load(event(FOMC, "CPI", "0.9"), event(FOMC, "FOMC"))
    load(event(FOMC, "FOMC"), source="another")
    calendar_check(FOMC)
    names = "CPI 2025-05-07 18:00 UTC; FOMC 2025-05-07 18:00 UTC"
    assert sorted(raised("window_opened")[0].params["events"].split("; ")) == sorted(names.split("; "))


def test_an_event_that_joins_extends_the_blackout_without_a_second_opening() -> None:
    load(event(FOMC))
    calendar_check(FOMC)
    load(event(FOMC + 20 * MINUTE, "Speech", "0.8"))
    assert calendar_check(FOMC + MINUTE) == 0
    assert WindowAnnouncement.objects.get().closes_at == FOMC + 50 * MINUTE
    assert calendar_check(FOMC + 40 * MINUTE) == 0
    assert calendar_check(FOMC + 51 * MINUTE) == 1


def test_an_event_taken_back_ends_its_blackout_at_once_and_may_come_again() -> None:
    load(event(FOMC))
    calendar_check(FOMC)
    load(event(FOMC, impact="0.1"))
    assert calendar_check(FOMC + MINUTE) == 1
    assert "over since 2025-05-07 18:01 UTC" in told(raised("window_closed")[0])
    load(event(FOMC))
    assert calendar_check(FOMC + 2 * MINUTE) == 1
    assert announced() == ["window_opened", "window_closed", "window_opened"]


def test_accounts_with_the_same_window_share_one_announcement() -> None:
    load(event(FOMC))
    wide: dict[str, Any] = {"minutes_before": 60, "minutes_after": 60, "impact_above": "0.7"}
    desk_account("ES-A")
    desk_account("ES-B")
    desk_account("ES-WIDE", blackout=wide)
    assert calendar_check(FOMC - timedelta(hours=1)) == 1
    assert calendar_check(FOMC - HALF_HOUR) == 1
    assert [alert.params["accounts"] for alert in raised("window_opened")] == ["ES-WIDE", "ES-A, ES-B"]
    assert [alert.account for alert in raised("window_opened")] == ["ES-WIDE", ""]


def test_an_account_that_does_not_judge_the_calendar_is_told_nothing() -> None:
    load(event(FOMC))
    off = {"calendar": {"mode": "off", "reason": "no calendar on this desk"}}
    desk_account("ES-OFF", rules=off)
    assert calendar_check(FOMC) == 0


def test_limits_changed_within_a_window_close_the_old_and_open_the_new() -> None:
    load(event(FOMC))
    desk_account("ES-DEMO")
    calendar_check(FOMC)
    longer = {"minutes_before": 30, "minutes_after": 45, "impact_above": "0.7"}
    limits_submit("ES-DEMO", {"drawdown": [DRAWDOWN], "blackout": longer}, actor=ACTOR, reason="longer")
    assert calendar_check(FOMC + MINUTE) == 2
    assert announced() == ["window_opened", "window_closed", "window_opened"]
    assert "until 2025-05-07 18:45 UTC" in told(raised("window_opened")[1])


def test_a_check_that_fails_half_way_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    load(event(FOMC))
    monkeypatch.setattr("risk.calendar_windows.alert_raise", lambda *args, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        calendar_check(FOMC)
    assert not WindowAnnouncement.objects.exists()
    monkeypatch.undo()
    assert calendar_check(FOMC) == 1


def test_the_still_clock_is_not_needed_by_the_check(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    fomc_clock.now = FOMC + timedelta(days=9)
    assert calendar_check(FOMC) == 1, "the check judges the moment it was given"
