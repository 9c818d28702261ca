"""The few events that the gate reads: those that may matter around a moment, in one indexed query."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from risk.models import Desk
from risk.rules.limits import BlackoutLimits
from risk.selectors.calendar import calendar_view, day_of, events_near
from tests.environment import is_sqlite
from tests.risk.calendars import MINUTE, event, load
from tests.stillness import FOMC

pytestmark = pytest.mark.django_db
LIMITS = BlackoutLimits()
CHICAGO = ZoneInfo("America/Chicago")
DAY = timedelta(days=1)


def names(now: datetime = FOMC, *, reported_in: ZoneInfo | None = None) -> list[str]:
    return [view.event_type for view in events_near(now, LIMITS, reported_in=reported_in)]


def test_it_reads_what_may_still_matter_and_the_next_one() -> None:
    load(
        event(FOMC - 61 * MINUTE, "over"),
        event(FOMC - 60 * MINUTE, "remembered"),
        event(FOMC - 30 * MINUTE, "ending"),
        event(FOMC + 30 * MINUTE, "open"),
        event(FOMC + timedelta(hours=20), "later"),
        event(FOMC + 3 * DAY, "next"),
        event(FOMC + 4 * DAY, "after that"),
        event(FOMC + 2 * DAY, "low", "0.7"),
    )
    assert names() == ["remembered", "ending", "open", "later", "next"]


def test_a_report_adds_the_day_and_the_undated() -> None:
    load(event(datetime(2025, 5, 7, 5, 0, tzinfo=UTC), "midnight"), event(FOMC - DAY, "yesterday"))
    load("undated,0.9", "low,0.5", header="type,impact")
    assert names() == []
    assert sorted(names(reported_in=CHICAGO)) == ["midnight", "undated"]


def test_an_event_carries_its_currency_or_none() -> None:
    load(f"{event(FOMC)},USD", f"{event(FOMC, 'CPI')},", header="start_time,type,impact,currency")
    views = {view.event_type: view for view in events_near(FOMC, LIMITS)}
    assert views["FOMC"].currency == "USD" and views["CPI"].currency is None
    assert views["FOMC"].start_at == FOMC and views["FOMC"].impact == 1


@pytest.mark.parametrize("reported", [False, True])
def test_it_is_one_query(reported: bool) -> None:
    load(event(FOMC), event(FOMC + 9 * DAY))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        view = calendar_view(FOMC, None, Desk(id=1, calendar_at=FOMC), event_reported=reported, zone=CHICAGO)
    assert len(queries) == 1
    assert view.refreshed_at == FOMC and view.event_reported is reported and len(view.events) == 2


@pytest.mark.skipif(not is_sqlite(), reason="PostgreSQL scans small tables whatever their indexes")
@pytest.mark.parametrize("reported_in", [None, CHICAGO])
def test_it_never_scans_the_whole_calendar(reported_in: ZoneInfo | None) -> None:
    load(*[event(FOMC + number * DAY) for number in range(50)])
    with CaptureQueriesContext(connection) as queries:
        events_near(FOMC, LIMITS, reported_in=reported_in)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
        plan = [row[3] for row in cursor.fetchall()]
    assert not [step for step in plan if step.startswith("SCAN")], plan


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2025, 5, 7, 18, tzinfo=UTC), 24),
        (datetime(2025, 3, 9, 18, tzinfo=UTC), 23),  # clocks go forward
        (datetime(2025, 11, 2, 18, tzinfo=UTC), 25),  # and back
    ],
)
def test_a_day_is_from_midnight_to_midnight(now: datetime, hours: int) -> None:
    midnight, following = day_of(now, CHICAGO)
    assert midnight <= now < following
    assert following.astimezone(UTC) - midnight.astimezone(UTC) == timedelta(hours=hours)
    assert (midnight.hour, following.hour) == (0, 0)
