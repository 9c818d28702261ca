"""Calendars read and announced at the same moment by several processes, on real commits."""

from functools import partial

import pytest

from mia_site.ops.models import Alert
from risk.calendar_import import CalendarReading, calendar_import
from risk.models import CalendarFetch, EventVersion, MacroEvent, WindowAnnouncement
from risk.trade_window_filter import calendar_check
from tests.risk.calendars import ACTOR, MINUTE, calendar_file, event, load
from tests.stillness import FOMC
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")


def test_one_file_imported_four_times_at_once_adds_each_event_once(cloned_database: str) -> None:
    data = calendar_file(*(event(FOMC + number * MINUTE) for number in range(40)))
    readings = at_once([partial(calendar_import, "mia", data, name="macro_events.csv", actor=ACTOR)] * 4)
    added = sorted(reading.added for reading in readings if isinstance(reading, CalendarReading))
    assert added == [0, 0, 0, 40]
    assert MacroEvent.objects.count() == EventVersion.objects.count() == 40
    assert CalendarFetch.objects.filter(ok=True).count() == 4


def test_two_checks_at_once_announce_once(cloned_database: str) -> None:
    load(event(FOMC))
    assert sorted(at_once([partial(calendar_check, FOMC)] * 4), key=str) == [0, 0, 0, 1]
    assert Alert.objects.get().repeats == 0
    assert WindowAnnouncement.objects.count() == 1
