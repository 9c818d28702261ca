"""Windows by event type, impact and instrument: presets, windows that reduce, what staff closed or opened."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.blackout import blackout_reasons, blackout_windows, next_window
from risk.rules.facts import CalendarView, EventView
from risk.rules.gate import judge
from risk.rules.limits import BlackoutLimits, Limits, WindowLimits, limits_parse
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import CHICAGO, FOMC_AT, NOW, ask, codes, exit_one, facts, fomc, limits
from tests.risk.rules.strategies import limits_documents

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
BASE = BlackoutLimits()
NARROW = BlackoutLimits(minutes_before=0, minutes_after=0)
JOBS_AT = FOMC_AT + timedelta(days=1)
JOBS = EventView(
    event_id="jobs", event_type="Nonfarm Payrolls", start_at=JOBS_AT, impact=Decimal("0.9"), currency="USD"
)
CAPPED = {"name": "medium", "impact_above": "0.5", "action": "reduce", "max_quantity": "1"}


def more(*rules: dict[str, Any], presets: tuple[str, ...] = ()) -> WindowLimits:
    return limits(windows={"rules": list(rules), "presets": list(presets)}).windows


def span(event: EventView, base: BlackoutLimits, windows: WindowLimits, instrument: str = "ES") -> tuple[float, float]:
    """Minutes before and after the event of its only window."""
    (window,) = blackout_windows([event], base, instrument, windows)
    assert event.start_at is not None
    before, after = event.start_at - window.opens_at, window.closes_at - event.start_at
    return before / MINUTE, after / MINUTE


def test_the_fomc_preset_closes_two_hours_before_and_one_after() -> None:
    assert span(fomc(), BASE, more(presets=("fomc",))) == (120, 60)
    assert span(JOBS, BASE, more(presets=("fomc",))) == (30, 30), "other events keep the account's own window"


def test_the_prop_desk_preset_closes_two_minutes_each_side() -> None:
    assert span(JOBS, NARROW, more(presets=("prop_desk",))) == (2, 2)


def test_the_mia_preset_is_the_specification_s_window() -> None:
    assert span(JOBS, NARROW, more(presets=("mia",))) == (30, 30)


def test_windows_only_add_so_the_longest_side_counts() -> None:
    early = {"name": "early", "minutes_before": 90, "minutes_after": 0}
    late = {"name": "late", "minutes_before": 0, "minutes_after": 45}
    assert span(JOBS, BASE, more(early, late)) == (90, 45)


def test_a_window_may_name_events_by_a_word_of_their_type_in_any_case() -> None:
    rule = {"name": "jobs", "event_types": ["PAYROLL"], "minutes_before": 60}
    assert span(JOBS, BASE, more(rule)) == (60, 30)
    assert span(fomc(), BASE, more(rule)) == (30, 30)


def test_a_window_may_name_instruments_by_root_or_contract() -> None:
    rule = {"name": "nasdaq", "instruments": ["NQ"], "minutes_before": 60}
    assert span(JOBS, BASE, more(rule), "NQM5") == (60, 30)
    assert span(JOBS, BASE, more(rule), "ES") == (30, 30)
    assert span(JOBS, BASE, more(rule), "") == (60, 30), "where nobody says which instrument, every window counts"
    for name, contract in (("CL", "CLZ6"), ("ESZ6", "ESZ26")):
        assert span(JOBS, BASE, more({**rule, "instruments": [name]}), contract) == (60, 30), (name, contract)


def test_a_lower_impact_may_have_a_window_of_its_own() -> None:
    medium = replace(JOBS, impact=Decimal("0.6"))
    assert blackout_windows([medium], BASE, "ES") == ()
    assert span(medium, BASE, more({"name": "medium", "impact_above": "0.5", "minutes_before": 5})) == (5, 30)


def test_an_event_that_lasts_is_closed_until_it_is_over() -> None:
    day = replace(JOBS, end_at=JOBS_AT + timedelta(hours=24))
    assert span(day, BASE, more()) == (30, 24 * 60 + 30)


def test_a_time_that_staff_closed_is_closed_exactly_so_long_whatever_its_impact() -> None:
    closed = replace(JOBS, by_staff=True, end_at=JOBS_AT + timedelta(minutes=10), impact=Decimal(0))
    assert span(closed, BlackoutLimits(impact_above=Decimal(1)), more(presets=("fomc",))) == (0, 10)


def test_a_waived_event_has_no_window_and_no_report_blocks_on_it() -> None:
    waived = fomc(waived=True)
    assert blackout_windows([waived], BASE, "ES") == ()
    assert blackout_reasons([waived], FOMC_AT, BASE, zone=CHICAGO, instrument="ES", event_reported=True) == ()


# The gate in a window that reduces


def medium_day(at: datetime = NOW) -> CalendarView:
    event = EventView(event_id="ism", event_type="ISM", start_at=at, impact=Decimal("0.6"), currency="USD")
    return CalendarView(refreshed_at=NOW, events=(event,))


def reducing() -> Limits:
    return limits(windows={"rules": [CAPPED]})


def test_a_window_that_reduces_lets_its_quantity_pass_and_says_until_when() -> None:
    verdict = judge(ask(quantity=Decimal(3)), facts(limits=reducing(), calendar=medium_day()), NOW)
    assert (verdict.verdict, verdict.max_quantity) == (VerdictKind.REDUCE, Decimal(1))
    assert verdict.reasons[0].message == (
        "A quantity of 3 was asked for; until 2025-05-07T15:30:00Z at most 1 are allowed: ISM 2025-05-07T15:00:00Z"
    )
    assert judge(ask(), facts(limits=reducing(), calendar=medium_day()), NOW).verdict is VerdictKind.ALLOW


def test_a_window_that_reduces_blocks_what_has_no_quantity_and_lets_exits_pass() -> None:
    day = facts(limits=reducing(), calendar=medium_day())
    assert codes(judge(ask(quantity=None), day, NOW).reasons)[0] == "quantity_unknown"
    assert judge(exit_one(quantity=Decimal(2)), day, NOW).verdict is VerdictKind.ALLOW


def test_an_answer_ends_where_a_window_that_reduces_opens() -> None:
    calendar = medium_day(NOW + 30 * MINUTE + SECOND)
    assert judge(ask(), facts(limits=reducing(), calendar=calendar), NOW).valid_until == NOW + SECOND


def test_a_calendar_that_ends_too_soon_blocks() -> None:
    under = limits(calendar={"horizon_hours": 72})
    known = CalendarView(refreshed_at=NOW, known_until=NOW + timedelta(hours=72))
    assert judge(ask(), facts(limits=under, calendar=known), NOW).verdict is VerdictKind.ALLOW
    for ends in (NOW + timedelta(hours=72) - SECOND, None):
        verdict = judge(ask(), facts(limits=under, calendar=replace(known, known_until=ends)), NOW)
        assert codes(verdict.reasons) == ["calendar_horizon"]
        assert judge(exit_one(), facts(limits=under, calendar=replace(known, known_until=ends)), NOW).reasons == ()


@given(limits_documents(), st.integers(-3000, 3000), st.sampled_from(["ES", "NQH6", "CL", ""]))
def test_windows_beyond_the_base_only_add(document: dict[str, Any], minutes: int, instrument: str) -> None:
    under = limits_parse(document)
    now = JOBS_AT + minutes * MINUTE
    events = [fomc(), JOBS]
    plain = blackout_reasons(events, now, under.blackout, zone=CHICAGO, instrument=instrument)
    wider = blackout_reasons(events, now, under.blackout, zone=CHICAGO, instrument=instrument, more=under.windows)
    assert wider or not plain


@pytest.mark.parametrize("presets", [(), ("fomc",), ("mia", "fomc", "prop_desk")])
def test_the_next_window_is_the_earliest_of_all(presets: tuple[str, ...]) -> None:
    coming = next_window([fomc(), JOBS], NOW, BASE, "ES", more(presets=presets))
    assert coming is not None
    assert coming[0] == FOMC_AT - (120 if "fomc" in presets else 30) * MINUTE
