"""Messages a minute, repeated execution and the register under other limits: what would have been let through counts,
reviews, messages and the register are as they were."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.replay.compared import Turn
from risk.algorithm_register import algorithm_decide, algorithm_withdraw
from risk.export import Period
from risk.rules.limits import Limits
from tests.decisions.bots import Bot, desk_refresh, trading_bot
from tests.decisions.test_algorithm_register import ASKED, approved, registered
from tests.decisions.test_algorithms import reviewed, verdicts
from tests.decisions.test_replay import WHOLE, replayed, under
from tests.risk.accounts import APPROVER, MANAGER
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
SAME, BLOCKED, FREED = Turn.SAME, Turn.BLOCKED, Turn.FREED


def after(clock: StillClock, seconds: int) -> None:
    clock.now += timedelta(seconds=seconds)
    desk_refresh(clock.now)


def named(bot: Bot, count: int) -> list[str]:
    return [bot.asks(algorithm="trend 1.4").decision.verdict for _number in range(count)]


def turns(bot: Bot, limits: Limits, period: Period = WHOLE) -> list[Turn]:
    return [compared.turn for compared in replayed(bot.account, limits, period)[1]]


def counting(most: int) -> Limits:
    return under(algorithms={"max_unreviewed": most})


def test_an_algorithm_would_have_been_disabled_after_what_it_would_have_opened(gate_clock: StillClock) -> None:
    """It opens twice, is stopped, reviewed, and opens again."""
    bot = trading_bot(now=gate_clock.now, algorithms={"max_unreviewed": 2})
    assert verdicts(bot, 3) == ["allow", "allow", "block"]
    after(gate_clock, 60)
    reviewed(bot)
    assert verdicts(bot, 1) == ["allow"]
    assert turns(bot, counting(2)) == [SAME] * 4
    assert turns(bot, counting(1)) == [SAME, BLOCKED, SAME, SAME]
    assert turns(bot, counting(3)) == [SAME, SAME, FREED, SAME]
    assert turns(bot, counting(1), Period(gate_clock.now, None)) == [SAME]


def test_what_an_algorithm_had_opened_before_counts(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now)
    assert verdicts(bot, 2) == ["allow"] * 2
    after(gate_clock, 60)
    assert verdicts(bot, 1) == ["allow"]
    assert turns(bot, counting(2), Period(gate_clock.now, None)) == [BLOCKED]
    assert turns(bot, counting(3), Period(gate_clock.now, None)) == [SAME]


def test_the_register_says_what_it_said_then() -> None:
    """Not registered, then approved for one opening an hour, then withdrawn."""
    bot = trading_bot(**ASKED)
    answers = verdicts(bot, 1)
    entry = approved(max_openings_per_hour=1)
    answers += named(bot, 2)
    algorithm_withdraw(entry, reason="its fills slip", actor=MANAGER)
    assert answers + named(bot, 1) == ["block", "allow", "block", "block"]
    found = replayed(bot.account, under(**ASKED))[1]
    assert [(compared.turn, compared.would and compared.would.codes) for compared in found] == [
        (SAME, ("algorithm_unregistered",)), (SAME, ()), (SAME, ("algorithm_pace_exceeded",)),
        (SAME, ("algorithm_withdrawn",)),
    ]  # fmt: skip
    assert turns(bot, under()) == [FREED, SAME, FREED, FREED]


def test_a_register_that_was_not_asked_is_known_as_it_was() -> None:
    bot, entry = trading_bot(), registered()
    assert named(bot, 1) == ["allow"]
    algorithm_decide(entry, approve=True, reason="agreed", actor=APPROVER)
    assert named(bot, 1) == ["allow"]
    assert turns(bot, under(**ASKED)) == [BLOCKED, SAME]


def test_messages_of_the_minute_are_held_against_the_other_limit(gate_clock: StillClock) -> None:
    """Two messages before the first ask, then an ask each ten seconds; a minute later the first ones are over."""
    bot = trading_bot(now=gate_clock.now, pace={"max_messages_per_minute": 4})
    answers: list[str] = []
    for seconds in (10, 10, 10, 31):
        after(gate_clock, seconds)
        answers.append(bot.asks(trade_id=f"T{len(answers)}").decision.verdict)
    assert answers == ["allow", "allow", "block", "allow"]
    assert turns(bot, under(pace={"max_messages_per_minute": 4})) == [SAME] * 4
    assert turns(bot, under(pace={"max_messages_per_minute": 3})) == [SAME, BLOCKED, SAME, BLOCKED]
    assert turns(bot, under(pace={"max_messages_per_minute": 5})) == [SAME, SAME, FREED, SAME]


def test_messages_and_register_are_read_once_however_many_decisions_there_are(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, pace={"max_messages_per_minute": 30})
    limits = under(**ASKED, pace={"max_messages_per_minute": 20})
    asked: list[int] = []
    for _ in range(2):
        named(bot, 3)
        with CaptureQueriesContext(connection) as queries:
            assert len(turns(bot, limits)) == 3 * (1 + len(asked))
        asked.append(len(queries))
    assert asked[0] == asked[1]
