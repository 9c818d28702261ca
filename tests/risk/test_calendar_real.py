"""MIA's own calendar of 2023 to 2025: every event closes its window to the second, also around changes of clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from risk.calendar_import import calendar_import
from risk.models import MacroEvent
from risk.rules.limits import BlackoutLimits
from risk.rules.window_spans import Schedule, spans_of
from risk.selectors.calendar import events_near
from risk.selectors.windows import spans_between
from risk.trade_window_filter import trade_window
from tests.risk.calendars import ACTOR, SECOND

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HALF_HOUR = timedelta(minutes=30)
NEW_YORK = ZoneInfo("America/New_York")
CHANGES = [datetime(2023, 3, 12, tzinfo=NEW_YORK), datetime(2023, 11, 5, tzinfo=NEW_YORK),
           datetime(2024, 3, 10, tzinfo=NEW_YORK), datetime(2024, 11, 3, tzinfo=NEW_YORK),
           datetime(2025, 3, 9, tzinfo=NEW_YORK), datetime(2025, 11, 2, tzinfo=NEW_YORK)]  # fmt: skip


@pytest.fixture
def starts(shared_data: Path) -> list[datetime]:
    """The starts of the events of high impact, by start."""
    path = shared_data / "macro_events.csv"
    reading = calendar_import("mia", path.read_bytes(), name=path.name, actor=ACTOR)
    assert (reading.ok, reading.read) == (True, 86)
    high = MacroEvent.objects.filter(impact__gt=BlackoutLimits().impact_above, start_at__isnull=False)
    return sorted(start for start in high.values_list("start_at", flat=True) if start is not None)


def covered(starts: list[datetime], at: datetime) -> bool:
    """Whether any window holds `at`, by looking at every one of them."""
    return any(abs(at - start) <= HALF_HOUR for start in starts)


def moments(start: datetime) -> list[datetime]:
    """The start, both ends of its window, and one second beyond them."""
    edges = [start - HALF_HOUR, start + HALF_HOUR]
    return [start, *edges, edges[0] - SECOND, edges[1] + SECOND]


def test_each_event_is_blocked_to_the_second_and_free_one_second_outside(starts: list[datetime]) -> None:
    for start in starts:
        inside, outside = moments(start)[:3], moments(start)[3:]
        assert all(trade_window(False, at=at).blocked for at in inside), start
        assert [trade_window(False, at=at).blocked for at in outside] == [covered(starts, at) for at in outside], start


def test_each_day_around_a_change_of_clocks_is_judged_to_the_second(starts: list[datetime]) -> None:
    for change in CHANGES:
        near = [start for start in starts if abs(start - change) <= timedelta(days=14)]
        for at in [moment for start in near for moment in moments(start)]:
            local = at.astimezone(NEW_YORK)
            assert trade_window(False, at=local).blocked is covered(starts, at.astimezone(UTC)), at


def test_the_schedule_and_the_query_say_the_same(starts: list[datetime]) -> None:
    spans, events = spans_between(starts[0] - HALF_HOUR, starts[-1] + HALF_HOUR, None, "ES")
    schedule = Schedule(spans)
    assert len(events) == len(starts)
    assert spans == spans_of(window for span in spans for window in span.windows)
    for at in [moment for start in starts for moment in moments(start)]:
        assert (schedule.at(at) is not None) is covered(starts, at)
        assert bool(events_near(at, BlackoutLimits())) or at > starts[-1] + HALF_HOUR
