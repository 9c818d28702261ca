"""Calendar sources read again and again: what cannot be read is said, and what was known stays."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from mia_site.celery import app
from mia_site.ops import timings
from mia_site.ops.models import Timing
from risk import tasks
from risk.calendar_import import calendar_import
from risk.calendar_sources import calendar_refresh
from risk.models import CalendarFetch, CalendarSource, Desk, MacroEvent
from risk.sources.bounds import MAX_FILE_BYTES
from tests.risk.calendars import ACTOR, calendar_file, event, raised, told
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


def source(path: Path, name: str = "mia", *, enabled: bool = True) -> CalendarSource:
    return CalendarSource.objects.create(name=name, path=str(path), enabled=enabled)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "macro_events.csv"
    path.write_bytes(calendar_file(event(FOMC)))
    return path


def test_each_enabled_source_is_read(file: Path, tmp_path: Path, fomc_clock: StillClock) -> None:
    other = tmp_path / "more.csv"
    other.write_bytes(calendar_file(event(FOMC + timedelta(days=1), "CPI")))
    source(file)
    source(other, "more")
    source(tmp_path / "absent.csv", "off", enabled=False)
    readings = calendar_refresh()
    assert [(reading.source, reading.added, reading.ok) for reading in readings] == [
        ("mia", 1, True),
        ("more", 1, True),
    ]
    assert MacroEvent.objects.count() == 2
    assert Desk.objects.get().calendar_at == FOMC
    timings.flush()
    assert Timing.objects.get().operation == "calendar_refresh"


def test_a_refresh_without_change_renews_the_calendar(file: Path, fomc_clock: StillClock) -> None:
    source(file)
    calendar_refresh()
    fomc_clock.now += timedelta(minutes=15)
    (reading,) = calendar_refresh()
    assert (reading.added, reading.changed, reading.unchanged) == (0, 0, 1)
    assert Desk.objects.get().calendar_at == FOMC + timedelta(minutes=15)
    assert not raised("calendar_refresh_failed")


def test_a_missing_file_is_tried_three_times_and_told(tmp_path: Path, fomc_clock: StillClock) -> None:
    source(tmp_path / "absent.csv")
    pauses: list[float] = []
    (reading,) = calendar_refresh(sleep=pauses.append)
    assert pauses == [2, 4]
    assert not reading.ok and "No such file" in reading.error
    fetch = CalendarFetch.objects.get()
    assert not fetch.ok and fetch.sha256 == ""
    (alert,) = raised("calendar_refresh_failed")
    assert alert.priority == 3
    assert "source mia could not be read whole" in told(alert) and str(tmp_path) in told(alert)
    assert not Desk.objects.filter(calendar_at__isnull=False).exists()


def test_a_file_that_comes_back_meanwhile_is_read(file: Path, tmp_path: Path, fomc_clock: StillClock) -> None:
    source(tmp_path / "late.csv")

    def wait(seconds: float) -> None:
        file.rename(tmp_path / "late.csv")

    (reading,) = calendar_refresh(sleep=wait)
    assert reading.ok and reading.added == 1
    assert not raised("calendar_refresh_failed")


def test_one_bad_source_does_not_stop_the_others(file: Path, tmp_path: Path, fomc_clock: StillClock) -> None:
    source(tmp_path / "absent.csv", "absent")
    source(file, "mia")
    assert [reading.ok for reading in calendar_refresh(sleep=lambda seconds: None)] == [False, True]
    assert MacroEvent.objects.count() == 1


def test_a_file_that_turned_bad_keeps_the_old_events(file: Path, fomc_clock: StillClock) -> None:
    source(file)
    calendar_refresh()
    fomc_clock.now += timedelta(minutes=15)
    file.write_bytes(b"\x00" * 100)
    pauses: list[float] = []
    (reading,) = calendar_refresh(sleep=pauses.append)
    assert not reading.ok and pauses == [], "a file that could be read is not read again"
    assert MacroEvent.objects.get().start_at == FOMC and Desk.objects.get().calendar_at == FOMC
    assert len(raised("calendar_refresh_failed")) == 1


def test_a_refused_row_is_told_with_its_line(file: Path, fomc_clock: StillClock) -> None:
    file.write_bytes(calendar_file(event(FOMC), "2025-05-13 12:30:00,CPI,nan"))
    source(file)
    (reading,) = calendar_refresh()
    assert (reading.added, reading.rejected, reading.ok) == (1, 1, False)
    assert "1 of 2 rows refused; line 3: impact must be" in told(raised("calendar_refresh_failed")[0])


def test_a_file_above_64_mb_is_refused_unread(tmp_path: Path, fomc_clock: StillClock) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as handle:
        handle.truncate(MAX_FILE_BYTES + 1)
    source(huge)
    (reading,) = calendar_refresh(sleep=lambda seconds: None)
    assert not reading.ok and "at most 67,108,864 are read" in reading.error


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path, fomc_clock: StillClock, kind: str) -> None:
    path = tmp_path / "calendar"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/zero")
    source(path)
    (reading,) = calendar_refresh(sleep=lambda seconds: None)
    assert not reading.ok and "is not a regular file" in reading.error


def test_the_tasks_are_scheduled_and_thin(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(tasks, "calendar_check", called.append)
    monkeypatch.setattr(tasks, "calendar_refresh", lambda: called.append("refreshed"))
    monkeypatch.setattr(tasks, "database_now", lambda: FOMC)
    tasks.check_calendar()
    tasks.refresh_calendar()
    assert called == [FOMC, "refreshed"]
    for name, seconds in (("risk.tasks.check_calendar", 60), ("risk.tasks.refresh_calendar", 900)):
        assert app.tasks[name].acks_late
        assert app.conf.beat_schedule[name]["schedule"] == seconds


def test_an_import_by_hand_and_a_refresh_share_one_calendar(file: Path, fomc_clock: StillClock) -> None:
    calendar_import("mia", file.read_bytes(), name=file.name, actor=ACTOR)
    source(file, "mia")
    (reading,) = calendar_refresh()
    assert (reading.added, reading.unchanged) == (0, 1)
