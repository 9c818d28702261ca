"""Stops that end by themselves where other limits say so, and those that would not have."""

from datetime import timedelta
from typing import Any

import pytest

from decisions.replay.compared import Turn
from decisions.replay.table import state_rows
from risk.risk_controller import drawdown_check
from risk.rules.limits import Limits, limits_parse
from tests.decisions.bots import Bot, trading_bot
from tests.decisions.test_replay import happened, later, replayed, under, would_have
from tests.factories import LIMITS, TradingSessionFactory, state_of
from tests.risk.accounts import drawdown_rule
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HOUR = timedelta(hours=1)
SAME, BLOCKED, FREED = Turn.SAME, Turn.BLOCKED, Turn.FREED
HOURLY = drawdown_rule() | {"resume": "after_minutes", "resume_minutes": 60}
SESSION = drawdown_rule() | {"resume": "next_session"}


def resuming(rule: dict[str, Any]) -> Limits:
    return limits_parse(LIMITS | {"rules": {"features": {"mode": "off", "reason": "none"}}, "drawdown": [rule]})


def turns(bot: Bot, limits: Limits) -> list[Turn]:
    return [compared.turn for compared in replayed(bot.account, limits)[1]]


def test_a_stop_that_ended_by_itself_is_replayed_and_one_that_never_would_have_holds(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, drawdown=[HOURLY])
    later(gate_clock, bot, 47_000)
    later(gate_clock, bot, 49_000, minutes=50)
    answers = [bot.asks().decision]
    later(gate_clock, bot, 49_000, minutes=11)
    drawdown_check()
    answers.append(bot.asks().decision)
    assert [answer.verdict for answer in answers] == ["block", "allow"]
    course, found = replayed(bot.account, resuming(HOURLY))
    assert [compared.turn for compared in found] == [SAME, SAME]
    assert would_have(course) == happened(bot.account, course) and len(course.changes) == 2
    rows = list(state_rows(bot.account, course))
    assert [row["change"] for row in rows] == ["by_limit", "by_limit", "by_itself", "by_itself"]
    assert turns(bot, under()) == [SAME, BLOCKED]


def test_a_stop_that_would_have_ended_by_itself_does_so_once_it_is_above_its_floor(
    bot: Bot, gate_clock: StillClock
) -> None:
    """The floor is 47,500. The hour is over at 13:05, the account above its floor at 13:15."""
    for equity, minutes in ((47_000, 5), (47_400, 65), (49_000, 5), (49_000, 5)):
        later(gate_clock, bot, equity, minutes=minutes)
        assert bot.asks(trade_id=f"T{minutes}").decision.verdict == "block"
    course, found = replayed(bot.account, resuming(HOURLY))
    assert [compared.turn for compared in found] == [SAME, SAME, SAME, FREED]
    stop, end = course.changes
    assert (stop.until, end.state) == (stop.at + HOUR, "ACTIVE")
    assert end.at == gate_clock.now - HOUR / 12 and end.rule == "max_drawdown"


def test_a_stop_until_the_next_session_ends_as_it_opens(bot: Bot, gate_clock: StillClock) -> None:
    TradingSessionFactory(hours="globex", opens_at=NOON + 3 * HOUR, closes_at=NOON + 20 * HOUR)
    later(gate_clock, bot, 47_000)
    for minutes in (60, 150):
        later(gate_clock, bot, 49_000, minutes=minutes)
        bot.asks(trade_id=f"T{minutes}")
    assert state_of(bot.account).state == "REDUCE_ONLY"
    assert turns(bot, resuming(SESSION)) == [SAME, FREED]


def test_a_stop_whose_next_session_nobody_knows_holds(bot: Bot, gate_clock: StillClock) -> None:
    TradingSessionFactory(hours="globex", opens_at=NOON + 200 * HOUR, closes_at=NOON + 220 * HOUR)
    later(gate_clock, bot, 47_000)
    later(gate_clock, bot, 49_000, minutes=600)
    bot.asks()
    course, found = replayed(bot.account, resuming(SESSION))
    assert found[0].turn is SAME and course.changes[0].until is None
