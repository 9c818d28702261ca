"""Clocks: measured once a minute, kept where they say something new, told past the limit, and carried by entries."""

import json
from datetime import timedelta

import pytest
from pytest_django import Settings

from mia_site.audit import clock_check
from mia_site.audit.clock_check import clocks_check
from mia_site.audit.clock_state import STALE, clock_mark, clock_mark_forget, reading_due
from mia_site.audit.models import ClockReading, ClockState, Entry
from mia_site.audit.tasks import check_clocks
from mia_site.ops.clock import database_now
from mia_site.ops.clock_drift import Clocks, clocks_measure, host_synchronised
from mia_site.ops.models import Alert
from tests.audit.ledgers import facts_write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]
GOOD = Clocks(synchronised=True, database_offset_ms=0.4, broker_offset_ms=-0.2)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Clocks]:
    """What the clocks say; a test puts the next measurement at the end."""
    said = [GOOD]
    monkeypatch.setattr(clock_check, "clocks_measure", lambda: said[-1])
    return said


def mark_of_the_next_entry() -> dict[str, object]:
    clock_mark_forget()
    [leaf] = facts_write(1)
    mark: dict[str, object] = json.loads(Entry.objects.get(pk=leaf.entry_id).body)["clock"]
    return mark


def test_the_three_clocks_of_this_machine_are_asked(valkey: str) -> None:
    clocks = clocks_measure()

    assert clocks.database_offset_ms is not None and abs(clocks.database_offset_ms) < 1000
    assert clocks.broker_offset_ms is not None and abs(clocks.broker_offset_ms) < 1000
    assert clocks.synchronised in {True, False, None}
    assert host_synchronised() == clocks.synchronised


def test_a_clock_that_does_not_answer_is_unknown_and_stops_nothing() -> None:
    clocks = clocks_measure()

    assert clocks.broker_offset_ms is None
    assert clocks.database_offset_ms is not None


def test_before_any_measurement_an_entry_says_that_it_does_not_know() -> None:
    assert mark_of_the_next_entry() == {"synchronised": None, "offset_ms": None}


def test_an_entry_carries_what_was_measured_last(measured: list[Clocks]) -> None:
    clocks_check()
    assert mark_of_the_next_entry() == {"synchronised": True, "offset_ms": 0.4}

    measured.append(Clocks(synchronised=False, database_offset_ms=-3.5, broker_offset_ms=None))
    clocks_check()
    assert mark_of_the_next_entry() == {"synchronised": False, "offset_ms": -3.5}


def test_an_old_measurement_is_no_knowledge(measured: list[Clocks]) -> None:
    clocks_check()
    ClockState.objects.update(at=database_now() - STALE - timedelta(seconds=1))

    assert mark_of_the_next_entry() == {"synchronised": None, "offset_ms": None}


def test_a_process_asks_the_database_at_most_every_half_minute(
    measured: list[Clocks], django_assert_num_queries: object
) -> None:
    clocks_check()
    clock_mark_forget()
    first = clock_mark()
    ClockState.objects.update(synchronised=False)

    assert clock_mark() == first
    clock_mark_forget()
    assert clock_mark()["synchronised"] is False


def test_drift_past_the_limit_is_an_alert_and_marks_the_reading(measured: list[Clocks], settings: Settings) -> None:
    settings.MIA_CLOCK_LIMIT_MS = 100
    measured.append(Clocks(synchronised=True, database_offset_ms=20.0, broker_offset_ms=-150.0))

    clocks_check()

    assert Alert.objects.get(code="clock_drift").params == {"offset": "150", "limit": 100}
    assert ClockReading.objects.latest("id").within_limit is False


def test_a_host_that_is_not_synchronised_is_an_alert_even_without_drift(measured: list[Clocks]) -> None:
    measured.append(Clocks(synchronised=False, database_offset_ms=0.1, broker_offset_ms=0.1))

    clocks_check()

    assert Alert.objects.get(code="clock_unsynchronised").priority == 3
    assert ClockReading.objects.latest("id").within_limit is False


def test_an_unknown_state_of_the_host_is_no_alert(measured: list[Clocks]) -> None:
    measured.append(Clocks(synchronised=None, database_offset_ms=0.1, broker_offset_ms=None))

    clocks_check()

    assert not Alert.objects.filter(code__startswith="clock_").exists()


def test_the_first_reading_is_kept_and_then_each_that_says_something_else(measured: list[Clocks]) -> None:
    for _ in range(3):
        clocks_check()
    measured.append(Clocks(synchronised=False, database_offset_ms=0.1, broker_offset_ms=None))
    for _ in range(3):
        clocks_check()

    assert list(ClockReading.objects.order_by("id").values_list("synchronised", flat=True)) == [True, False]
    assert ClockState.objects.count() == 1


def test_one_reading_an_hour_is_kept_though_nothing_changes() -> None:
    now = database_now()
    assert reading_due(None, now, differs=False)
    assert not reading_due(now - timedelta(minutes=59), now, differs=False)
    assert reading_due(now - timedelta(minutes=60), now, differs=False)
    assert reading_due(now, now, differs=True)


def test_the_task_measures_and_keeps(measured: list[Clocks]) -> None:
    check_clocks()
    assert ClockState.objects.get().synchronised is True
