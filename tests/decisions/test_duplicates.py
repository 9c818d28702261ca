"""The same opening twice: what the gate answers, and what is no duplicate."""

import pytest

from tests.decisions.bots import codes, trading_bot

pytestmark = pytest.mark.django_db
GUARDED = {"duplicate_seconds": 60}


def test_the_second_of_two_equal_openings_is_blocked_whatever_its_trade() -> None:
    bot = trading_bot(pace=GUARDED)
    first = bot.asks().decision
    second = bot.asks(trade_id="another").decision
    assert (first.verdict, second.verdict, codes(second)) == ("allow", "block", ["duplicate_order"])
    assert second.reasons[0]["evidence"]["earlier_id"] == str(first.id)


def test_two_equal_openings_in_one_batch_are_one() -> None:
    bot = trading_bot(pace=GUARDED)
    answers = bot.submits([bot.sent(), bot.sent(trade_id="another"), bot.sent(quantity="2")]).answers
    assert [answer.decision.verdict for answer in answers] == ["allow", "block", "allow"]
    assert answers[1].decision.reasons[0]["evidence"]["earlier_id"] == str(answers[0].decision.id)


def test_a_replay_under_its_key_is_the_first_answer_and_no_duplicate() -> None:
    bot = trading_bot(pace=GUARDED)
    first, again = bot.asks(key="k1"), bot.asks(key="k1")
    assert again.decision.id == first.decision.id and again.decision.verdict == "allow"


def test_an_exit_repeated_passes() -> None:
    bot = trading_bot(pace=GUARDED)
    bot.reports(quantity=4)
    exits = [bot.asks(decision="exit_long", side="sell", trade_id=f"T{number}").decision for number in range(2)]
    assert [(each.effect, each.verdict) for each in exits] == [("reduces", "allow")] * 2
