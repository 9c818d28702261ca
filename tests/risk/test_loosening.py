"""Loosening by policy: with the next session, or by break-glass, so that a desk of one can live."""

from datetime import timedelta
from typing import Any

import pytest

from mia_site.audit.actors import Actor
from mia_site.audit.models import Entry
from risk.desk_limits import desk_limits_decide, desk_limits_submit
from risk.inputs import InputError
from risk.limits_law import LimitsSubmitted, limits_decide, limits_submit
from risk.limits_steps import limits_review, limits_withdraw
from risk.loosenings import policy_of
from risk.models import Account, Desk, LimitsStep, LimitsVersion
from risk.projections import account_check, desk_check
from risk.risk_controller import drawdown_check
from risk.rules.loosening import SECOND_PERSON, Way
from tests.factories import DeskLimitsVersionFactory, TradingSessionFactory
from tests.risk.accounts import APPROVER, CODE, MANAGER, account_under, drawdown_rule, report, state_now
from tests.risk.calendars import raised, told
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HOUR = timedelta(hours=1)
DELAY, GLASS = Way.NEXT_SESSION, Way.BREAK_GLASS
ALONE: dict[str, Any] = {"delay": "next_session", "break_glass": True, "review_hours": 4}


@pytest.fixture(autouse=True)
def _account(desk_clock: StillClock) -> Account:
    TradingSessionFactory(hours="globex", opens_at=NOON + 10 * HOUR, closes_at=NOON + 33 * HOUR)
    return account_under(pace={"max_openings_per_hour": 10})


def policy(**section: Any) -> None:
    """The desk's policy: proposed by one person and agreed to by another."""
    told = desk_limits_submit({"loosening": section or ALONE}, actor=MANAGER, reason="so that one can trade")
    assert not told.applied, "a weaker policy is a loosening, also as the first words of the desk"
    desk_limits_decide(told.version, approve=True, actor=APPROVER, reason="agreed")


def loosen(way: Way | None, value: str = "0.06", pace: int = 10, actor: Actor = MANAGER) -> LimitsSubmitted:
    document = {"drawdown": [drawdown_rule(value)], "pace": {"max_openings_per_hour": pace}}
    return limits_submit(CODE, document, actor=actor, reason="a wide day", way=way)


def in_force() -> tuple[int, str]:
    limits = state_now().limits
    assert limits is not None
    return limits.version, limits.body["drawdown"][0]["allowance"]["value"]


def pass_time(clock: StillClock, hours: int) -> None:
    clock.now += hours * HOUR
    drawdown_check()
    assert account_check(CODE) == [] and desk_check() == []


@pytest.mark.parametrize("way", [DELAY, GLASS])
def test_without_a_policy_only_a_second_person_loosens(way: Way) -> None:
    with pytest.raises(InputError, match="policy"):
        loosen(way)
    assert not loosen(None).applied and in_force() == (1, "0.05")


def test_nobody_loosens_alone_without_a_name() -> None:
    policy()
    for way in (DELAY, GLASS):
        with pytest.raises(InputError, match="a person who logged in"):
            loosen(way, actor=Actor("command", "limits:uid0"))


def test_a_tightening_needs_no_way() -> None:
    told_back = loosen(GLASS, "0.04")
    assert told_back.applied and told_back.version.way is None


# With the next session


def test_a_delayed_loosening_takes_effect_by_itself_when_the_next_session_begins(desk_clock: StillClock) -> None:
    policy()
    version = loosen(DELAY).version
    assert (version.applied, version.effective_at) == (False, NOON + 10 * HOUR)
    (alert,) = raised("limits_delayed")
    assert alert.priority == 3 and "unless they are withdrawn" in told(alert)
    pass_time(desk_clock, 9)
    assert in_force() == (1, "0.05")
    pass_time(desk_clock, 1)
    assert in_force() == (2, "0.06")
    step = LimitsStep.objects.get()
    assert (step.step, Entry.objects.get(id=step.pk).kind_name) == ("taken", "limits_step")
    pass_time(desk_clock, 1)
    assert LimitsStep.objects.count() == 1


def test_a_delayed_loosening_may_be_withdrawn_approved_or_rejected_before(desk_clock: StillClock) -> None:
    policy()
    limits_withdraw(loosen(DELAY).version, actor=MANAGER, reason="thought better of it")
    limits_decide(loosen(DELAY).version, approve=False, actor=APPROVER, reason="no")
    pass_time(desk_clock, 10)
    assert in_force() == (1, "0.05") and len(raised("limits_withdrawn")) == 1
    TradingSessionFactory(hours="globex", opens_at=NOON + 34 * HOUR, closes_at=NOON + 57 * HOUR)
    version = loosen(DELAY).version
    limits_decide(version, approve=True, actor=APPROVER, reason="at once, then")
    assert in_force() == (4, "0.06")
    with pytest.raises(InputError, match="still proposed"):
        limits_withdraw(version, actor=MANAGER, reason="late")


def test_a_delayed_loosening_never_undoes_a_tightening_that_came_meanwhile(desk_clock: StillClock) -> None:
    policy()
    loosen(DELAY)
    loosen(None, "0.03")
    pass_time(desk_clock, 10)
    assert in_force() == (3, "0.03")
    assert LimitsStep.objects.get().step == "withdrawn"


def test_no_known_session_is_no_way() -> None:
    policy()
    TradingSessionFactory._meta.model.objects.all().delete()
    with pytest.raises(InputError, match="known next session"):
        loosen(DELAY)


def test_the_same_again_adds_nothing_and_another_way_does() -> None:
    policy()
    version = loosen(None).version
    assert not loosen(None).changed
    assert loosen(DELAY).version.version == version.version + 1
    assert not loosen(DELAY).changed


# Break-glass


def test_break_glass_loosens_at_once_and_asks_for_a_review() -> None:
    policy()
    version = loosen(GLASS).version
    assert (version.applied, version.review_by, in_force()) == (True, NOON + 4 * HOUR, (2, "0.06"))
    (alert,) = raised("limits_broken_glass")
    assert alert.priority == 5 and "another person must review" in told(alert)
    assert report(47_100).state == "ACTIVE", "5.8 % is within the 6 % now in force"


def test_another_person_keeps_what_was_broken_open(desk_clock: StillClock) -> None:
    policy()
    version = loosen(GLASS).version
    with pytest.raises(InputError, match="a second person"):
        limits_review(version, keep=True, actor=MANAGER, reason="my own work")
    limits_review(version, keep=True, actor=APPROVER, reason="rightly so")
    with pytest.raises(InputError, match="nobody reviewed yet"):
        limits_review(version, keep=False, actor=APPROVER, reason="or not")
    pass_time(desk_clock, 5)
    assert in_force() == (2, "0.06") and len(raised("limits_kept")) == 1


def test_who_broke_the_glass_may_take_it_back() -> None:
    policy()
    limits_review(loosen(GLASS).version, keep=False, actor=MANAGER, reason="the day is over")
    assert in_force() == (3, "0.05") and raised("limits_revoked")[0].priority == 3
    assert account_check(CODE) == []


def test_an_overdue_review_brings_back_limit_by_limit_the_stricter(desk_clock: StillClock) -> None:
    policy()
    loosen(GLASS)
    loosen(None, "0.06", pace=5)
    pass_time(desk_clock, 3)
    assert in_force() == (3, "0.06")
    pass_time(desk_clock, 1)
    assert in_force() == (4, "0.05")
    back = LimitsVersion.objects.get(version=4)
    assert back.body["pace"]["max_openings_per_hour"] == 5, "what was tightened meanwhile stays"
    assert back.applied and "nobody reviewed it" in back.reason
    (alert,) = raised("limits_lapsed")
    assert alert.priority == 5
    pass_time(desk_clock, 1)
    assert in_force() == (4, "0.05")


def test_limits_that_come_back_judge_the_account_then_and_there(desk_clock: StillClock) -> None:
    policy()
    loosen(GLASS)
    report(50_000)
    assert report(47_100).state == "ACTIVE"
    pass_time(desk_clock, 4)
    assert state_now().state == "REDUCE_ONLY"


def test_only_what_is_looser_than_before_all_of_it_comes_back(desk_clock: StillClock) -> None:
    policy()
    loosen(GLASS, "0.06")
    loosen(GLASS, "0.07")
    pass_time(desk_clock, 4)
    assert in_force() == (4, "0.05")
    assert LimitsStep.objects.filter(step="lapsed").count() == 2


# The policy itself


def test_a_policy_that_asks_for_more_is_in_force_at_once_and_a_weaker_one_by_the_policy_in_force(
    desk_clock: StillClock,
) -> None:
    policy()
    assert desk_limits_submit({"loosening": ALONE | {"review_hours": 2}}, actor=MANAGER, reason="faster").applied
    weaker = desk_limits_submit({"loosening": ALONE}, actor=MANAGER, reason="slower", way=GLASS)
    assert weaker.applied and raised("limits_broken_glass")[0].priority == 5
    pass_time(desk_clock, 2)
    limits = Desk.objects.get().limits
    assert limits is not None and limits.version == 4 and limits.body["loosening"]["review_hours"] == 2
    delayed = desk_limits_submit({"loosening": ALONE}, actor=MANAGER, reason="slower", way=DELAY)
    assert delayed.version.effective_at == NOON + 10 * HOUR
    pass_time(desk_clock, 8)
    assert Desk.objects.get().limits_id == delayed.version.id


def test_a_policy_without_drawdown_rules_lets_accounts_report_side_by_side() -> None:
    policy()
    report(50_000)
    assert Desk.objects.get().equity is None and desk_check() == []


def test_a_policy_that_this_release_cannot_read_allows_nobody_to_loosen_alone() -> None:
    policy()
    Desk.objects.update(limits=DeskLimitsVersionFactory(version=9, body={"loosening": ALONE, "of_later": {}}))
    assert policy_of(Desk.objects.get()) == SECOND_PERSON
