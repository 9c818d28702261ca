"""Halt and resume: who, why, until when; a stop ends by a person's right or by its time, and never looser than that."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from mia_site.audit.models import Entry
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import Desk, Penalty, StateChange
from risk.risk_controller import drawdown_check, stop_trading
from risk.rules.facts import TradingState
from risk.trading_states import StateRefused, desk_halt, desk_resume, trading_halt, trading_resume
from tests.faults import failing_database
from tests.risk.accounts import APPROVER, CODE, MANAGER, account_under, report, state_now
from tests.risk.calendars import raised, told
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
REDUCE_ONLY, HALTED, ACTIVE = TradingState.REDUCE_ONLY, TradingState.HALTED, TradingState.ACTIVE
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def halt(
    state: TradingState = HALTED, hours: float | None = None, now: StillClock | None = None, reason: str = "why"
) -> None:
    until = None if hours is None else (NOON if now is None else now.now) + hours * HOUR
    trading_halt(account=CODE, reason=reason, actor=MANAGER, state=state, until=until)


def resume(state: TradingState = ACTIVE) -> None:
    trading_resume(account=CODE, reason="checked with the broker", actor=APPROVER, state=state)


def at_the_end(clock: StillClock, hours: float) -> str:
    """The account's state after the check at NOON and so many hours."""
    clock.now = NOON + hours * HOUR
    drawdown_check()
    return state_now().state


# --- by hand ------------------------------------------------------------------------------------------------


def test_a_halt_is_a_fact_with_who_why_and_until() -> None:
    account_under()
    change = trading_halt(account=CODE, reason=" positions differ ", actor=MANAGER, until=NOON + HOUR)
    stored = StateChange.objects.get()
    assert (stored.from_state, stored.to_state, stored.reason, stored.actor, stored.until) == (
        "ACTIVE", "HALTED", "positions differ", "user:1", NOON + HOUR,
    )  # fmt: skip
    entry = Entry.objects.get(id=change.pk)
    assert (entry.kind_name, entry.why, entry.account) == ("state_change", "positions differ", CODE)
    state = state_now()
    assert (state.state, state.state_since, state.state_reason) == ("HALTED", NOON, "positions differ")


@pytest.mark.parametrize(("state", "priority"), [(REDUCE_ONLY, 3), (HALTED, 4)])
def test_a_halt_alerts(state: TradingState, priority: int) -> None:
    account_under()
    halt(state, reason="news")
    (alert,) = raised("trading_stopped")
    assert alert.priority == priority
    assert told(alert) == f"{CODE}: trading is set to {state.value} by user:1: news"


@pytest.mark.parametrize("reason", ["", "   ", "\n\t", "x" * 2001])
def test_a_stop_and_its_end_need_a_reason(reason: str) -> None:
    account_under()
    for call in (trading_halt, trading_resume):
        with pytest.raises(InputError) as refused:
            call(account=CODE, reason=reason, actor=MANAGER)
        assert refused.value.field == "reason"
    for desk_call in (desk_halt, desk_resume):
        with pytest.raises(InputError):
            desk_call(reason=reason, actor=MANAGER)
    assert not StateChange.objects.exists()


@pytest.mark.parametrize("reason", ["pos\udce9 fausse", "stop\x00now", "\x1b[31mred"])
def test_a_character_that_no_database_keeps_does_not_keep_anybody_from_stopping(reason: str) -> None:
    account_under()
    halt(reason=reason)
    assert state_now().state == "HALTED" and "?" in state_now().state_reason


def test_a_stop_may_be_made_harder_or_told_again_but_not_milder() -> None:
    account_under()
    halt(REDUCE_ONLY)
    halt(HALTED)
    halt(HALTED)
    with pytest.raises(StateRefused, match="resuming is another right"):
        halt(REDUCE_ONLY)
    with pytest.raises(InputError, match="REDUCE_ONLY or HALTED"):
        halt(ACTIVE)
    with pytest.raises(InputError, match="a time in the future"):
        halt(HALTED, hours=0)


def test_a_resume_needs_something_to_resume() -> None:
    account_under()
    with pytest.raises(StateRefused, match="a state milder than ACTIVE"):
        resume()
    halt(REDUCE_ONLY)
    with pytest.raises(StateRefused):
        resume(REDUCE_ONLY)
    with pytest.raises(AccountUnknown):
        trading_resume(account="ES-NONE", reason="x", actor=MANAGER)


def test_a_halted_account_may_be_let_out_of_its_positions_first() -> None:
    account_under()
    halt(HALTED)
    resume(REDUCE_ONLY)
    assert state_now().state == "REDUCE_ONLY"
    resume()
    assert state_now().state == "ACTIVE"
    assert [alert.priority for alert in raised("trading_resumed")] == [3, 3]


# --- after a breach -----------------------------------------------------------------------------------------


def test_in_breach_nobody_resumes_to_active() -> None:
    account_under()
    report(47_000)
    with pytest.raises(StateRefused) as refused:
        resume()
    assert "equity of at least 47500: at 47000 the account is below the floor of max_drawdown" in str(refused.value)
    assert state_now().state == "REDUCE_ONLY"


def test_a_resume_lifts_the_penalty_with_a_row_of_its_own() -> None:
    account_under()
    report(47_000, NOON - SECOND)
    report(48_000)
    resume()
    lifted = Penalty.objects.get(penalty_kind="lifted")
    assert not lifted.penalty_active and lifted.value == 0 and lifted.reason == "checked with the broker"
    assert not state_now().penalty_active


def test_a_rule_in_shadow_keeps_nobody_from_resuming() -> None:
    account_under(rules={"drawdown": {"mode": "shadow", "reason": "watched"}})
    report(47_000)
    halt()
    resume()
    assert state_now().state == "ACTIVE"


# --- a stop with an end -------------------------------------------------------------------------------------


def test_a_timed_stop_ends_by_itself(desk_clock: StillClock) -> None:
    account_under()
    halt(HALTED, hours=1, reason="lunch")
    assert at_the_end(desk_clock, 0.999) == "HALTED"
    assert at_the_end(desk_clock, 1) == "ACTIVE"
    last = StateChange.objects.latest("recorded_at")
    assert last.reason == f"the stop was set until {(NOON + HOUR).isoformat()}: lunch"
    assert last.actor == "worker:risk.tasks.check_drawdown" and state_now().state_until is None


def test_a_time_put_on_a_stop_is_no_way_around_the_right_to_resume(desk_clock: StillClock) -> None:
    account_under()
    halt(HALTED, reason="the auditor said so")
    halt(HALTED, hours=1)
    assert at_the_end(desk_clock, 2) == "HALTED"
    assert "before it: the auditor said so" in state_now().state_reason and state_now().state_until is None


def test_a_short_stop_over_a_milder_one_gives_the_milder_one_back(desk_clock: StillClock) -> None:
    account_under()
    halt(REDUCE_ONLY, hours=3)
    halt(HALTED, hours=1)
    assert at_the_end(desk_clock, 1) == "REDUCE_ONLY" and state_now().state_until == NOON + 3 * HOUR
    assert at_the_end(desk_clock, 3) == "ACTIVE"


def test_a_longer_stop_after_a_shorter_one_ends_once(desk_clock: StillClock) -> None:
    account_under()
    halt(HALTED, hours=1)
    halt(HALTED, hours=2)
    assert at_the_end(desk_clock, 1) == "HALTED"
    assert at_the_end(desk_clock, 2) == "ACTIVE"


def test_a_halt_over_a_drawdown_stop_ends_in_the_drawdown_stop(desk_clock: StillClock) -> None:
    account_under()
    report(47_000, NOON - SECOND)
    report(50_000)
    halt(HALTED, hours=1)
    assert at_the_end(desk_clock, 1) == "REDUCE_ONLY", "above the floor again, but nobody has resumed it"


@pytest.mark.parametrize("told_by", ["equity", "stop_trading"])
def test_a_breach_under_a_timed_stop_outlives_it(desk_clock: StillClock, told_by: str) -> None:
    account_under()
    halt(REDUCE_ONLY, hours=1)
    if told_by == "equity":
        report(47_000, NOON - SECOND)
        report(50_000)
    else:
        assert stop_trading(0.06) is True
    assert at_the_end(desk_clock, 1) == "REDUCE_ONLY"
    assert "broken meanwhile" in state_now().state_reason and state_now().state_until is None
    resume()
    assert state_now().state == "ACTIVE"


def test_an_account_in_breach_does_not_trade_when_its_timed_stop_ends(desk_clock: StillClock) -> None:
    account_under(rules={"drawdown": {"mode": "shadow", "reason": "watched"}})
    report(47_000)
    halt(HALTED, hours=1)
    assert at_the_end(desk_clock, 1) == "ACTIVE", "in shadow nothing stops"


def test_a_resume_by_hand_ends_a_timed_stop_for_good(desk_clock: StillClock) -> None:
    account_under()
    halt(HALTED, hours=2)
    resume()
    halt(HALTED, hours=1)
    assert at_the_end(desk_clock, 1) == "ACTIVE", "what was resumed does not come back"


# --- the whole desk -----------------------------------------------------------------------------------------


def test_the_desk_stops_and_resumes_and_accounts_keep_their_own_state() -> None:
    account_under()
    halt(REDUCE_ONLY)
    change = desk_halt(reason="exchange is down", actor=MANAGER)
    assert (change.scope, change.account, Desk.objects.get().state) == ("desk", None, "HALTED")
    (alert,) = raised("desk_stopped")
    assert alert.priority == 4 and told(alert) == "The whole desk is set to HALTED by user:1: exchange is down"
    desk_resume(reason="exchange is back", actor=APPROVER)
    assert Desk.objects.get().state == "ACTIVE" and state_now().state == "REDUCE_ONLY"
    with pytest.raises(StateRefused):
        desk_resume(reason="again", actor=APPROVER)


def test_a_timed_stop_of_the_desk_ends_by_itself_and_gives_back_what_was_before(desk_clock: StillClock) -> None:
    desk_halt(reason="audit", actor=MANAGER, state=REDUCE_ONLY)
    desk_halt(reason="exchange is down", actor=MANAGER, until=NOON + HOUR)
    desk_clock.now = NOON + HOUR
    drawdown_check()
    drawdown_check()
    desk = Desk.objects.get()
    assert (desk.state, desk.state_until) == ("REDUCE_ONLY", None) and "before it: audit" in desk.state_reason
    assert StateChange.objects.count() == 3


def test_an_account_states_history_is_not_that_of_the_desk(desk_clock: StillClock) -> None:
    account_under()
    halt(HALTED, hours=1)
    desk_halt(reason="exchange is down", actor=MANAGER, state=REDUCE_ONLY)
    assert at_the_end(desk_clock, 1) == "ACTIVE" and Desk.objects.get().state == "REDUCE_ONLY"


# --- faults -------------------------------------------------------------------------------------------------


def test_what_cannot_be_recorded_is_no_stop_and_says_so() -> None:
    account_under()
    with pytest.raises(DatabaseError), transaction.atomic(), failing_database(DatabaseError("disk is full")):
        halt()
    assert state_now().state == "ACTIVE" and not StateChange.objects.exists()
