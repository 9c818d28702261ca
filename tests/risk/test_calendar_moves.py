"""Events that move, are cancelled or no longer named: their history stays, and their windows until somebody rules."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from risk.calendar_sources import calendar_refresh
from risk.models import CalendarFetch, CalendarSource, Desk, EventVersion, MacroEvent
from risk.trade_window_filter import trade_window
from tests.risk.calendars import calendar_file, event, raised, told
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
LATER = FOMC + timedelta(days=2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calendar"


def refresh(clock: StillClock, *, hours: int = 1) -> tuple[int, int, int, int]:
    """New, changed, unchanged and removed of the only source, an hour on."""
    clock.now += timedelta(hours=hours)
    (reading,) = calendar_refresh(sleep=lambda seconds: None)
    return reading.added, reading.changed, reading.unchanged, reading.removed


def blocked(at: datetime) -> bool:
    return trade_window(False, at=at).blocked


def entry(uid: str, at: datetime, more: str = "") -> str:
    return f"BEGIN:VEVENT\nUID:{uid}\nDTSTART:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}\nSUMMARY:CPI\n{more}END:VEVENT\n"


def ics(*entries: str) -> bytes:
    return f"BEGIN:VCALENDAR\n{''.join(entries)}END:VCALENDAR\n".encode()


@pytest.fixture
def releases(file: Path, fomc_clock: StillClock) -> CalendarSource:
    file.write_bytes(ics(entry("a", LATER)))
    made = CalendarSource.objects.create(name="bls", path=str(file), dialect="ics", impacts={"*": "0.9"})
    assert refresh(fomc_clock) == (1, 0, 0, 0)
    return made


def test_an_event_that_is_no_longer_named_keeps_its_window(file: Path, fomc_clock: StillClock) -> None:
    file.write_bytes(calendar_file(event(LATER, "CPI"), event(FOMC, "FOMC"), event(LATER + timedelta(days=1), "NFP")))
    CalendarSource.objects.create(name="mia", path=str(file))
    refresh(fomc_clock)
    file.write_bytes(calendar_file(event(LATER + timedelta(days=1), "NFP")))
    assert refresh(fomc_clock) == (0, 0, 1, 1), "FOMC is over: nobody needs to name it"
    dropped = MacroEvent.objects.get(event_type="CPI")
    assert (dropped.status, dropped.version) == ("dropped", 2)
    assert blocked(LATER)
    assert CalendarFetch.objects.latest("recorded_at").removed == 1
    (alert,) = raised("calendar_events_dropped")
    assert told(alert) == "The calendar source mia no longer names 1 coming events; their windows stay closed"
    assert refresh(fomc_clock) == (0, 0, 1, 0), "told once"


def test_a_dropped_event_that_comes_back_is_listed_again(file: Path, fomc_clock: StillClock) -> None:
    both = calendar_file(event(LATER, "CPI"), event(LATER, "NFP"))
    file.write_bytes(both)
    CalendarSource.objects.create(name="mia", path=str(file))
    refresh(fomc_clock)
    file.write_bytes(calendar_file(event(LATER, "NFP")))
    refresh(fomc_clock)
    file.write_bytes(both)
    assert refresh(fomc_clock) == (0, 1, 1, 0)
    statuses = EventVersion.objects.filter(event_type="CPI").order_by("version").values_list("status", flat=True)
    assert list(statuses) == ["listed", "dropped", "listed"]


def test_a_file_with_a_refused_row_marks_nothing(file: Path, fomc_clock: StillClock) -> None:
    file.write_bytes(calendar_file(event(LATER, "CPI"), event(LATER, "NFP")))
    CalendarSource.objects.create(name="mia", path=str(file))
    refresh(fomc_clock)
    file.write_bytes(calendar_file(event(LATER, "NFP"), "2025-13-40,CPI,1.0"))
    assert refresh(fomc_clock) == (0, 0, 1, 0)


def test_an_event_that_moves_keeps_its_history_and_both_times_stay_closed(
    releases: CalendarSource, file: Path, fomc_clock: StillClock
) -> None:
    moved_to = LATER + timedelta(days=3)
    file.write_bytes(ics(entry("a", moved_to)))
    assert refresh(fomc_clock) == (0, 1, 0, 1)
    event_now = MacroEvent.objects.get(uid="a")
    starts = EventVersion.objects.filter(event_id=event_now.id).order_by("version").values_list("start_at", flat=True)
    assert list(starts) == [LATER, moved_to]
    assert MacroEvent.objects.get(uid="").status == "dropped"
    assert blocked(moved_to) and blocked(LATER)
    assert refresh(fomc_clock) == (0, 0, 1, 0)


def test_an_event_that_moves_after_its_time_leaves_nothing_behind(
    releases: CalendarSource, file: Path, fomc_clock: StillClock
) -> None:
    file.write_bytes(ics(entry("a", LATER + timedelta(days=30))))
    assert refresh(fomc_clock, hours=72) == (0, 1, 0, 0)


def test_a_cancelled_event_has_no_window(releases: CalendarSource, file: Path, fomc_clock: StillClock) -> None:
    assert blocked(LATER)
    file.write_bytes(ics(entry("a", LATER, "STATUS:CANCELLED\n")))
    assert refresh(fomc_clock) == (0, 1, 0, 0)
    assert MacroEvent.objects.get().status == "cancelled"
    assert not blocked(LATER)


def test_a_day_without_a_time_is_closed_all_day(file: Path, fomc_clock: StillClock) -> None:
    file.write_bytes(b"Title,Country,Date,Time,Impact\nJackson Hole,USD,05-09-2025,All Day,High\n")
    CalendarSource.objects.create(name="ff", path=str(file), dialect="forexfactory_csv", zone="America/New_York")
    refresh(fomc_clock)
    midnight = datetime(2025, 5, 9, 4, tzinfo=UTC)
    half_hour, second = timedelta(minutes=30), timedelta(seconds=1)
    assert blocked(midnight - half_hour) and blocked(midnight + timedelta(hours=12))
    assert blocked(midnight + timedelta(hours=24) + half_hour)
    assert not blocked(midnight - half_hour - second)
    assert not blocked(midnight + timedelta(hours=24) + half_hour + second)


# Several sources


def test_the_calendar_is_as_old_as_its_oldest_required_source(
    file: Path, tmp_path: Path, fomc_clock: StillClock
) -> None:
    file.write_bytes(calendar_file(event(LATER)))
    short = tmp_path / "short"
    short.write_bytes(calendar_file(event(FOMC + timedelta(hours=30), "CPI")))
    CalendarSource.objects.create(name="long", path=str(file))
    CalendarSource.objects.create(name="short", path=str(short))
    CalendarSource.objects.create(name="extra", path=str(tmp_path / "absent"), required=False)
    start = fomc_clock.now
    calendar_refresh(sleep=lambda seconds: None)
    desk = Desk.objects.get()
    assert (desk.calendar_at, desk.calendar_until) == (start, FOMC + timedelta(hours=30))
    short.unlink()
    fomc_clock.now += timedelta(hours=2)
    calendar_refresh(sleep=lambda seconds: None)
    assert Desk.objects.get().calendar_at == start, "one of two is two hours old, so is the calendar"


def test_a_required_source_that_was_never_good_renews_nothing(
    file: Path, tmp_path: Path, fomc_clock: StillClock
) -> None:
    file.write_bytes(calendar_file(event(LATER)))
    CalendarSource.objects.create(name="good", path=str(file))
    CalendarSource.objects.create(name="never", path=str(tmp_path / "absent"))
    calendar_refresh(sleep=lambda seconds: None)
    assert not Desk.objects.filter(calendar_at__isnull=False).exists()
    assert trade_window(False, at=None).reasons[0].code == "calendar_missing"


def test_a_source_is_read_when_it_is_due(file: Path, fomc_clock: StillClock) -> None:
    file.write_bytes(calendar_file(event(LATER)))
    CalendarSource.objects.create(name="daily", path=str(file), every_minutes=1440)
    assert len(calendar_refresh()) == 1
    fomc_clock.now += timedelta(hours=23, minutes=45)
    assert calendar_refresh() == ()
    fomc_clock.now += timedelta(minutes=15)
    assert len(calendar_refresh()) == 1


@pytest.mark.parametrize(
    "wrong", [{"zone": "Mars/Olympus"}, {"impacts": {"*": "2"}}, {"impacts": {"*": None}}, {"times": {"x": "8h"}}]
)
def test_a_source_that_is_not_described_well_says_so(
    file: Path, fomc_clock: StillClock, wrong: dict[str, object]
) -> None:
    file.write_bytes(ics(entry("a", LATER)))
    CalendarSource.objects.create(name="bls", path=str(file), dialect="ics", **wrong)
    (reading,) = calendar_refresh(sleep=lambda seconds: None)
    assert not reading.ok and reading.error.startswith("the source is not described well")
