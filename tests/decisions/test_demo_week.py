"""The synthetic week: real verdicts on made-up facts, the same each time, and far from anybody's first question."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.demo.account import World
from decisions.demo.events import AHEAD, SyntheticEvent, calendar_csv, events_coming, events_past
from decisions.demo.features import COUNT, feature_importances, importance_csv
from decisions.demo.limits import WEEK, live_limits, proposed_limits
from decisions.demo.market import WORST, Market
from decisions.demo.sessions import ZONE, front_contract, sessions_before
from decisions.demo.week import Asked, Week, week
from risk.rules.ask import Effect
from risk.rules.drawdown import breached
from risk.rules.facts import EventView, MemoryView, TradingState
from risk.rules.limits import limits_parse, tightens
from risk.rules.verdict import VerdictKind
from risk.sources.feature_importance import parse_feature_importance
from risk.sources.macro_events import parse_macro_events

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEDNESDAY_NOON = datetime(2026, 11, 25, 18, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def _world(now: datetime) -> World:
    events = [*events_past(sessions_before(now)), *events_coming(now)]
    importances = feature_importances()
    return World(
        limits=limits_parse(WEEK),
        limits_version=1,
        events=tuple(_view(number, event) for number, event in enumerate(events)),
        memories=(MemoryView(cluster_ids=("c1",), at=now - timedelta(days=30), vix_es_correlation=0.3),),
        set_version="1",
        names=tuple(feature.name for feature in importances),
        shares=tuple(feature.importance for feature in importances),
        initial=Decimal(100_000),
        instrument="ESZ6",
    )


def _view(number: int, event: SyntheticEvent) -> EventView:
    return EventView(
        event_id=str(number),
        event_type=event.event_type,
        start_at=event.start_at,
        impact=event.impact,
        currency=event.currency,
    )


def _week(now: datetime = SUNDAY) -> Week:
    return week(sessions_before(now), _world(now))


def _codes(asked: list[Asked]) -> Counter[str]:
    return Counter(item.verdict.reasons[0].code.value for item in asked if item.verdict.reasons)


def test_the_same_start_gives_the_same_week() -> None:
    first, second = _week(), _week()
    assert first.reported == second.reported
    assert [(item.at, item.verdict) for item in first.asked] == [(item.at, item.verdict) for item in second.asked]


def test_each_kind_of_refusal_has_its_day() -> None:
    told, days = _week(), sessions_before(SUNDAY)
    by_day = [_codes([item for item in told.asked if item.at.date() == day.opens_at.date()]) for day in days]
    assert set(by_day[0]) == {"feature_coverage_low", "order_too_large"}
    assert set(by_day[1]) == {"pace_exceeded"}
    assert set(by_day[2]) == {"blackout"}
    assert set(by_day[3]) == {"account_reduce_only"}
    assert set(by_day[4]) == {"feature_coverage_low", "order_too_large"}


def test_the_blackout_is_the_one_around_the_synthetic_statement() -> None:
    blocked = [item for item in _week().asked if item.verdict.reasons and item.verdict.reasons[0].code == "blackout"]
    statement = datetime(2026, 11, 18, 19, tzinfo=UTC)
    assert blocked
    assert all(abs(item.at - statement) <= timedelta(minutes=30) for item in blocked)


def test_the_stop_comes_with_its_snapshot_and_exits_still_pass() -> None:
    told = _week()
    [stop] = [shot for shot in told.shots if shot.reason]
    assert stop.cause == "drawdown" and stop.penalty and "daily_loss" in stop.reason
    stopped = [item for item in told.asked if item.facts.state and item.facts.state.state is TradingState.REDUCE_ONLY]
    exits = [item for item in stopped if item.verdict.effect is Effect.REDUCES]
    openings = [item for item in stopped if item.verdict.effect is Effect.OPENS]
    assert exits and all(item.verdict.verdict is VerdictKind.ALLOW for item in exits)
    assert openings and all(item.verdict.verdict is VerdictKind.BLOCK for item in openings)
    assert all("drawdown_breached" in {reason.code for reason in item.verdict.reasons} for item in openings)


def test_a_person_lifts_the_stop_before_the_last_day() -> None:
    told, days = _week(), sessions_before(SUNDAY)
    [lifted] = told.lifted
    assert days[3].closes_at < lifted.at < days[4].opens_at
    last_day = [item for item in told.asked if item.at > days[4].opens_at]
    assert all(item.facts.state and item.facts.state.state is TradingState.ACTIVE for item in last_day)


def test_only_the_daily_loss_of_the_fall_is_ever_broken() -> None:
    broken = {
        (view.rule.name, item.at.date()) for item in _week().asked for view in item.facts.drawdowns if breached(view)
    }
    assert broken == {("daily_loss", sessions_before(SUNDAY)[3].opens_at.date())}


def test_the_money_adds_up() -> None:
    told = _week()
    assert told.balance == Decimal(100_000) + sum(closed.pnl for closed in told.closed)
    assert told.reported[-1].equity == told.balance
    assert told.held[-1].quantity == 0
    openings = [told.asked[closed.place] for closed in told.closed]
    assert all(item.verdict.effect is Effect.OPENS for item in openings)
    assert all(item.verdict.verdict is not VerdictKind.BLOCK for item in openings)


def test_a_week_that_ends_in_mid_session_ends_before_the_start() -> None:
    told, days = _week(WEDNESDAY_NOON), sessions_before(WEDNESDAY_NOON)
    assert days[4].closes_at == WEDNESDAY_NOON - timedelta(minutes=2)
    assert max(point.at for point in told.reported) < WEDNESDAY_NOON
    assert told.held[-1].quantity == 0


@given(MOMENTS)
def test_every_start_has_five_weekday_sessions_behind_it(now: datetime) -> None:
    days = sessions_before(now)
    assert [day.place for day in days] == [0, 1, 2, 3, 4]
    assert all(day.opens_at.astimezone(ZONE).weekday() < 5 for day in days)
    assert all(first.closes_at < second.opens_at for first, second in itertools.pairwise(days))
    assert timedelta(0) < now - days[-1].closes_at < timedelta(days=4)
    assert all(day.minutes == 390 for day in days[:-1])


@given(MOMENTS)
def test_no_first_question_falls_into_a_blackout(now: datetime) -> None:
    blackout = timedelta(minutes=30)
    high = [
        event.start_at
        for event in (*events_past(sessions_before(now)), *events_coming(now))
        if event.impact > Decimal("0.7") and event.currency == "USD"
    ]
    assert all(abs(start - now) > timedelta(hours=1) + blackout for start in high)
    assert all(start >= now + AHEAD for start in high if start > now)
    assert any(start > now for start in high)


def test_the_files_of_the_demo_are_files_of_the_trade() -> None:
    events = [*events_past(sessions_before(SUNDAY)), *events_coming(SUNDAY)]
    calendar = parse_macro_events(calendar_csv(events).encode())
    assert not calendar.errors
    assert [record.start_at for record in calendar.records] == [event.start_at for event in events]
    features = parse_feature_importance(importance_csv().encode())
    assert not features.errors
    assert [record.name for record in features.records] == [feature.name for feature in feature_importances()]
    assert len(features.records) == COUNT


def test_the_second_limits_loosen_the_pace_and_the_third_the_drawdown() -> None:
    first, second, third = (limits_parse(document) for document in (WEEK, live_limits(), proposed_limits()))
    assert not tightens(first, second) and tightens(second, first)
    assert not tightens(second, third) and tightens(third, second)


@pytest.mark.parametrize(
    ("day", "contract"),
    [
        ("2026-11-22", "ESZ6"),
        ("2026-12-10", "ESZ6"),
        ("2026-12-11", "ESH7"),
        ("2027-03-11", "ESH7"),
        ("2027-03-12", "ESM7"),
        ("2027-01-01", "ESH7"),
    ],
)
def test_the_front_contract_rolls_a_week_before_the_third_friday(day: str, contract: str) -> None:
    assert front_contract(datetime.fromisoformat(day).date()) == contract


@pytest.mark.parametrize("seed", range(3))
def test_the_feed_never_comes_near_a_limit_of_its_account(seed: int) -> None:
    """A week of beats, always long or flat: 5 % of 100,000 and 2,000 a day stay far away."""
    rng = Random(seed)
    market = Market(rng, home=Decimal(102_000), balance=Decimal(102_000))
    lowest = highest = market.equity
    for beat in range(30_000):
        market.step()
        if beat % 3 == 0:
            if market.position:
                market.close()
            elif market.may_open and rng.random() < 0.7:
                market.buy(1)
        lowest, highest = min(lowest, market.equity), max(highest, market.equity)
    assert highest - lowest < 2 * WORST + 400
    assert abs(market.equity - market.home) < WORST + 200
    assert 5800 < market.price < 6200
