"""Windows put together: overlaps are one, each look-up finds what a look at all of them would."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.rules.blackout import Window
from risk.rules.limits import WindowAction
from risk.rules.window_ics import MAX_OCTETS, blackouts_ics
from risk.rules.window_spans import Schedule, spans_of
from risk.sources.calendars.dialects import parse_calendar
from risk.sources.calendars.settings import CalendarSettings
from tests.risk.rules.given import FOMC_AT, NOW, fomc

MINUTE = timedelta(minutes=1)


def window(start: int, minutes: int = 60, name: str = "FOMC", most: str | None = None) -> Window:
    """A window that opens `start` minutes after NOW."""
    event = fomc(event_id=f"{name}{start}", event_type=name)
    opens = NOW + start * MINUTE
    action = WindowAction.BLOCK if most is None else WindowAction.REDUCE
    return Window(event, opens, opens + minutes * MINUTE, action, None if most is None else Decimal(most))


def minutes(*windows: Window) -> list[tuple[float, float, str]]:
    return [((span.opens_at - NOW) / MINUTE, (span.closes_at - NOW) / MINUTE, span.names) for span in spans_of(windows)]


def test_windows_that_overlap_or_touch_are_one_span_that_names_each_event_once() -> None:
    told = minutes(window(0), window(30, name="Press"), window(90), window(151, name="CPI"))
    assert told == [(0, 150, "FOMC; Press"), (151, 211, "CPI")]


def test_a_window_that_reduces_is_no_part_of_a_blackout() -> None:
    assert minutes(window(0), window(10, name="ISM", most="1")) == [(0, 60, "FOMC"), (10, 70, "ISM")]


def test_a_schedule_tells_what_holds_and_what_comes_next() -> None:
    schedule = Schedule(spans_of([window(0), window(120)]))
    assert [bool(schedule.at(NOW + at * MINUTE)) for at in (-1, 0, 60, 61, 120, 181)] == [
        False, True, True, False, True, False,
    ]  # fmt: skip
    following = [schedule.next(NOW + at * MINUTE) for at in (-5, 0, 1, 120, 121)]
    assert [span and (span.opens_at - NOW) / MINUTE for span in following] == [0, 0, 120, 120, None]
    assert Schedule(()).at(NOW) is None and Schedule(()).next(NOW) is None


starts = st.lists(st.tuples(st.integers(-600, 600), st.integers(0, 200)), max_size=20)


@given(starts, st.integers(-700, 900))
def test_a_look_up_finds_what_a_look_at_all_windows_finds(shapes: list[tuple[int, int]], at: int) -> None:
    windows = [window(start, length) for start, length in shapes]
    schedule = Schedule(spans_of(windows))
    now = NOW + at * MINUTE
    assert (schedule.at(now) is not None) is any(one.holds(now) for one in windows)
    following = schedule.next(now)
    later = [span.opens_at for span in spans_of(windows) if span.opens_at >= now]
    assert (following and following.opens_at) == (min(later) if later else None)


def test_the_ics_reads_back_as_what_it_was_and_its_lines_are_short() -> None:
    long = "Employment; Situation, for\\April é" * 5
    spans = spans_of([window(0, name=long), window(200, name="ISM", most="2")])
    body = blackouts_ics(spans, name="ES-DEMO ES", site="desk", now=NOW)
    assert all(len(line) <= MAX_OCTETS for line in body.split(b"\r\n"))
    first, second = parse_calendar(body, CalendarSettings(dialect="ics", impacts={"*": Decimal(1)})).records
    assert (first.start_at, first.event_type) == (NOW, f"Blackout: {long}")
    assert second.event_type == "At most 2: ISM"
    again = blackouts_ics(spans, name="ES-DEMO ES", site="desk", now=NOW + MINUTE)
    assert again.replace(b"150100Z", b"150000Z") == body, "the same window has the same id"


def test_the_ics_of_nothing_is_a_calendar() -> None:
    body = blackouts_ics((), name="x", site="desk", now=datetime(2025, 1, 1, tzinfo=UTC))
    assert body.startswith(b"BEGIN:VCALENDAR\r\n") and body.endswith(b"END:VCALENDAR\r\n")


def test_a_span_keeps_every_window_that_makes_it() -> None:
    (span,) = spans_of([window(0), replace(window(10), event=fomc(event_id="other", start_at=FOMC_AT))])
    assert [one.event.event_id for one in span.windows] == ["FOMC0", "other"]
