"""Stops of one client, algorithm or instrument at the gate; and halts of every scope in a storm of questions."""

from collections.abc import Callable
from functools import partial

import pytest

from decisions.decision_log import Answered
from decisions.models import Decision
from decisions.projections import projections_check
from risk.models import StateChange
from risk.rules.facts import StopScope, TradingState
from risk.scoped_stops import scope_halt, scope_resume, stop_place
from risk.trading_states import desk_halt, trading_halt
from tests.decisions.bots import Bot, codes, trading_bot
from tests.factories import FACTORY
from tests.risk.accounts import APPROVER
from tests.threads import at_once

SCOPES = ["desk", "account", "client", "algorithm", "instrument", "algorithm everywhere", "instrument everywhere"]
ANY_PACE = {"max_openings_per_hour": 1_000}


def halt_of(bot: Bot, scope: str) -> Callable[[], StateChange]:
    """The halt of that scope, ready to be called."""
    if scope == "desk":
        return partial(desk_halt, reason="a fault", actor=FACTORY)
    if scope == "account":
        return partial(trading_halt, account=bot.account.code, reason="a fault", actor=FACTORY)
    name, _, everywhere = scope.partition(" ")
    key = {"client": bot.client.name, "algorithm": "trend", "instrument": "ES"}[name]
    place = stop_place(StopScope(name), key, None if everywhere else bot.account.code)
    return partial(scope_halt, place, reason="a fault", actor=FACTORY)


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet_background")
@pytest.mark.parametrize("scope", SCOPES)
def test_a_stopped_one_is_told_whose_stop_it_met_and_others_trade_on(scope: str) -> None:
    bot = trading_bot()
    change = halt_of(bot, scope)()
    decision = bot.asks(algorithm="Trend").decision
    assert (decision.verdict, decision.trading_state) == ("block", "HALTED")
    (reason,) = decision.reasons
    assert reason["code"] == f"{change.scope}_halted" and reason["evidence"]["reason"] == "a fault"
    if change.scope == "instrument":
        assert bot.asks(algorithm="Trend", instrument="NQ").decision.verdict == "allow"
    if change.scope == "algorithm":
        assert bot.asks(algorithm="Mean").decision.verdict == "allow"


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet_background")
def test_an_answer_given_before_a_stop_of_the_instrument_has_expired() -> None:
    bot = trading_bot()
    assert not bot.asks(key="k1").expired and not bot.asks(key="k1").expired
    place = stop_place(StopScope.INSTRUMENT, "ES")
    scope_halt(place, reason="a fault", actor=FACTORY)
    assert bot.asks(key="k1").expired
    scope_resume(place, reason="mended", actor=APPROVER)
    scope_halt(stop_place(StopScope.INSTRUMENT, "NQ"), reason="a fault", actor=FACTORY)
    assert not bot.asks(key="k1").expired


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet_background")
def test_a_reduce_only_stop_of_an_instrument_lets_its_exits_pass() -> None:
    bot = trading_bot()
    bot.reports(quantity=2)
    place = stop_place(StopScope.INSTRUMENT, "ES")
    scope_halt(place, reason="a fault", actor=FACTORY, state=TradingState.REDUCE_ONLY)
    assert bot.asks(decision="exit", side="sell").decision.verdict == "allow"
    assert codes(bot.asks().decision)[0] == "instrument_reduce_only"
    scope_halt(place, reason="worse", actor=FACTORY)
    assert codes(bot.asks(decision="exit", side="sell").decision) == ["instrument_halted"]


@pytest.mark.usefixtures("quiet_background")
@pytest.mark.parametrize("scope", SCOPES)
def test_in_a_storm_nothing_opens_after_the_halt(cloned_database: str, scope: str) -> None:
    bot = trading_bot(pace=ANY_PACE)
    halt = halt_of(bot, scope)
    asks = [partial(bot.asks, trade_id=f"T{number}", algorithm="trend") for number in range(9)]
    calls: list[Callable[[], object]] = [*asks[:5], halt, *asks[5:]]
    answers = at_once(calls)
    change = answers.pop(5)
    assert isinstance(change, StateChange) and all(isinstance(answer, Answered) for answer in answers), answers
    for decision in Decision.objects.all():
        after = decision.seq > change.seq if change.seq else decision.recorded_at > change.recorded_at
        assert (decision.verdict, decision.trading_state) == (("block", "HALTED") if after else ("allow", "ACTIVE"))
    assert bot.asks(trade_id="late", algorithm="trend").decision.verdict == "block"
    assert [str(found) for found in projections_check()] == []
