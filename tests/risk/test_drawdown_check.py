"""The periodic check: the net under the judgement of each point, snapshots that are due, silence, the heartbeat."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from risk import risk_controller
from risk.models import AccountState, Desk, Snapshot, StateChange
from risk.risk_controller import drawdown_check, trading_halt
from risk.tasks import check_drawdown
from tests.factories import AccountFactory
from tests.faults import failing_database, timed_operations
from tests.risk.accounts import CODE, MANAGER, account_under, drawdown_rule, report, state_now
from tests.risk.calendars import raised, told
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def desk_row() -> Desk:
    return Desk.objects.get_or_create(id=1)[0]


def slip_below(code: str = CODE) -> None:
    """Equity below the floor that nobody judged, as if the judgement had been lost."""
    state = state_now(code)
    state.marks["max_drawdown"]["last_equity"] = "47000"
    state.save()


# --- the net ------------------------------------------------------------------------------------------------


def test_it_stops_an_account_whose_breach_was_not_judged(desk_clock: StillClock) -> None:
    account_under()
    report(50_000)
    slip_below()
    assert drawdown_check() == 1
    assert state_now().state == "REDUCE_ONLY"
    assert StateChange.objects.get().actor == "worker:risk.tasks.check_drawdown"
    assert drawdown_check() == 0, "stopped is stopped"
    assert len(raised("drawdown_breached")) == 1


def test_a_floor_that_moves_with_the_day_is_found_without_new_equity(desk_clock: StillClock) -> None:
    """At 17:00 in Chicago the daily reference becomes the last equity: what was lost before is the day before's."""
    account_under(drawdown_rule("1000", of="amount", name="daily_loss", mode="daily"))
    report("48999")
    assert state_now().state == "REDUCE_ONLY"
    desk_clock.now = NOON + timedelta(hours=5)
    drawdown_check()
    risk_controller.trading_resume(account=CODE, reason="a new day", actor=MANAGER)
    assert state_now().state == "ACTIVE"


def test_one_accounts_trouble_leaves_no_other_unwatched(desk_clock: StillClock) -> None:
    account_under(code="ES-A")
    account_under(code="ES-B")
    for code in ("ES-A", "ES-B"):
        report(50_000, code=code)
        slip_below(code)
    AccountState.objects.filter(account__code="ES-A").update(marks={"max_drawdown": {}})
    assert drawdown_check() == 1
    assert state_now("ES-B").state == "REDUCE_ONLY"
    (alert,) = raised("risk_check_failed")
    assert (alert.account, alert.priority) == ("ES-A", 4) and "KeyError" in told(alert)
    assert desk_row().checks_at == NOON


def test_accounts_without_limits_or_equity_are_left_alone(desk_clock: StillClock) -> None:
    AccountFactory(code="ES-NEW")
    account_under()
    assert drawdown_check() == 0 and not Snapshot.objects.exists()


def test_a_database_that_is_away_is_no_heartbeat(desk_clock: StillClock) -> None:
    desk_row()
    with failing_database(OperationalError("server closed")), pytest.raises(OperationalError):
        drawdown_check()
    assert desk_row().checks_at is None
    assert timed_operations() == [("check_drawdown", False)]


def test_the_task_is_the_check() -> None:
    desk_row()
    check_drawdown()
    assert desk_row().checks_at is not None
    assert timed_operations() == [("check_drawdown", True)]


# --- snapshots ----------------------------------------------------------------------------------------------


def test_the_first_equity_gets_a_snapshot_and_then_only_what_is_due(desk_clock: StillClock) -> None:
    account_under()
    report(50_000)
    assert drawdown_check() == 1
    snapshot = Snapshot.objects.get()
    assert (snapshot.cause, snapshot.drawdown, snapshot.penalty_active) == ("check", 0, False)
    assert snapshot.evidence["rules"][0]["floor"] == "47500"
    desk_clock.now += timedelta(hours=1)
    assert drawdown_check() == 0, "no new equity, no new snapshot"


@pytest.mark.parametrize(("equity", "minutes", "due"), [(50_000, 14.99, False), (50_000, 15, True), (49_000, 1, True)])
def test_new_equity_gets_a_snapshot_after_15_minutes_a_new_worst_at_once(
    desk_clock: StillClock, equity: int, minutes: float, due: bool
) -> None:
    account_under()
    report(50_000)
    drawdown_check()
    desk_clock.now += minutes * MINUTE
    report(equity, desk_clock.now)
    assert drawdown_check() == int(due)
    assert Snapshot.objects.count() == 1 + due


# --- silence ------------------------------------------------------------------------------------------------


def test_silence_is_told_once_while_it_lasts(desk_clock: StillClock) -> None:
    account_under()
    report(50_000)
    desk_clock.now += 120 * SECOND
    drawdown_check()
    assert not raised("equity_stale")
    for _ in range(2):
        desk_clock.now += SECOND
        drawdown_check()
    (alert,) = raised("equity_stale")
    assert (alert.priority, alert.repeats) == (3, 1)
    assert "no equity for 121 s, at most 120 s are allowed" in told(alert)
    report(50_000, desk_clock.now)
    desk_clock.now += 121 * SECOND
    drawdown_check()
    assert len(raised("equity_stale")) == 2, "another silence"


def test_a_halted_account_may_be_silent(desk_clock: StillClock) -> None:
    account_under()
    report(50_000)
    trading_halt(account=CODE, reason="closed for the summer", actor=MANAGER)
    desk_clock.now += timedelta(days=9)
    drawdown_check()
    assert not raised("equity_stale")
