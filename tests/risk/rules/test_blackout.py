"""Blackout windows: bounds included, high impact only, the instrument's currency, and what is reported."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.blackout import (
    blackout_reasons,
    blackout_windows,
    concerns,
    instrument_currency,
    next_window,
)
from risk.rules.codes import ReasonCode
from risk.rules.facts import EventView
from risk.rules.limits import BlackoutLimits
from risk.rules.verdict import Reason
from tests.risk.rules.given import CHICAGO, FOMC_AT, codes, fomc

HALF_HOUR = BlackoutLimits()
MINUTE = timedelta(minutes=1)


def reasons(
    *events: EventView, at: datetime = FOMC_AT, instrument: str = "ES", event_reported: bool = False
) -> tuple[Reason, ...]:
    return blackout_reasons(events, at, HALF_HOUR, zone=CHICAGO, instrument=instrument, event_reported=event_reported)


@pytest.mark.parametrize(
    ("minutes", "blocked"), [(-30.02, False), (-30, True), (0, True), (5, True), (30, True), (30.02, False)]
)
def test_it_blocks_inside_the_window_bounds_included(minutes: float, blocked: bool) -> None:
    found = reasons(fomc(), at=FOMC_AT + timedelta(minutes=minutes))
    assert codes(found) == ([ReasonCode.BLACKOUT] if blocked else [])


def test_the_specification_s_day_fomc_at_18_05_blocks_and_17_29_59_does_not() -> None:
    assert reasons(fomc(), at=datetime(2025, 5, 7, 18, 5, tzinfo=UTC))
    assert not reasons(fomc(), at=datetime(2025, 5, 7, 17, 29, 59, tzinfo=UTC))


@pytest.mark.parametrize(("impact", "blocked"), [("0.69", False), ("0.7", False), ("0.71", True), ("1", True)])
def test_only_an_impact_strictly_above_the_limit_blocks(impact: str, blocked: bool) -> None:
    assert bool(reasons(fomc(impact=Decimal(impact)))) is blocked


@pytest.mark.parametrize(
    ("instrument", "currency", "blocked"),
    [
        ("ES", "USD", True),
        ("ES", None, True),
        ("ES", "EUR", False),
        ("ES", "usd", True),
        ("MNQZ25", "EUR", False),
        ("FDAX", "EUR", True),
        ("FDAX", "USD", True),
        ("", "EUR", True),
    ],
)
def test_an_event_blocks_the_instruments_that_its_currency_concerns(
    instrument: str, currency: str | None, blocked: bool
) -> None:
    assert bool(reasons(fomc(currency=currency), instrument=instrument)) is blocked


@pytest.mark.parametrize("instrument", ["ES", "MES", "NQ", "MNQ", "ESM5", "ESM25", "esz2025", " MESH6 "])
def test_index_futures_and_their_contracts_trade_in_dollars(instrument: str) -> None:
    assert instrument_currency(instrument) == "USD"


@pytest.mark.parametrize("instrument", ["", "ESTX50", "ESA5", "FES", "ES25", "NQX"])
def test_other_names_are_not_guessed(instrument: str) -> None:
    assert instrument_currency(instrument) is None


def test_it_names_every_event_and_the_minute_the_last_one_ends() -> None:
    cpi = fomc(event_id="cpi", event_type="CPI", start_at=FOMC_AT + 10 * MINUTE, impact=Decimal("0.9"))
    low = fomc(event_id="low", event_type="Crude stocks", impact=Decimal("0.3"))
    (found,) = reasons(fomc(), cpi, low)
    assert found.retry_at == FOMC_AT + 40 * MINUTE
    assert [event["event_type"] for event in found.evidence["events"]] == ["FOMC", "CPI"]
    assert found.evidence["until"] == "2025-05-07T18:40:00Z"
    assert found.message == ("Blackout until 2025-05-07T18:40:00Z: FOMC 2025-05-07T18:00:00Z; CPI 2025-05-07T18:10:00Z")


@pytest.mark.parametrize(("start", "end"), [(50, 80), (60, 90), (61, 30)])
def test_a_window_that_opens_before_the_first_one_is_over_is_waited_for_too(start: int, end: int) -> None:
    speech = fomc(event_id="speech", event_type="Speech", start_at=FOMC_AT + start * MINUTE)
    (found,) = reasons(fomc(), speech)
    assert [event["event_id"] for event in found.evidence["events"]] == ["fomc"]
    assert found.retry_at == FOMC_AT + end * MINUTE


def test_a_past_event_does_not_block_for_ever() -> None:
    assert not reasons(fomc(), at=FOMC_AT + timedelta(days=1))


def test_no_event_is_no_reason() -> None:
    assert reasons() == ()
    assert reasons(event_reported=True) == ()


def test_a_reported_event_blocks_on_the_day_of_a_high_impact_event() -> None:
    morning = FOMC_AT - timedelta(hours=5)
    (found,) = reasons(fomc(), at=morning, event_reported=True)
    assert found.code is ReasonCode.EVENT_REPORTED
    assert found.retry_at is None
    assert found.evidence["names"] == "FOMC 2025-05-07T18:00:00Z"
    assert not reasons(fomc(), at=morning)


def test_the_day_of_a_reported_event_is_the_account_s_day() -> None:
    # 3:00 UTC on the 8th is still the evening of the 7th in Chicago.
    assert reasons(fomc(), at=datetime(2025, 5, 8, 3, 0, tzinfo=UTC), event_reported=True)
    assert not reasons(fomc(), at=datetime(2025, 5, 8, 6, 0, tzinfo=UTC), event_reported=True)


def test_an_event_of_the_evening_is_of_that_day_although_utc_has_turned() -> None:
    evening = fomc(start_at=datetime(2025, 5, 8, 2, 0, tzinfo=UTC))
    assert reasons(evening, at=datetime(2025, 5, 7, 20, 0, tzinfo=UTC), event_reported=True)
    assert not reasons(evening, at=datetime(2025, 5, 8, 20, 0, tzinfo=UTC), event_reported=True)


def test_a_reported_event_blocks_on_one_without_a_start_time() -> None:
    undated = fomc(start_at=None)
    (found,) = reasons(undated, event_reported=True)
    assert found.code is ReasonCode.EVENT_REPORTED
    assert found.evidence["events"][0]["start_at"] is None
    assert not reasons(undated)


def test_low_impact_alone_never_blocks_reported_or_not() -> None:
    low = fomc(impact=Decimal("0.7"))
    assert not reasons(low, event_reported=True)
    assert not reasons(fomc(impact=Decimal("0.2"), start_at=None), event_reported=True)


def test_a_reported_event_of_another_currency_does_not_block() -> None:
    assert not reasons(fomc(currency="EUR"), event_reported=True)


def test_inside_the_window_a_reported_event_adds_its_own_reason() -> None:
    assert codes(reasons(fomc(), event_reported=True)) == [ReasonCode.BLACKOUT, ReasonCode.EVENT_REPORTED]


def test_a_window_of_no_minutes_blocks_the_very_moment() -> None:
    moment = BlackoutLimits(minutes_before=0, minutes_after=0)
    assert blackout_reasons([fomc()], FOMC_AT, moment, zone=CHICAGO)
    assert not blackout_reasons([fomc()], FOMC_AT + timedelta(microseconds=1), moment, zone=CHICAGO)


def test_the_next_window_is_the_first_that_has_not_opened() -> None:
    later = fomc(event_id="later", start_at=FOMC_AT + timedelta(hours=4))
    opens, closes = FOMC_AT - 30 * MINUTE, FOMC_AT + 30 * MINUTE
    assert next_window([later, fomc()], opens - MINUTE, HALF_HOUR, "ES") == (opens, closes)
    assert next_window([later, fomc()], opens, HALF_HOUR, "ES") == (
        opens + timedelta(hours=4),
        closes + timedelta(hours=4),
    )
    assert next_window([fomc()], FOMC_AT, HALF_HOUR) is None
    assert next_window([fomc(currency="EUR")], opens - MINUTE, HALF_HOUR, "ES") is None
    assert next_window([fomc(start_at=None)], opens - MINUTE, HALF_HOUR) is None


def test_overlapping_windows_are_one() -> None:
    speech = fomc(event_id="speech", start_at=FOMC_AT + 40 * MINUTE)
    assert next_window([speech, fomc()], FOMC_AT - 60 * MINUTE, HALF_HOUR) == (
        FOMC_AT - 30 * MINUTE,
        FOMC_AT + 70 * MINUTE,
    )


EVENTS = st.builds(
    lambda minutes, impact, currency: fomc(
        event_id=f"e{minutes}",
        start_at=None if minutes is None else FOMC_AT + minutes * MINUTE,
        impact=Decimal(impact) / 10,
        currency=currency,
    ),
    st.none() | st.integers(-600, 600),
    st.integers(0, 10),
    st.sampled_from(["USD", "EUR", None]),
)


@given(st.lists(EVENTS, max_size=6), st.booleans(), st.integers(0, 60), st.integers(0, 60))
def test_one_more_event_or_a_wider_window_never_frees_a_trade(
    events: list[EventView], reported: bool, minutes: int, wider: int
) -> None:
    narrow = BlackoutLimits(minutes_before=minutes, minutes_after=minutes)
    wide = BlackoutLimits(minutes_before=minutes + wider, minutes_after=minutes + wider)
    some = blackout_reasons(events[1:], FOMC_AT, narrow, zone=CHICAGO, event_reported=reported)
    if some:
        assert blackout_reasons(events, FOMC_AT, narrow, zone=CHICAGO, event_reported=reported)
        assert blackout_reasons(events, FOMC_AT, wide, zone=CHICAGO, event_reported=reported)


@given(st.lists(EVENTS, max_size=6))
def test_right_after_retry_at_the_windows_are_over(events: list[EventView]) -> None:
    for found in blackout_reasons(events, FOMC_AT, HALF_HOUR, zone=CHICAGO, instrument="ES"):
        assert found.retry_at is not None
        after = found.retry_at + timedelta(microseconds=1)
        assert blackout_reasons(events, after, HALF_HOUR, zone=CHICAGO, instrument="ES") == ()


@given(st.lists(EVENTS, max_size=6))
def test_up_to_the_next_window_nothing_new_begins(events: list[EventView]) -> None:
    coming = next_window(events, FOMC_AT, HALF_HOUR, "ES")
    until = coming[0] if coming else FOMC_AT + timedelta(days=2)
    for window in blackout_windows(events, HALF_HOUR, "ES"):
        assert window.opens_at <= FOMC_AT or window.opens_at >= until
        assert concerns(window.event, HALF_HOUR, "ES")
