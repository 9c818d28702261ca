"""Caps under sixteen asks at the same moment, on real commits: exactly what fits is let through."""

from functools import partial
from typing import Any

import pytest

from decisions.decision_log import Answered
from decisions.inputs import OrderInput
from decisions.models import Decision
from decisions.orders import order_record
from decisions.projections import projections_check
from mia_site.ops.clock import database_now
from risk.desk_limits import desk_limits_submit
from risk.models import Account
from risk.rules.order_life import OrderStatus
from tests.decisions.bots import trading_bot
from tests.factories import FACTORY, LIMITS
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")
BUSY: dict[str, Any] = {"max_openings_per_hour": 100}


def verdicts(answers: list[Any]) -> list[str]:
    assert all(isinstance(answer, Answered) for answer in answers), answers
    return sorted(answer.decision.verdict for answer in answers)


@pytest.mark.postgres
def test_a_cap_of_three_and_sixteen_asks_give_three_and_a_reject_frees_a_fourth(cloned_database: str) -> None:
    bot = trading_bot(exposure={"max_position": "3"}, pace=BUSY)
    asks = [partial(bot.asks, trade_id=f"T{number}") for number in range(16)]
    assert verdicts(at_once(asks)) == ["allow"] * 3 + ["block"] * 13
    first = Decision.objects.filter(verdict="allow").order_by("seq")[0]
    order_record(first, OrderInput(order_status=OrderStatus.REJECTED, at=database_now()), actor=bot.actor)
    assert verdicts(at_once(asks[:4])) == ["allow"] + ["block"] * 3
    assert [str(found) for found in projections_check()] == []


@pytest.mark.postgres
def test_a_cap_of_the_desk_holds_for_two_accounts_that_ask_at_once(cloned_database: str) -> None:
    bots = [trading_bot(code, pace=BUSY) for code in ("ES-ONE", "ES-TWO")]
    body = {"drawdown": LIMITS["drawdown"][:1], "exposure": {"max_position": "3"}}
    desk_limits_submit(body, actor=FACTORY, reason="the whole desk")
    asks = [partial(bot.asks, trade_id=f"T{number}") for number in range(4) for bot in bots]
    assert verdicts(at_once(asks)) == ["allow"] * 3 + ["block"] * 5


@pytest.mark.postgres
def test_two_accounts_of_one_owner_that_open_against_each_other_at_once_do_not_both(cloned_database: str) -> None:
    bots = [trading_bot(code, self_match={"action": "block"}) for code in ("ES-ONE", "ES-TWO")]
    Account.objects.update(owner="Lovelace")
    sides: tuple[dict[str, Any], ...] = (
        {"decision": "enter_long", "side": "buy"},
        {"decision": "enter_short", "side": "sell"},
    )
    answers = at_once([partial(bot.asks, **side) for bot, side in zip(bots, sides, strict=True)])
    assert verdicts(answers) == ["allow", "block"]
