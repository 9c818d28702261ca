"""Each rule by itself: what it blocks, at which figure exactly, and with which evidence."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from risk.rules import (
    calendar,
    checks,
    clock_skew,
    drawdown_rule,
    equity,
    features,
    flat,
    limits_present,
    losses,
    memory,
    order_size,
    pace,
    positions,
    state,
)
from risk.rules.codes import ReasonCode
from risk.rules.facts import (
    CalendarView,
    EquityView,
    FeatureView,
    LossView,
    MemoryView,
    PaceView,
    PositionView,
    TradingState,
)
from risk.rules.verdict import Finding, Outcome
from tests.risk.rules.given import (
    CHICAGO,
    FOMC_AT,
    INITIAL,
    NOW,
    ago,
    ask,
    equity_of,
    facts,
    fomc,
    limits,
    penalty,
    stopped,
)


def found(*findings: Finding) -> list[ReasonCode]:
    return [finding.reason.code for finding in findings]


@pytest.mark.parametrize(
    ("account", "desk", "expected"),
    [
        (TradingState.ACTIVE, TradingState.ACTIVE, []),
        (TradingState.HALTED, TradingState.ACTIVE, [ReasonCode.ACCOUNT_HALTED]),
        (TradingState.REDUCE_ONLY, TradingState.ACTIVE, [ReasonCode.ACCOUNT_REDUCE_ONLY]),
        (TradingState.ACTIVE, TradingState.HALTED, [ReasonCode.DESK_HALTED]),
        (
            TradingState.HALTED,
            TradingState.REDUCE_ONLY,
            [ReasonCode.DESK_REDUCE_ONLY, ReasonCode.ACCOUNT_HALTED],
        ),
    ],
)
def test_the_state_rule_judges_desk_and_account(
    account: TradingState, desk: TradingState, expected: list[ReasonCode]
) -> None:
    given = facts(state=stopped(account), desk_state=stopped(desk))
    assert found(*state.judge(ask(), given, NOW)) == expected


def test_a_stop_says_since_when_and_why() -> None:
    (finding,) = state.judge(ask(), facts(state=stopped(TradingState.HALTED)), NOW)
    assert finding.reason.evidence == {
        "state": "HALTED",
        "since": "2025-05-07T14:55:00Z",
        "reason": "daily loss",
        "until": None,
    }
    assert finding.reason.message == "The account is halted since 2025-05-07T14:55:00Z: daily loss"


def test_a_timed_stop_says_when_to_ask_again_and_holds_until_it_is_lifted() -> None:
    due = NOW + timedelta(minutes=20)
    (waiting,) = state.judge(ask(), facts(state=stopped(TradingState.REDUCE_ONLY, until=due)), NOW)
    assert waiting.reason.retry_at == due
    (overdue,) = state.judge(ask(), facts(state=stopped(TradingState.REDUCE_ONLY, until=ago(seconds=1))), NOW)
    assert overdue.reason.retry_at is None


def test_a_state_nobody_knows_blocks() -> None:
    assert found(*state.judge(ask(), facts(state=None), NOW)) == [ReasonCode.STATE_UNKNOWN]
    (finding,) = state.judge(ask(), facts(desk_state=None), NOW)
    assert finding.reason.evidence == {"scope": "desk"}


def test_without_limits_nothing_is_safe() -> None:
    assert found(*limits_present.judge(ask(), facts(limits=None), NOW)) == [ReasonCode.LIMITS_MISSING]
    assert found(*limits_present.judge(ask(), facts(), NOW)) == []


@pytest.mark.parametrize(("seconds", "blocked"), [(0, False), (5, False), (5.001, True), (-5, False), (-6, True)])
def test_a_clock_may_be_five_seconds_off_either_way(seconds: float, blocked: bool) -> None:
    question = ask(decided_at=NOW - timedelta(seconds=seconds))
    assert bool(found(*clock_skew.judge(question, facts(), limits(), NOW))) is blocked


def test_a_decision_without_a_date_has_no_skew() -> None:
    assert found(*clock_skew.judge(ask(decided_at=None), facts(), limits(), NOW)) == []


@pytest.mark.parametrize(("seconds", "blocked"), [(120, False), (120.001, True), (-121, True)])
def test_equity_counts_for_two_minutes(seconds: float, blocked: bool) -> None:
    seen = EquityView(equity=INITIAL, at=NOW - timedelta(seconds=seconds), initial=INITIAL)
    judged = found(*equity.judge(ask(), facts(equity=seen), limits(), NOW))
    assert judged == ([ReasonCode.EQUITY_STALE] if blocked else [])


def test_equity_never_reported_blocks() -> None:
    assert found(*equity.judge(ask(), facts(equity=None), limits(), NOW)) == [ReasonCode.EQUITY_MISSING]


@pytest.mark.parametrize(("amount", "blocked"), [("95000", False), ("94999.99", True)])
def test_equity_below_the_floor_blocks_and_at_the_floor_does_not(amount: str, blocked: bool) -> None:
    given = facts(**equity_of(amount, limits()))
    assert bool(found(*drawdown_rule.judge(ask(), given, limits(), NOW))) is blocked


def test_a_breach_shows_all_its_numbers() -> None:
    (finding,) = drawdown_rule.judge(ask(), facts(**equity_of("94000", limits())), limits(), NOW)
    assert finding.reason.evidence == {
        "rule": "max_drawdown",
        "mode": "trailing_intraday",
        "equity": "94000",
        "reference": "100000",
        "floor": "95000",
        "drawdown": "0.06",
        "allowance_of": "reference",
        "allowance": "0.05",
        "action": "REDUCE_ONLY",
    }
    assert finding.reason.message == (
        "max_drawdown: equity 94000 is below the floor 95000, a drawdown of 0.06 from the reference 100000."
    )


def test_every_breached_rule_is_named() -> None:
    two = limits(
        drawdown=[
            {"name": "a", "mode": "static", "allowance": {"of": "initial", "value": "0.05"}},
            {"name": "b", "mode": "daily", "allowance": {"of": "amount", "value": "2000"}},
            {"name": "c", "mode": "static", "allowance": {"of": "initial", "value": "0.5"}},
        ]
    )
    judged = drawdown_rule.judge(ask(), facts(limits=two, **equity_of("94000", two)), two, NOW)
    assert [finding.reason.evidence["rule"] for finding in judged] == ["a", "b"]


def test_a_drawdown_that_was_not_measured_blocks() -> None:
    judged = found(*drawdown_rule.judge(ask(), facts(drawdowns=()), limits(), NOW))
    assert judged == [ReasonCode.DRAWDOWN_UNKNOWN]


def test_a_drawdown_measured_under_other_limits_blocks() -> None:
    tighter = limits(
        drawdown=[
            {
                "name": "max_drawdown",
                "mode": "trailing_intraday",
                "allowance": {"of": "reference", "value": "0.04"},
            }
        ]
    )
    given = facts(**equity_of(100_000, limits()))
    assert found(*drawdown_rule.judge(ask(), given, tighter, NOW)) == [ReasonCode.DRAWDOWN_UNKNOWN]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (None, [ReasonCode.CALENDAR_MISSING]),
        (24, []),
        (24.01, [ReasonCode.CALENDAR_STALE]),
        (-25, [ReasonCode.CALENDAR_STALE]),
    ],
)
def test_the_calendar_counts_for_a_day_even_if_it_is_empty(hours: float | None, expected: list[ReasonCode]) -> None:
    view = CalendarView(refreshed_at=None if hours is None else NOW - timedelta(hours=hours))
    assert found(*calendar.judge(ask(), facts(calendar=view), limits(), NOW)) == expected


def test_the_calendar_rule_blocks_inside_a_window_and_on_a_reported_event() -> None:
    view = CalendarView(refreshed_at=ago(hours=1), events=(fomc(),))
    assert found(*calendar.judge(ask(), facts(calendar=view), limits(), FOMC_AT)) == [ReasonCode.BLACKOUT]
    reported = replace(view, event_reported=True)
    judged = found(*calendar.judge(ask(), facts(calendar=reported), limits(), NOW))
    assert judged == [ReasonCode.EVENT_REPORTED]


def test_the_calendar_rule_asks_about_the_instrument_of_the_decision() -> None:
    view = CalendarView(refreshed_at=ago(hours=1), events=(fomc(currency="EUR"),))
    assert not found(*calendar.judge(ask(), facts(calendar=view), limits(), FOMC_AT))
    assert found(*calendar.judge(ask(instrument="6E"), facts(calendar=view), limits(), FOMC_AT))


@pytest.mark.parametrize(("openings", "blocked"), [(9, False), (10, True), (11, True)])
def test_the_tenth_opening_in_an_hour_is_the_last(openings: int, blocked: bool) -> None:
    view = PaceView(openings_last_hour=openings, oldest_at=ago(minutes=50))
    judged = list(pace.judge(ask(), facts(pace=view), limits(), NOW))
    assert found(*judged) == ([ReasonCode.PACE_EXCEEDED] if blocked else [])
    if openings == 10:
        assert judged[0].reason.retry_at == NOW + timedelta(minutes=10)
    if openings == 11:
        assert judged[0].reason.retry_at is None


@pytest.mark.parametrize(("seconds", "blocked"), [(0, True), (299, True), (300, False), (-10, True)])
def test_five_minutes_must_lie_between_two_openings(seconds: int, blocked: bool) -> None:
    spaced = limits(pace={"min_interval_seconds": 300})
    view = PaceView(openings_last_hour=1, oldest_at=ago(minutes=9), last_opening_at=ago(seconds=seconds))
    judged = list(pace.judge(ask(), facts(pace=view), spaced, NOW))
    assert found(*judged) == ([ReasonCode.INTERVAL_TOO_SHORT] if blocked else [])
    if blocked:
        assert judged[0].reason.retry_at == NOW + timedelta(seconds=300 - seconds)


def test_a_pace_nobody_counted_is_a_fault_and_not_a_quiet_hour() -> None:
    with pytest.raises(pace.PaceUnknownError):
        list(pace.judge(ask(), facts(pace=None), limits(), NOW))


def test_a_large_order_is_reduced_to_the_cap() -> None:
    capped = limits(order={"max_quantity": "2"})
    assert not found(*order_size.judge(ask(quantity=Decimal(2)), facts(), capped, NOW))
    (finding,) = order_size.judge(ask(quantity=Decimal(3)), facts(), capped, NOW)
    assert finding.outcome is Outcome.REDUCE
    assert finding.max_quantity == 2
    assert finding.reason.evidence == {"quantity": "3", "max_quantity": "2"}


@pytest.mark.parametrize("quantity", [None, Decimal(0), Decimal("NaN")])
def test_a_cap_needs_a_quantity_to_hold_against(quantity: Decimal | None) -> None:
    capped = limits(order={"max_quantity": "2"})
    judged = list(order_size.judge(ask(quantity=quantity), facts(), capped, NOW))
    assert found(*judged) == [ReasonCode.QUANTITY_UNKNOWN]
    assert judged[0].outcome is Outcome.BLOCK
    assert not found(*order_size.judge(ask(quantity=quantity), facts(), limits(), NOW))


@pytest.mark.parametrize(("share", "blocked"), [("0.9", False), ("0.899999999", True), ("0", True), ("1", False)])
def test_nine_tenths_of_the_importance_must_be_there(share: str, blocked: bool) -> None:
    view = FeatureView(
        set_version="3", coverage=Decimal(share), present=140, count=150, missing_top=("rsi_14", "ofi_score")
    )
    judged = list(features.judge(ask(), facts(features=view), limits(), NOW))
    assert found(*judged) == ([ReasonCode.FEATURE_COVERAGE_LOW] if blocked else [])
    if blocked:
        assert judged[0].reason.evidence["missing_top"] == ["rsi_14", "ofi_score"]


def test_no_feature_set_blocks() -> None:
    judged = found(*features.judge(ask(), facts(features=None), limits(), NOW))
    assert judged == [ReasonCode.FEATURES_SET_MISSING]


@pytest.mark.parametrize("view", [None, MemoryView(cluster_ids=())])
def test_a_required_memory_must_exist(view: MemoryView | None) -> None:
    required = limits(memory={"required": True})
    assert found(*memory.judge(ask(), facts(memory=view), required, NOW)) == [ReasonCode.MEMORY_MISSING]
    assert found(*memory.judge(ask(), facts(memory=view), limits(), NOW)) == []
    assert found(*memory.judge(ask(), facts(), required, NOW)) == []


# Freshness


@pytest.mark.parametrize(("seconds", "blocked"), [(30, False), (180, False), (181, True), (None, True)])
def test_nothing_opens_if_the_accounts_were_not_checked_for_three_minutes(seconds: int | None, blocked: bool) -> None:
    given = facts(checks_at=None if seconds is None else ago(seconds=seconds))
    assert found(*checks.judge(ask(), given, limits(), NOW)) == [ReasonCode.CHECKS_STALLED] * blocked


@pytest.mark.parametrize(
    ("required", "seconds", "expected"),
    [
        (False, None, []),
        (False, 500, []),
        (True, 120, []),
        (True, 121, [ReasonCode.POSITIONS_STALE]),
        (True, None, [ReasonCode.POSITIONS_MISSING]),
    ],
)
def test_limits_may_require_the_positions(required: bool, seconds: int | None, expected: list[ReasonCode]) -> None:
    under = limits(freshness={"positions_required": required})
    view = None if seconds is None else PositionView(quantity=Decimal(2), at=ago(seconds=seconds))
    assert found(*positions.judge(ask(), facts(limits=under, position=view), under, NOW)) == expected


@pytest.mark.parametrize(("hours", "expected"), [(24, []), (25, [ReasonCode.MEMORY_STALE])])
def test_a_required_memory_may_be_a_day_old_and_no_older(hours: int, expected: list[ReasonCode]) -> None:
    under = limits(memory={"required": True}, freshness={"memory_hours": 24})
    view = MemoryView(cluster_ids=("c1",), at=ago(hours=hours))
    assert found(*memory.judge(ask(), facts(limits=under, memory=view), under, NOW)) == expected
    assert found(*memory.judge(ask(), facts(memory=view), limits(freshness={"memory_hours": 24}), NOW)) == []


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [(ago(days=30), []), (ago(days=31), [ReasonCode.FEATURES_SET_STALE]), (None, [ReasonCode.FEATURES_SET_STALE])],
)
def test_a_feature_set_may_be_a_month_old_and_no_older(loaded: datetime | None, expected: list[ReasonCode]) -> None:
    under = limits(freshness={"features_days": 30})
    view = FeatureView(set_version="1", coverage=Decimal(1), present=150, count=150, loaded_at=loaded)
    assert found(*features.judge(ask(), facts(limits=under, features=view), under, NOW)) == expected


@pytest.mark.parametrize(
    ("clock", "until"),
    [
        ("15:54", None),
        ("15:55", "17:00"),
        ("16:59", "17:00"),
        ("17:00", None),
    ],
)
def test_nothing_opens_from_the_time_to_be_flat_until_the_next_session(clock: str, until: str | None) -> None:
    day = date(2025, 5, 7)
    now = datetime.combine(day, time.fromisoformat(clock), tzinfo=CHICAGO).astimezone(UTC)
    under = limits(flat={"by": "15:55"})
    findings = list(flat.judge(ask(), facts(limits=under), under, now))
    assert found(*findings) == ([] if until is None else [ReasonCode.FLAT_TIME])
    if until is not None:
        assert findings[0].reason.retry_at == datetime.combine(day, time.fromisoformat(until), tzinfo=CHICAGO)


def test_the_time_to_be_flat_may_span_midnight_and_the_night_the_clocks_change() -> None:
    flat_at_night = limits(flat={"by": "23:00", "until": "06:00"}).flat
    evening = datetime(2025, 3, 8, 23, 30, tzinfo=CHICAGO)
    morning = datetime(2025, 3, 9, 6, 0, tzinfo=CHICAGO)
    assert flat.flat_until(flat_at_night, evening, CHICAGO) == morning
    assert flat.flat_until(flat_at_night, morning - timedelta(minutes=1), CHICAGO) == morning
    assert flat.flat_until(flat_at_night, morning, CHICAGO) is None


def test_without_a_time_to_be_flat_positions_may_be_held() -> None:
    assert found(*flat.judge(ask(), facts(), limits(), NOW)) == []


# Losing trades


@pytest.mark.parametrize(("lost", "weight"), [(0, "0"), (1, "0.3333"), (2, "0.6667"), (3, "1"), (4, "1")])
def test_a_penalty_grows_with_each_loss_and_is_never_more_than_one(lost: int, weight: str) -> None:
    assert losses.penalty_weight(lost, 3) == Decimal(weight)


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        ({}, True),
        ({"value": Decimal("0.6667")}, False),
        ({"until": NOW}, False),
        ({"until": None}, True),
    ],
)
def test_a_penalty_blocks_at_full_weight_until_it_expires(changes: dict[str, Any], blocked: bool) -> None:
    given = facts(losses=LossView(consecutive=3, penalties=(penalty(**changes),)))
    findings = list(losses.judge(ask(), given, limits(), NOW))
    assert found(*findings) == [ReasonCode.PENALTY_ACTIVE] * blocked
    assert [finding.reason.retry_at for finding in findings] == [changes.get("until", ago(minutes=-59))] * blocked


@pytest.mark.parametrize(("minutes", "blocked"), [(29, True), (30, False)])
@pytest.mark.parametrize("after", ["stop", "loss"])
def test_after_a_stop_and_after_a_loss_half_an_hour_must_pass(after: str, minutes: int, blocked: bool) -> None:
    under = limits(losses={f"cooldown_after_{after}_minutes": 30})
    at = ago(minutes=minutes)
    view = LossView(stopped_at=at) if after == "stop" else LossView(last_loss_at=at)
    findings = list(losses.judge(ask(), facts(limits=under, losses=view), under, NOW))
    assert [finding.reason.evidence["after"] for finding in findings] == [after] * blocked
    assert found(*losses.judge(ask(), facts(losses=view), limits(), NOW)) == []


def test_losses_nobody_could_read_are_a_fault_and_not_a_good_day() -> None:
    with pytest.raises(losses.LossesUnknownError):
        list(losses.judge(ask(), facts(losses=None), limits(), NOW))


def test_the_loss_limit_of_a_trade_may_be_written_with_mia_s_sign() -> None:
    assert limits(losses={"max_per_trade": "-50"}).losses.max_per_trade == 50
