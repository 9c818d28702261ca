"""Caps of other limits, on what would have been under way: what they would have let through reserves, what they would
have blocked does not."""

from datetime import timedelta
from typing import Any

import pytest

from decisions.replay.compared import Compared, Turn
from risk.desk_limits import desk_limits_submit
from risk.export import Period
from risk.models import Account
from risk.rules.limits import Limits
from tests.decisions.bots import Bot, codes, trading_bot
from tests.decisions.test_orders import later, opens, tells
from tests.decisions.test_replay import WHOLE, closes, replayed, under
from tests.factories import FACTORY
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
SAME, BLOCKED, FREED, RESIZED = Turn.SAME, Turn.BLOCKED, Turn.FREED, Turn.RESIZED


def capped(position: str, **more: Any) -> Limits:
    return under(exposure={"max_position": position, **more})


def turns(account: Account, limits: Limits, period: Period = WHOLE) -> list[Turn]:
    return [compared.turn for compared in compared_under(account, limits, period)]


def compared_under(account: Account, limits: Limits, period: Period = WHOLE) -> list[Compared]:
    return replayed(account, limits, period)[1]


def test_a_lower_cap_counts_what_it_would_have_let_through_until_its_order_ends(
    bot: Bot, gate_clock: StillClock
) -> None:
    first, _second = opens(bot), opens(bot)
    tells(bot, first, "cancelled")
    opens(bot)
    assert turns(bot.account, capped("2")) == [SAME, SAME, SAME]
    assert turns(bot.account, capped("1")) == [SAME, BLOCKED, SAME]


def test_a_higher_cap_frees_openings_which_reserve_until_their_trade_is_over(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, exposure={"max_position": "1"})
    answers = [opens(bot) for _ in range(3)]
    closes(answers[1], 100, bot, gate_clock)
    answers.append(opens(bot))
    assert [answer.verdict for answer in answers] == ["allow", "block", "block", "block"]
    assert turns(bot.account, capped("1")) == [SAME, SAME, SAME, SAME]
    assert turns(bot.account, capped("2")) == [SAME, FREED, SAME, FREED]


def test_an_opening_of_which_nothing_is_told_reserves_as_long_as_the_limits_say(
    bot: Bot, gate_clock: StillClock
) -> None:
    opens(bot)
    later(gate_clock, bot)
    opens(bot)
    assert turns(bot.account, capped("1")) == [SAME, BLOCKED]
    assert turns(bot.account, capped("1", reservation_minutes=1)) == [SAME, SAME]


def test_a_larger_order_leaves_no_more_room_than_it_would_have_taken(bot: Bot, gate_clock: StillClock) -> None:
    """Four contracts were filled; under a cap of three, three would have been, and the report shows the four."""
    tells(bot, opens(bot, 4), "filled")
    opens(bot)
    later(gate_clock, bot, quantity=4)
    opens(bot)
    found = compared_under(bot.account, capped("3"))
    assert [(item.turn, item.would and item.would.codes) for item in found] == [
        (RESIZED, ("position_cap",)), (BLOCKED, ("position_cap",)), (BLOCKED, ("position_cap",)),
    ]  # fmt: skip


def test_notional_and_value_are_judged_at_the_prices_that_were_told(bot: Bot, gate_clock: StillClock) -> None:
    """ES at 5,000 stands for 250,000: two fit under 600,000, and one order of them under 250,000 is one."""
    market = {"bid": "4999.75", "ask": "5000.25"}
    opens(bot, 1, market=market)
    opens(bot, 2)
    limits = under(exposure={"max_notional": "600000"})
    assert turns(bot.account, limits) == [SAME, RESIZED]
    assert turns(bot.account, under(order={"max_value": "250000"})) == [SAME, RESIZED]
    since = gate_clock.now + timedelta(seconds=30)
    later(gate_clock, bot)
    opens(bot, 2)
    found = compared_under(bot.account, limits, Period(since, None))
    assert [item.would and item.would.codes for item in found] == [("notional_cap",)]
    assert found[0].turn is BLOCKED


def test_what_the_desk_s_caps_said_counts_as_it_did(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, exposure={"max_position": "5"})
    desk_limits_submit({"exposure": {"max_position": "1"}}, actor=FACTORY, reason="a small desk")
    answers = [opens(bot), opens(bot)]
    assert codes(answers[1]) == ["position_cap"] and answers[1].reasons[0]["evidence"]["scope"] == "desk"
    course, found = replayed(bot.account, under())
    assert [item.turn for item in found] == [SAME, SAME]
    assert course.totals.carried == {"position_cap": 1}
