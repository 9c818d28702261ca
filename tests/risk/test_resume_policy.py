"""Who resumes: another person than who halted, a desk of one by break-glass, a limit's own stop where it says so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from mia_site.audit.actors import user_actor
from mia_site.audit.management import people as terminal
from mia_site.audit.models import Entry
from risk.desk_limits import desk_limits_decide, desk_limits_submit
from risk.inputs import InputError
from risk.limits_law import limits_decide, limits_submit
from risk.models import Desk, ScopedStop, StateChange, StateReview
from risk.projections import account_check, desk_check
from risk.resume_reviews import resume_review
from risk.risk_controller import drawdown_check
from risk.roles import ADMINISTRATOR
from risk.rules.facts import StopScope, TradingState
from risk.scoped_replay import stops_check
from risk.scoped_stops import StopPlace, scope_halt, scope_resume
from risk.trading_states import desk_halt, desk_resume, trading_halt, trading_resume
from tests.factories import PASSWORD, TradingSessionFactory, UserFactory
from tests.faults import failing_database
from tests.risk.accounts import APPROVER, CODE, MANAGER, account_under, drawdown_rule, report, state_now
from tests.risk.calendars import raised, told
from tests.risk.test_commands import refused, run
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HOUR = timedelta(hours=1)
REDUCE_ONLY = TradingState.REDUCE_ONLY
ES = StopPlace(StopScope.INSTRUMENT, "ES", CODE)
Act = Callable[..., StateChange]


def of_account(act: Act) -> Act:
    return lambda **given: act(account=CODE, **given)


def of_scope(act: Act) -> Act:
    return lambda **given: act(ES, **given)


PLACES = [
    pytest.param(of_account(trading_halt), of_account(trading_resume), id="account"),
    pytest.param(desk_halt, desk_resume, id="desk"),
    pytest.param(of_scope(scope_halt), of_scope(scope_resume), id="instrument"),
]


@pytest.fixture(autouse=True)
def _account(desk_clock: StillClock) -> None:
    TradingSessionFactory(hours="globex", opens_at=NOON + 10 * HOUR, closes_at=NOON + 33 * HOUR)
    account_under()


def glass_allowed() -> None:
    version = desk_limits_submit(
        {"loosening": {"break_glass": True, "review_hours": 4}}, actor=MANAGER, reason="a desk of one"
    ).version  # fmt: skip
    desk_limits_decide(version, approve=True, actor=APPROVER, reason="agreed")


def state_of_all() -> set[str]:
    """What is not active: of the account, the desk, and scoped stops."""
    stops = ScopedStop.objects.values_list("state", flat=True)
    return {state_now().state, *Desk.objects.values_list("state", flat=True), *stops} - {"ACTIVE"}


def pass_time(clock: StillClock, hours: float) -> None:
    clock.now += hours * HOUR
    drawdown_check()
    assert account_check(CODE) == desk_check() == stops_check() == []


@pytest.mark.parametrize(("halt", "resume"), PLACES)
def test_who_halted_by_hand_does_not_resume(halt: Act, resume: Act) -> None:
    halt(reason="a fault", actor=MANAGER)
    for break_glass in (False, True):
        with pytest.raises(InputError, match=r"another person|the desk's policy"):
            resume(reason="my own", actor=MANAGER, break_glass=break_glass)
    assert resume(reason="found and removed", actor=APPROVER).review_by is None
    assert not state_of_all()


def test_a_halt_beneath_another_s_is_one_s_own_still() -> None:
    trading_halt(account=CODE, reason="mine", actor=MANAGER, state=REDUCE_ONLY)
    trading_halt(account=CODE, reason="theirs", actor=APPROVER)
    with pytest.raises(InputError, match="another person"):
        trading_resume(account=CODE, reason="all of it", actor=MANAGER)
    trading_resume(account=CODE, reason="back to mine", actor=MANAGER, state=REDUCE_ONLY)
    with pytest.raises(InputError, match="another person"):
        trading_resume(account=CODE, reason="and that", actor=MANAGER)
    trading_resume(account=CODE, reason="another person", actor=APPROVER)
    trading_halt(account=CODE, reason="anew", actor=APPROVER)
    assert trading_resume(account=CODE, reason="not mine this time", actor=MANAGER).to_state == "ACTIVE"


def test_at_a_terminal_a_person_who_logs_in_is_that_person_and_a_terminal_is_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = UserFactory(username="ann", role=ADMINISTRATOR)
    monkeypatch.setattr(terminal, "getpass", lambda _prompt: PASSWORD)
    trading_halt(account=CODE, reason="x", actor=user_actor(ann.pk))
    resume = ("resume", "--account", CODE, "--reason", "y")
    assert "another person" in refused(*resume, "--user", "ann")
    assert run(*resume) == f"{CODE}: HALTED -> ACTIVE\n"
    glass_allowed()
    trading_halt(account=CODE, reason="x", actor=user_actor(ann.pk))
    run(*resume, "--user", "ann", "--break-glass")
    assert StateChange.objects.get(review_by__isnull=False).actor == str(user_actor(ann.pk))


@pytest.mark.parametrize(("halt", "resume"), PLACES)
def test_a_desk_of_one_resumes_by_break_glass_and_an_overdue_review_brings_the_stop_back(
    desk_clock: StillClock, halt: Act, resume: Act
) -> None:
    glass_allowed()
    halt(reason="a fault", actor=MANAGER)
    change = resume(reason="only me here", actor=MANAGER, break_glass=True)
    assert change.review_by == NOON + 4 * HOUR and not state_of_all()
    (alert,) = raised("resume_broken_glass")
    assert alert.priority == 5 and "another person must review it until" in told(alert)
    pass_time(desk_clock, 3)
    assert not state_of_all()
    pass_time(desk_clock, 1)
    assert state_of_all() == {"HALTED"} and raised("resume_lapsed")[0].priority == 5
    review = StateReview.objects.get()
    assert (review.step, Entry.objects.get(id=review.pk).kind_name) == ("lapsed", "state_review")
    with pytest.raises(InputError, match="another person"):
        resume(reason="it came back, but it is mine", actor=MANAGER)
    resume(reason="looked into it", actor=APPROVER)
    pass_time(desk_clock, 1)
    assert not state_of_all()


def broken() -> StateChange:
    glass_allowed()
    trading_halt(account=CODE, reason="a fault", actor=MANAGER)
    return trading_resume(account=CODE, reason="only me here", actor=MANAGER, break_glass=True)


def test_a_stop_that_cannot_be_put_back_in_time_is_told_and_tried_again(desk_clock: StillClock) -> None:
    broken()
    with failing_database(DatabaseError("disk is full"), table='INSERT INTO "risk_statereview'):
        pass_time(desk_clock, 4)
    assert not state_of_all()
    (alert,) = raised("resume_review_failed")
    assert alert.priority == 4 and "could not be put back in time (DatabaseError: disk is full)" in told(alert)
    pass_time(desk_clock, 1)
    assert state_of_all() == {"HALTED"}


def test_another_person_keeps_or_revokes_the_resume(desk_clock: StillClock) -> None:
    change = broken()
    with pytest.raises(InputError, match="a second person"):
        resume_review(change, keep=True, actor=MANAGER, reason="my own work")
    resume_review(change, keep=True, actor=APPROVER, reason="rightly so")
    with pytest.raises(InputError, match="nobody reviewed yet"):
        resume_review(change, keep=False, actor=APPROVER, reason="or not")
    pass_time(desk_clock, 5)
    assert not state_of_all() and len(raised("resume_kept")) == 1


def test_who_resumed_by_break_glass_may_take_it_back(desk_clock: StillClock) -> None:
    resume_review(broken(), keep=False, actor=MANAGER, reason="not over yet")
    assert state_now().state == "HALTED" and state_now().state_reason == "the resume was revoked: not over yet"
    pass_time(desk_clock, 5)


def test_a_review_that_lapses_leaves_what_another_person_resumed_since(desk_clock: StillClock) -> None:
    broken()
    trading_halt(account=CODE, reason="again", actor=MANAGER)
    trading_resume(account=CODE, reason="looked into it", actor=APPROVER)
    pass_time(desk_clock, 4)
    assert not state_of_all() and StateReview.objects.get().step == "lapsed"


# A limit's own stop


def hear(clock: StillClock, equity: int) -> None:
    """The next minute's equity."""
    clock.now += HOUR / 60
    report(equity, clock.now)


def stopped_under(*rules: dict[str, Any]) -> None:
    """An account of 50,000 that falls to 47,000 under these rules."""
    limits = {"drawdown": list(rules)}
    limits_submit(CODE, limits, actor=MANAGER, reason="resumes by itself")
    version = state_now().account.limits_versions.order_by("-version")[0]
    if not version.applied:
        limits_decide(version, approve=True, actor=APPROVER, reason="agreed")
    report(50_000)
    report(47_000)
    assert state_now().state == "REDUCE_ONLY"


HOURLY = drawdown_rule() | {"resume": "after_minutes", "resume_minutes": 60}
SESSION = drawdown_rule() | {"resume": "next_session"}


def test_a_limit_s_stop_never_ends_by_itself_unless_the_limits_say_so(desk_clock: StillClock) -> None:
    stopped_under(drawdown_rule())
    hear(desk_clock, 50_000)
    pass_time(desk_clock, 40)
    assert state_now().state == "REDUCE_ONLY" and state_now().state_until is None


@pytest.mark.parametrize(("rule", "hours"), [(HOURLY, 1), (SESSION, 10)])
def test_a_limit_s_stop_ends_at_its_time_above_the_floor_and_forgets_no_peak(
    desk_clock: StillClock, rule: dict[str, Any], hours: int
) -> None:
    stopped_under(rule)
    assert state_now().state_until == NOON + hours * HOUR
    desk_clock.now = NOON + hours * HOUR - timedelta(minutes=2)
    report(48_000, desk_clock.now)
    pass_time(desk_clock, 1 / 60)
    assert state_now().state == "REDUCE_ONLY"
    pass_time(desk_clock, 1 / 60)
    state = state_now()
    assert (state.state, state.penalty_active, state.marks["max_drawdown"]["reference"]) == ("ACTIVE", False, "50000")
    change = StateChange.objects.latest("id")
    assert (change.cause, change.actor) == ("automatic", "worker:risk.tasks.check_drawdown")
    assert report(47_000, desk_clock.now).state == "REDUCE_ONLY", "the peak of 50,000 still counts"


def test_below_the_floor_no_stop_ends(desk_clock: StillClock) -> None:
    stopped_under(HOURLY)
    pass_time(desk_clock, 5)
    assert state_now().state == "REDUCE_ONLY"
    report(48_000, desk_clock.now)
    pass_time(desk_clock, 1)
    assert state_now().state == "ACTIVE"


def test_a_rule_that_never_resumes_outlasts_one_that_does(desk_clock: StillClock) -> None:
    lasting = drawdown_rule("0.07") | {"name": "lasting"}
    stopped_under(HOURLY, lasting)
    hear(desk_clock, 46_000)
    assert state_now().state_until is None
    hear(desk_clock, 50_000)
    pass_time(desk_clock, 5)
    assert state_now().state == "REDUCE_ONLY"


def test_a_halt_by_hand_outlasts_a_limit_s_stop(desk_clock: StillClock) -> None:
    stopped_under(HOURLY)
    trading_halt(account=CODE, reason="a look at it", actor=MANAGER)
    hear(desk_clock, 50_000)
    pass_time(desk_clock, 5)
    assert state_now().state == "HALTED"


def test_limits_that_no_longer_say_so_keep_the_stop(desk_clock: StillClock) -> None:
    stopped_under(HOURLY)
    limits_submit(CODE, {"drawdown": [drawdown_rule()]}, actor=MANAGER, reason="a tightening")
    hear(desk_clock, 50_000)
    pass_time(desk_clock, 5)
    assert state_now().state == "REDUCE_ONLY"


def test_the_desk_s_own_stop_ends_by_itself_too(desk_clock: StillClock) -> None:
    report(50_000)
    desk_limits_submit({"drawdown": [SESSION]}, actor=MANAGER, reason="the desk as a whole")
    hear(desk_clock, 47_000)
    assert Desk.objects.get().state == "REDUCE_ONLY"
    hear(desk_clock, 50_000)
    pass_time(desk_clock, 9)
    assert Desk.objects.get().state == "REDUCE_ONLY"
    pass_time(desk_clock, 1)
    assert Desk.objects.get().state == "ACTIVE"
