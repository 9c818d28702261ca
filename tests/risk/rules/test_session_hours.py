"""Globex hours of index futures, against what CME published."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from risk.rules.session_hours import CHICAGO, Published, Session, chicago, globex_sessions


def library(day: date, closes: time = time(17)) -> Session:
    """A session as the library of calendars says it."""
    return Session(day, chicago(day - timedelta(days=1), time(17)), chicago(day, closes), "library")


def closes(*sessions: Session) -> list[str]:
    return [f"{session.closes_at.astimezone(CHICAGO):%m-%d %H:%M}" for session in globex_sessions(sessions)]


def test_trading_pauses_at_16_in_chicago_not_at_17() -> None:
    assert closes(library(date(2026, 6, 17))) == ["06-17 16:00"]


def test_an_early_close_that_the_library_knows_stays() -> None:
    assert closes(library(date(2026, 11, 27), time(12))) == ["11-27 12:00"]


def test_juneteenth_halts_at_noon_although_the_library_does_not_know() -> None:
    assert closes(library(date(2026, 6, 18)), library(date(2026, 6, 19)), library(date(2026, 6, 22))) == [
        "06-18 16:00", "06-19 12:00", "06-22 16:00",
    ]  # fmt: skip


def test_the_day_of_mourning_traded_until_half_past_eight_although_the_library_has_no_session() -> None:
    told = globex_sessions([library(date(2025, 1, 8)), library(date(2025, 1, 10))])
    assert [session.day.day for session in told] == [8, 9, 10]
    mourning = told[1]
    assert mourning.opens_at.astimezone(UTC) == datetime(2025, 1, 8, 23, tzinfo=UTC)
    assert mourning.closes_at.astimezone(UTC) == datetime(2025, 1, 9, 14, 30, tzinfo=UTC)
    assert "National Day of Mourning" in mourning.source


def test_days_outside_what_the_library_told_are_not_added() -> None:
    assert globex_sessions([library(date(2026, 3, 2))])[0].source == "library"
    assert globex_sessions([]) == ()


@given(st.dates(date(2022, 1, 3), date(2027, 12, 30)), st.booleans())
def test_a_session_never_ends_after_16_and_always_after_it_opens(day: date, named: bool) -> None:
    published = {day: Published(time(12), "told")} if named else {}
    (session,) = globex_sessions([library(day)], published)
    assert session.opens_at < session.closes_at
    assert session.closes_at.astimezone(CHICAGO).time() == (time(12) if named else time(16))
