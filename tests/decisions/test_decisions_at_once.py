"""Bots, a person and the desk at the same moment, on real commits: one order, nothing given twice."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from decisions.decision_log import Answered
from decisions.decision_stream import StreamPosition, stream_append, stream_committed
from decisions.models import Decision, IdempotencyKey
from risk.accounts import client_issue
from risk.models import Admission
from risk.risk_controller import trading_halt, trading_resume
from risk.rules.facts import TradingState
from tests.decisions.bots import Bot, trading_bot
from tests.factories import FACTORY
from tests.risk.accounts import APPROVER
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")


def decided(answers: list[Any]) -> list[Decision]:
    assert all(isinstance(answer, Answered) for answer in answers), answers
    return [answer.decision for answer in answers]


def test_one_request_sent_eight_times_at_once_is_one_decision(cloned_database: str) -> None:
    bot = trading_bot()
    answers = decided(at_once([partial(bot.asks, key="k1")] * 8))
    assert len({decision.id for decision in answers}) == 1
    assert Decision.objects.count() == Admission.objects.count() == IdempotencyKey.objects.count() == 1


def test_two_bodies_under_one_key_at_once_are_one_decision_and_one_refusal(cloned_database: str) -> None:
    bot = trading_bot()
    answers = at_once([partial(bot.asks, key="k1", quantity=quantity) for quantity in ("1", "2")])
    assert sorted(type(answer).__name__ for answer in answers) == ["Answered", "KeyReused"]
    assert Decision.objects.count() == 1


def test_the_last_opening_of_the_hour_is_given_once(cloned_database: str) -> None:
    bot = trading_bot(pace={"max_openings_per_hour": 1})
    answers = decided(at_once([partial(bot.asks, trade_id=f"T{number}") for number in range(6)]))
    assert sorted(decision.verdict for decision in answers) == ["allow"] + ["block"] * 5
    numbers = sorted(decision.seq for decision in answers)
    assert numbers == list(range(numbers[0], numbers[0] + 6)), "each has a place of its own in the account's order"


@pytest.mark.postgres
def test_sixteen_bots_at_the_hours_limit_get_exactly_what_the_hour_has_room_for(cloned_database: str) -> None:
    bot = trading_bot(pace={"max_openings_per_hour": 10})
    clients = [Bot(*client_issue(f"bot {number}", account=bot.account.code, actor=FACTORY)) for number in range(16)]
    answers = decided(at_once([partial(each.asks, trade_id=f"T{number}") for number, each in enumerate(clients)]))
    assert sorted(decision.verdict for decision in answers) == ["allow"] * 10 + ["block"] * 6
    assert {decision.reason_code for decision in answers if decision.verdict == "block"} == {"pace_exceeded"}
    first = min(decision.at for decision in answers)
    assert {decision.retry_at for decision in answers if decision.verdict == "block"} == {first + timedelta(hours=1)}
    assert Admission.objects.count() == 10


def test_one_order_asked_for_six_times_at_once_is_let_through_once(cloned_database: str) -> None:
    bot = trading_bot(pace={"duplicate_seconds": 60})
    answers = decided(at_once([partial(bot.asks, trade_id=f"T{number}") for number in range(6)]))
    assert sorted(decision.verdict for decision in answers) == ["allow"] + ["block"] * 5
    (allowed,) = (decision for decision in answers if decision.verdict == "allow")
    blocked = [decision for decision in answers if decision.verdict == "block"]
    assert {decision.reasons[0]["evidence"]["earlier_id"] for decision in blocked} == {str(allowed.id)}


def test_a_halt_and_a_question_at_once_are_in_one_order(cloned_database: str) -> None:
    bot = trading_bot()
    halt = partial(trading_halt, account=bot.account.code, state=TradingState.HALTED, reason="a fault", actor=FACTORY)
    calls: list[Callable[[], object]] = [halt, *(partial(bot.asks, trade_id=f"T{number}") for number in range(5))]
    at_once(calls)
    rows = list(Decision.objects.order_by("seq").values_list("verdict", "trading_state"))
    allowed = [row for row in rows if row == ("allow", "ACTIVE")]
    assert rows == allowed + [("block", "HALTED")] * (5 - len(allowed))
    trading_resume(account=bot.account.code, reason="mended", actor=APPROVER)
    bot.reports()
    assert bot.asks().decision.verdict == "allow"


def test_two_connections_that_send_the_same_stream_record_each_row_once(cloned_database: str) -> None:
    bot = trading_bot()
    rows = [bot.sent(trade_id=f"T{number}", mode="record") for number in range(3)]

    def piece() -> str:
        return stream_append(StreamPosition(bot.client, "s1", 0), rows, actor=bot.actor)

    answers = at_once([piece] * 4)
    assert sorted(type(answer).__name__ for answer in answers) == ["KeyReused"] * 3 + ["str"]
    assert Decision.objects.count() == stream_committed(bot.client, "s1") == 3
