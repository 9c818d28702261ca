"""Messages a minute at the gate: everything an account sends counts, only openings wait."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.decision_log import outcome_record
from decisions.inputs import OutcomeInput
from decisions.models import Decision
from tests.decisions.bots import codes, desk_refresh, trading_bot
from tests.stillness import StillClock
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")
SIX: dict[str, Any] = {"pace": {"max_messages_per_minute": 6}}
"""The bot of these tests has reported its equity with its positions already: two messages."""


def counted(decision: Decision) -> int | None:
    """How many messages the decision was judged on."""
    return (decision.judged_on or {}).get("messages_last_minute")


@pytest.mark.django_db
def test_one_message_more_than_the_minute_has_room_for_opens_nothing(gate_clock: StillClock) -> None:
    bot, began = trading_bot(now=gate_clock.now, **SIX), gate_clock.now
    first = bot.asks(trade_id="T1").decision
    gate_clock.now += timedelta(seconds=10)
    outcome_record(first, OutcomeInput(pnl=Decimal(5), closed_at=gate_clock.now, final=True), actor=bot.actor)
    bot.asks(trade_id="T2", mode="record")
    assert counted(bot.asks(trade_id="T3").decision) == 5
    blocked = bot.asks(trade_id="T4").decision
    assert codes(blocked) == ["messages_exceeded"] and blocked.retry_at == began + timedelta(minutes=1)
    gate_clock.now = began + timedelta(minutes=1)
    desk_refresh(gate_clock.now)
    assert bot.asks(trade_id="T5").decision.verdict == "allow"


@pytest.mark.django_db
def test_an_exit_passes_and_so_does_what_the_limits_do_not_count() -> None:
    bot = trading_bot(pace={"max_messages_per_minute": 1})
    bot.reports(quantity=2)
    assert codes(bot.asks().decision) == ["messages_exceeded"]
    assert bot.asks(decision="exit_long", side="sell").decision.verdict == "allow"
    assert counted(trading_bot("ES-OTHER").asks().decision) is None


@pytest.mark.django_db
def test_in_a_batch_each_decision_is_a_message_and_they_are_read_once() -> None:
    bot = trading_bot(**SIX)
    batch = [bot.sent(trade_id=f"T{number}") for number in range(8)]
    with CaptureQueriesContext(connection) as queries:
        answers = bot.submits(batch).answers
    assert [answer.decision.verdict for answer in answers] == ["allow"] * 4 + ["block"] * 4
    assert len([query for query in queries if "UNION ALL" in query["sql"]]) == 1


def test_at_once_exactly_as_many_open_as_the_minute_has_room_for(cloned_database: str) -> None:
    bot = trading_bot(**SIX)
    answers: list[Any] = at_once([partial(bot.asks, trade_id=f"T{number}") for number in range(8)])
    assert sorted(answer.decision.verdict for answer in answers) == ["allow"] * 4 + ["block"] * 4
