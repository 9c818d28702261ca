"""The calendar's tasks through a real worker process and a real broker."""

from datetime import UTC, datetime, timedelta

from mia_site.celery import app
from mia_site.ops.models import Alert, Timing
from risk.models import CalendarFetch, CalendarSource, Desk, MacroEvent, WindowAnnouncement
from tests.risk.calendars import calendar_file, event
from tests.servers import desk
from tests.waiting import wait_for


def test_a_worker_reads_the_calendar_and_announces_the_blackout(desk_processes: desk.Desk, valkey: str) -> None:
    file = desk_processes.data_dir / "macro_events.csv"
    file.write_bytes(calendar_file(event(datetime.now(UTC) + timedelta(minutes=5), "FOMC")))
    CalendarSource.objects.create(name="mia", path=str(file))
    desk_processes.start_worker()
    app.send_task("risk.tasks.refresh_calendar")
    wait_for(CalendarFetch.objects.exists, what="the file read")
    assert MacroEvent.objects.get().event_type == "FOMC"
    assert Desk.objects.get().calendar_at == CalendarFetch.objects.get().recorded_at
    for _ in range(2):  # a task that is delivered twice announces once
        app.send_task("risk.tasks.check_calendar")
    wait_for(Alert.objects.filter(code="window_opened").exists, what="the blackout announced")
    checks = Timing.objects.filter(operation="check_calendar", success=True)
    wait_for(lambda: checks.count() == 2, what="both checks done")
    assert WindowAnnouncement.objects.count() == 1
    assert Alert.objects.get(code="window_opened").repeats == 0
