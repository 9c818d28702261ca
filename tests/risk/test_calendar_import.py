"""Calendar files in: facts of what was read, versions of events, and the calendar that the gate reads."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from mia_site.audit.models import Entry, PendingEntry
from mia_site.ops.ids import uuid7
from risk.calendar_import import CalendarReading, calendar_import
from risk.models import CalendarFetch, Desk, EventVersion, MacroEvent
from tests.risk.calendars import ACTOR, calendar_file, event, load
from tests.stillness import FOMC, StillClock

pytestmark = pytest.mark.django_db
CPI = datetime(2025, 5, 13, 12, 30, tzinfo=UTC)
KINDS = ["calendar_fetch", "event_version"]


def counts(reading: CalendarReading) -> tuple[int, int, int, int]:
    assert reading.read == reading.added + reading.changed + reading.unchanged + reading.rejected
    return reading.added, reading.changed, reading.unchanged, reading.rejected


def calendar_at() -> datetime | None:
    return Desk.objects.values_list("calendar_at", flat=True).filter(id=1).first()


def test_each_event_becomes_a_version_and_the_calendar(fomc_clock: StillClock) -> None:
    data = calendar_file(event(FOMC), event(CPI, "CPI", "0.9"))
    reading = calendar_import("mia", data, name="macro_events.csv", actor=ACTOR)
    assert counts(reading) == (2, 0, 0, 0) and reading.ok and reading.error == ""
    fetch = CalendarFetch.objects.get()
    assert (fetch.source, fetch.rows, fetch.added, fetch.ok) == ("mia", 2, 2, True)
    assert fetch.sha256 == hashlib.sha256(data).hexdigest()
    assert [(row.event_type, row.impact, row.start_at) for row in MacroEvent.objects.all()] == [
        ("FOMC", Decimal(1), FOMC),
        ("CPI", Decimal("0.9"), CPI),
    ]
    assert set(EventVersion.objects.values_list("event_id", "version", "fetch_id")) == {
        (row.id, 1, fetch.id) for row in MacroEvent.objects.all()
    }
    assert calendar_at() == FOMC


def test_every_fact_is_in_the_journal_with_the_file_it_came_from(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    entries = Entry.objects.filter(kind_name__in=KINDS).order_by("kind_name")
    assert [entry.kind_name for entry in entries] == KINDS
    assert {(entry.actor, entry.why) for entry in entries} == {("system:test", "macro_events.csv")}
    assert json.loads(entries[1].body)["fact"]["impact"] == "1.0000"
    assert PendingEntry.objects.filter(entry_id__in=[entry.id for entry in entries]).count() == 2


def test_the_same_file_again_adds_no_event_and_makes_the_calendar_fresh(fomc_clock: StillClock) -> None:
    load(event(FOMC), event(CPI, "CPI", "0.9"))
    fomc_clock.now += timedelta(hours=30)
    assert counts(load(event(FOMC), event(CPI, "CPI", "0.9"))) == (0, 0, 2, 0)
    assert (MacroEvent.objects.count(), EventVersion.objects.count(), CalendarFetch.objects.count()) == (2, 2, 2)
    assert calendar_at() == FOMC + timedelta(hours=30)


@pytest.mark.parametrize("second", ["2025-05-07T18:00:00Z,FOMC,1", "2025-05-07 14:00:00-04:00,FOMC,1.00"])
def test_another_spelling_of_an_event_is_the_same_event(fomc_clock: StillClock, second: str) -> None:
    load(event(FOMC))
    assert counts(load(second)) == (0, 0, 1, 0)


def test_an_event_whose_impact_changed_gets_a_new_version(fomc_clock: StillClock) -> None:
    load(event(FOMC, impact="0.5"), event(CPI))
    assert counts(load(event(FOMC, impact="1.0"), event(CPI))) == (0, 1, 1, 0)
    assert MacroEvent.objects.get(event_type="FOMC", start_at=FOMC).impact == 1
    versions = EventVersion.objects.filter(start_at=FOMC).order_by("version")
    assert [(row.version, row.impact) for row in versions] == [(1, Decimal("0.5")), (2, Decimal(1))]
    assert counts(load(event(FOMC, impact="0.2"))) == (0, 1, 0, 0)
    assert MacroEvent.objects.get(start_at=FOMC).version == 3, "taken back by its source"


def test_a_changed_cluster_is_a_new_version_too(fomc_clock: StillClock) -> None:
    header = "start_time,type,impact,cluster_id"
    load(f"{event(FOMC)},3", header=header)
    assert counts(load(f"{event(FOMC)},4", header=header)) == (0, 1, 0, 0)
    assert MacroEvent.objects.get().cluster_ref == "4"


def test_currency_and_source_tell_events_apart(fomc_clock: StillClock) -> None:
    header = "start_time,type,impact,currency"
    reading = load(f"{event(CPI, 'CPI')},USD", f"{event(CPI, 'CPI')},EUR", event(CPI, "CPI") + ",", header=header)
    assert counts(reading) == (3, 0, 0, 0)
    assert counts(load(event(CPI, "CPI"), source="another")) == (1, 0, 0, 0)


def test_a_row_that_repeats_an_event_counts_with_the_highest_impact(fomc_clock: StillClock) -> None:
    for _ in range(2):
        load(event(FOMC, impact="0.4"), event(FOMC, impact="0.9"), event(FOMC, impact="0.2"))
    assert MacroEvent.objects.get().impact == Decimal("0.9")
    assert EventVersion.objects.count() == 1
    assert set(CalendarFetch.objects.values_list("added", "unchanged")) == {(1, 2), (0, 3)}


def test_an_impact_just_above_a_limit_is_not_rounded_onto_it(fomc_clock: StillClock) -> None:
    load(event(FOMC, impact="0.70000001"))
    assert MacroEvent.objects.get().impact == Decimal("0.7001")


def test_undated_events_are_kept_once(fomc_clock: StillClock) -> None:
    for _ in range(2):
        load("FOMC,0.8", "CPI,0.9", header="type,impact")
    assert list(MacroEvent.objects.filter(start_at=None).values_list("event_type", flat=True).order_by("impact")) == [
        "FOMC",
        "CPI",
    ]


def test_an_event_that_a_file_no_longer_names_stays(fomc_clock: StillClock) -> None:
    load(event(FOMC), event(CPI))
    load(event(CPI))
    assert MacroEvent.objects.filter(start_at=FOMC).exists()


def test_a_file_that_cannot_be_parsed_is_a_fetch_that_failed(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    fomc_clock.now += timedelta(hours=1)
    reading = calendar_import("mia", b"start_time,type\n", name="macro_events.csv", actor=ACTOR)
    assert not reading.ok and "impact" in reading.error
    failed = CalendarFetch.objects.get(ok=False)
    assert failed.error == reading.error and failed.sha256
    assert MacroEvent.objects.count() == 1 and calendar_at() == FOMC


def test_good_rows_beside_refused_ones_count_but_renew_nothing(fomc_clock: StillClock) -> None:
    reading = load(event(FOMC), "2025-05-13 12:30:00,CPI,1.2", "never,NFP,0.9")
    assert counts(reading) == (1, 0, 0, 2)
    assert [(error.line, error.field) for error in reading.errors] == [(3, "impact"), (4, "start_time")]
    assert not reading.ok and calendar_at() is None
    assert counts(load(event(FOMC), event(CPI, "CPI", "0.9"))) == (1, 0, 1, 0)
    assert calendar_at() == FOMC


def test_a_dry_run_tells_the_same_and_writes_nothing(fomc_clock: StillClock) -> None:
    load(event(FOMC, impact="0.5"))
    data = calendar_file(event(FOMC), event(CPI), "never,NFP,0.9")
    before = Entry.objects.count()
    told = calendar_import("mia", data, name="macro_events.csv", actor=ACTOR, dry_run=True)
    assert counts(told) == (1, 1, 0, 1)
    assert Entry.objects.count() == before and MacroEvent.objects.get().impact == Decimal("0.5")
    assert calendar_import("mia", data, name="macro_events.csv", actor=ACTOR) == told


def test_a_large_calendar_goes_in_whole(fomc_clock: StillClock) -> None:
    rows = [event(FOMC + timedelta(minutes=minute), f"E{minute % 7}", "0.8") for minute in range(1_500)]
    assert counts(load(*rows)) == (1_500, 0, 0, 0)
    assert counts(load(*rows)) == (0, 0, 1_500, 0)
    assert counts(load(*[row.replace(",0.8", ",0.9") for row in rows])) == (0, 1_500, 0, 0)
    assert not MacroEvent.objects.exclude(impact=Decimal("0.9"), version=2).exists()


@pytest.mark.parametrize("dated", [True, False])
def test_the_database_itself_keeps_an_event_once(fomc_clock: StillClock, dated: bool) -> None:
    load(event(FOMC)) if dated else load("FOMC,1.0", header="type,impact")
    twin = MacroEvent.objects.get()
    twin.pk = uuid7()
    with pytest.raises(IntegrityError), transaction.atomic():
        MacroEvent.objects.bulk_create([twin])


def test_the_database_itself_refuses_an_impact_beyond_1(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    with pytest.raises(IntegrityError), transaction.atomic():
        MacroEvent.objects.update(impact=Decimal("1.5"))


def test_the_real_calendar_goes_in_and_again_adds_nothing(shared_data: Path, fomc_clock: StillClock) -> None:
    data = (shared_data / "macro_events.csv").read_bytes()
    first = calendar_import("import_mia", data, name="macro_events.csv", actor=ACTOR)
    assert counts(first) == (86, 0, 0, 0) and first.ok
    again = calendar_import("import_mia", data, name="macro_events.csv", actor=ACTOR)
    assert counts(again) == (0, 0, 86, 0) and again.ok
    assert MacroEvent.objects.count() == EventVersion.objects.count() == 86
