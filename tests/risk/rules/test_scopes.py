"""Stops of one client, algorithm or instrument: whom they meet, and what they let through."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules import state
from risk.rules.ask import Ask, Effect
from risk.rules.codes import ReasonCode
from risk.rules.facts import ScopedStopView, StopScope, TradingState
from risk.rules.gate import judge
from risk.rules.scopes import strictest
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ask, exit_one, facts, stopped

HALTED, REDUCE_ONLY, ACTIVE = TradingState.HALTED, TradingState.REDUCE_ONLY, TradingState.ACTIVE


def stop(scope: StopScope, key: str, to: TradingState = HALTED, account: str | None = None) -> ScopedStopView:
    return ScopedStopView(scope=scope, key=key, account=account, view=stopped(to))


STOPS = st.builds(
    stop,
    st.sampled_from(StopScope),
    st.sampled_from(["ES", "NQ", "mia-es", "trend"]),
    st.sampled_from([HALTED, REDUCE_ONLY]),
)


def met(asked: Ask, *stops: ScopedStopView) -> list[ReasonCode]:
    return [finding.reason.code for finding in state.judge(asked, facts(stops=stops), NOW)]


def asks(**changes: Any) -> Ask:
    return replace(ask(), **{"algorithm": "Trend", "client": "mia-es", "instrument": "ESZ6", **changes})


@pytest.mark.parametrize(
    ("scope", "key", "code"),
    [
        (StopScope.CLIENT, "mia-es", ReasonCode.CLIENT_HALTED),
        (StopScope.ALGORITHM, "trend", ReasonCode.ALGORITHM_HALTED),
        (StopScope.INSTRUMENT, "ESZ6", ReasonCode.INSTRUMENT_HALTED),
        (StopScope.INSTRUMENT, "ES", ReasonCode.INSTRUMENT_HALTED),
        (StopScope.INSTRUMENT, "ESZ26", ReasonCode.INSTRUMENT_HALTED),
    ],
)
def test_a_stop_meets_what_it_names(scope: StopScope, key: str, code: ReasonCode) -> None:
    assert met(asks(), stop(scope, key)) == [code]


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (StopScope.CLIENT, "mia"), (StopScope.ALGORITHM, "tren"), (StopScope.INSTRUMENT, "NQ"),
        (StopScope.INSTRUMENT, "ESZ5"), (StopScope.INSTRUMENT, "MES"), (StopScope.INSTRUMENT, "E"),
    ],
)  # fmt: skip
def test_a_stop_meets_nothing_else(scope: StopScope, key: str) -> None:
    assert met(asks(), stop(scope, key)) == []


def test_an_algorithm_that_leaves_its_name_out_opens_nothing_while_one_is_stopped() -> None:
    halt = stop(StopScope.ALGORITHM, "trend")
    assert met(asks(algorithm=" "), halt) == [ReasonCode.ALGORITHM_UNKNOWN]
    assert judge(asks(algorithm=""), facts(stops=(halt,)), NOW).verdict is VerdictKind.BLOCK
    assert judge(replace(exit_one(), algorithm=""), facts(stops=(halt,)), NOW).verdict is VerdictKind.ALLOW
    assert strictest([ACTIVE], [halt], asks(algorithm="")) is REDUCE_ONLY


def test_a_stop_says_whom_it_names_and_where() -> None:
    (finding,) = state.judge(asks(), facts(stops=(stop(StopScope.INSTRUMENT, "ES", REDUCE_ONLY, "ES-MAIN"),)), NOW)
    evidence = finding.reason.evidence
    assert (evidence["scope"], evidence["key"], evidence["account"]) == ("instrument", "ES", "ES-MAIN")
    assert finding.reason.message == (
        "The instrument ES is in reduce-only since 2025-05-07T14:55:00Z, no new risk is allowed: daily loss"
    )


def test_the_strictest_of_all_that_concern_an_ask_holds() -> None:
    stops = [
        stop(StopScope.INSTRUMENT, "ES", REDUCE_ONLY),
        stop(StopScope.CLIENT, "mia-es"),
        stop(StopScope.CLIENT, "x"),
    ]
    assert strictest([ACTIVE, REDUCE_ONLY], stops, asks()) is HALTED
    assert strictest([ACTIVE], stops[:1], asks()) is REDUCE_ONLY
    assert strictest([ACTIVE], stops, asks(client="y", instrument="NQ")) is ACTIVE


@given(st.lists(STOPS, max_size=4), STOPS)
def test_one_stop_more_never_frees_anything_and_only_a_halt_keeps_an_exit(
    stops: list[ScopedStopView], more: ScopedStopView
) -> None:
    for asked in (asks(), replace(exit_one(), algorithm="trend", client="mia-es")):
        before, after = (judge(asked, facts(stops=tuple(held)), NOW) for held in (stops, [*stops, more]))
        assert not (before.verdict is VerdictKind.BLOCK and after.verdict is not VerdictKind.BLOCK)
        if after.effect is Effect.REDUCES and after.verdict is VerdictKind.BLOCK:
            assert strictest([ACTIVE], [*stops, more], asked) is HALTED
