"""What holds for every ask, under every limit, on every day."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from risk.rules.ask import Ask, Effect
from risk.rules.facts import CalendarView, Facts, FeatureView, HeldView, PaceView, TradingState
from risk.rules.gate import judge
from risk.rules.limits import RuleName, limits_dump, limits_parse
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ago, doubt, equity_of, facts, fomc, stopped
from tests.risk.rules.strategies import asks, drawdown_documents, exposures, limits_documents, positions

ALLOW, BLOCK = VerdictKind.ALLOW, VerdictKind.BLOCK
ORDER = [ALLOW, VerdictKind.REDUCE, BLOCK]
STATES = st.sampled_from(list(TradingState)).map(stopped)
STRICTNESS = [TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED]


@st.composite
def days(draw: st.DrawFn) -> Facts:
    """A day on which anything may be missing, old or breached."""
    under = limits_parse(draw(limits_documents()))
    known = equity_of(draw(st.sampled_from(["120000", "100000", "96000", "94000", "500"])), under)
    events = tuple(
        fomc(event_id=str(minutes), start_at=NOW + timedelta(minutes=minutes))
        for minutes in draw(st.lists(st.integers(-120, 120), max_size=2, unique=True))
    )
    changes: dict[str, Any] = {
        "state": draw(STATES),
        "desk_state": draw(STATES),
        "position": draw(positions()),
        "pace": PaceView(
            openings_last_hour=draw(st.integers(0, 12)),
            oldest_at=ago(minutes=30),
            last_opening_at=ago(seconds=draw(st.integers(0, 900))),
        ),
        "calendar": CalendarView(
            refreshed_at=draw(st.none() | st.integers(0, 48).map(lambda hours: ago(hours=hours))),
            events=events,
            event_reported=draw(st.booleans()),
        ),
        "features": draw(
            st.none()
            | st.integers(0, 100).map(
                lambda share: FeatureView(
                    set_version="1",
                    coverage=Decimal(share) / 100,
                    present=1,
                    count=1,
                    drift=Decimal(share) / 100,
                    missing_ranks=(share + 1,),
                    missing_top=("vix",),
                )
            )
        ),
        "memory": draw(st.sampled_from([None, facts().memory])),
        "exposure": draw(st.none() | exposures()),
    }
    return facts(limits=under, **known | changes)


def severity(question: Ask, day: Facts) -> int:
    return ORDER.index(judge(question, day, NOW).verdict)


@given(asks(), days())
def test_every_refusal_explains_itself_and_every_allow_is_silent(question: Ask, day: Facts) -> None:
    verdict = judge(question, day, NOW)
    assert bool(verdict.reasons) is (verdict.verdict is not ALLOW)
    assert (verdict.max_quantity is not None) is (verdict.verdict is VerdictKind.REDUCE)
    for item in (*verdict.reasons, *verdict.shadow_reasons):
        assert item.message and "%" not in item.message


@given(asks(), days())
def test_no_state_but_halted_blocks_a_decision_that_reduces(question: Ask, day: Facts) -> None:
    verdict = judge(question, day, NOW)
    assert day.state is not None and day.desk_state is not None
    halted = TradingState.HALTED in {day.state.state, day.desk_state.state}
    if verdict.effect is Effect.REDUCES:
        assert verdict.verdict is (BLOCK if halted else ALLOW)
    if verdict.effect is Effect.NEUTRAL:
        assert verdict.verdict is ALLOW


@given(asks(), days())
def test_nothing_opens_in_a_stopped_account(question: Ask, day: Facts) -> None:
    verdict = judge(question, day, NOW)
    assert day.state is not None
    if verdict.effect is Effect.OPENS and day.state.state is not TradingState.ACTIVE:
        assert verdict.verdict is BLOCK


@given(asks(), days(), st.sampled_from(list(TradingState)))
def test_a_stricter_state_never_frees_a_decision(question: Ask, day: Facts, other: TradingState) -> None:
    assert day.state is not None
    stricter = max(day.state.state, other, key=STRICTNESS.index)
    assert severity(question, replace(day, state=stopped(stricter))) >= severity(question, day)


@given(asks(), days())
def test_losing_an_input_never_frees_a_decision(question: Ask, day: Facts) -> None:
    before = severity(question, day)
    lost: list[dict[str, Any]] = [
        {"state": None},
        {"desk_state": None},
        {"equity": None},
        {"drawdowns": ()},
        {"position": None},
        {"pace": None},
        {"losses": None},
        {"features": None},
        {"memory": None},
        {"exposure": None},
        {"calendar": replace(day.calendar, refreshed_at=None)},
    ]
    for changes in lost:
        assert severity(question, replace(day, **changes)) >= before


@given(asks(), days(), st.integers(1, 100_000))
def test_an_older_feed_never_frees_a_decision(question: Ask, day: Facts, seconds: int) -> None:
    before = severity(question, day)
    assert day.equity is not None
    older = timedelta(seconds=seconds)
    assert severity(question, replace(day, equity=replace(day.equity, at=day.equity.at - older))) >= before
    if day.calendar.refreshed_at is not None:
        calendar = replace(day.calendar, refreshed_at=day.calendar.refreshed_at - older)
        assert severity(question, replace(day, calendar=calendar)) >= before
    if day.position is not None:
        position = replace(day.position, at=day.position.at - older)
        assert severity(question, replace(day, position=position)) >= before
    if day.memory is not None and day.memory.at is not None:
        assert severity(question, replace(day, memory=replace(day.memory, at=day.memory.at - older))) >= before
    assert day.checks_at is not None
    assert severity(question, replace(day, checks_at=day.checks_at - older)) >= before


@settings(max_examples=40)
@given(asks(), limits_documents(), st.sampled_from([(120_000, 99_000), (100_000, 94_999), (95_000, 500)]))
def test_less_equity_never_frees_a_decision(question: Ask, document: dict[str, Any], equity: tuple[int, int]) -> None:
    under = limits_parse(document)
    better, worse = (facts(limits=under, **equity_of(amount, under)) for amount in equity)
    assert severity(question, worse) >= severity(question, better)


@given(asks(), days(), st.integers(1, 5))
def test_more_openings_more_events_or_less_coverage_never_free_a_decision(question: Ask, day: Facts, more: int) -> None:
    before = severity(question, day)
    worse = replace(day, doubts=(doubt(),), held=HeldView(count=1, since=NOW))
    assert severity(question, worse) >= before
    assert day.pace is not None
    busier = replace(day.pace, openings_last_hour=day.pace.openings_last_hour + more)
    assert severity(question, replace(day, pace=busier)) >= before
    events = replace(day.calendar, events=(*day.calendar.events, fomc(event_id="more", start_at=NOW)))
    assert severity(question, replace(day, calendar=events)) >= before
    assert severity(question, replace(day, calendar=replace(day.calendar, event_reported=True))) >= before
    if day.features is not None:
        thinner = replace(day.features, coverage=day.features.coverage / (more + 1))
        assert severity(question, replace(day, features=thinner)) >= before


@given(asks(), limits_documents(), drawdown_documents("extra"), st.sampled_from(["100000", "96000", "500"]))
def test_one_more_drawdown_rule_never_frees_a_decision(
    question: Ask, document: dict[str, Any], extra: dict[str, Any], equity: str
) -> None:
    some = limits_parse(document)
    more = limits_parse(document | {"drawdown": [*document["drawdown"], extra]})
    before = severity(question, facts(limits=some, **equity_of(equity, some)))
    assert severity(question, facts(limits=more, **equity_of(equity, more))) >= before


@given(asks(), days(), st.sampled_from([name.value for name in RuleName]))
def test_enforcing_a_rule_never_frees_a_decision(question: Ask, day: Facts, name: str) -> None:
    assert day.limits is not None
    document = limits_dump(day.limits)
    enforced = limits_parse(document | {"rules": document["rules"] | {name: {"mode": "enforce"}}})
    assert severity(question, replace(day, limits=enforced)) >= severity(question, day)


@given(asks(), days())
def test_an_answer_lasts_no_longer_than_it_may(question: Ask, day: Facts) -> None:
    verdict = judge(question, day, NOW)
    assert day.limits is not None
    assert NOW < verdict.valid_until <= NOW + timedelta(seconds=day.limits.answer.valid_seconds)
    assert verdict.retry_at is None or verdict.verdict is BLOCK


@given(asks(), days())
def test_the_same_question_on_the_same_facts_has_the_same_answer(question: Ask, day: Facts) -> None:
    assert judge(question, day, NOW) == judge(question, day, NOW)
