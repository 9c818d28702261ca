"""The trade window filter: the scenarios of the specification by name, the rules of a window, each fault."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from mia_site.ops import timings
from mia_site.ops.models import Alert
from mia_site.ops.retry import Deadline
from risk import trade_window_filter
from risk.calendar_import import calendar_import
from risk.calendar_sources import calendar_refresh
from risk.models import CalendarFetch, CalendarSource, Desk, LimitsVersion, MacroEvent
from risk.rules.codes import ReasonCode
from risk.trade_window_filter import WindowAnswer, block_trade, trade_window
from tests.faults import failing_database, timed_operations
from tests.risk.calendars import (
    ACTOR,
    MINUTE,
    SECOND,
    calendar_file,
    desk_account,
    event,
    load,
    raised,
    told,
)
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HALF_HOUR = timedelta(minutes=30)


def codes(answer: WindowAnswer) -> list[ReasonCode]:
    return [reason.code for reason in answer.reasons]


# --- the scenarios of the specification ---------------------------------------------------------------------


def test_it_blocks_trades_during_high_impact_events(fomc_clock: StillClock) -> None:
    """«Vérifier le blocage des trades pour les événements à fort impact», on its own file."""
    load("0.8,FOMC", header="impact,type")
    assert block_trade(event_active=True) is True
    assert told(raised("trade_blocked")[0]) == "desk: trade in ES blocked by FOMC"
    assert timed_operations() == [("block_trade", True)]


def test_it_does_not_block_trades_for_low_impact_events(fomc_clock: StillClock) -> None:
    """«Vérifier l'absence de blocage pour les événements à faible impact»."""
    load("0.5,Speech", "0.7,PMI", header="impact,type")
    load(event(FOMC, "PMI", "0.7"), event(FOMC, "Speech", "0.2"))
    assert block_trade(event_active=True) is False
    assert block_trade(False) is False
    assert not Alert.objects.exists()
    assert timed_operations() == [("block_trade", True)] * 2


def test_a_missing_macro_events_file_blocks(fomc_clock: StillClock, tmp_path: Path) -> None:
    """«Tester les erreurs de lecture de macro_events.csv (ex. : fichier manquant)»."""
    CalendarSource.objects.create(name="mia", path=str(tmp_path / "macro_events.csv"))
    calendar_refresh(sleep=lambda seconds: None)
    assert codes(trade_window(False)) == [ReasonCode.CALENDAR_MISSING]
    assert "No such file" in told(raised("calendar_refresh_failed")[0])


# --- the window ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "blocked"),
    [
        (timedelta(0), True),
        (-HALF_HOUR, True),
        (HALF_HOUR, True),
        (-HALF_HOUR - timedelta(microseconds=1), False),
        (HALF_HOUR + timedelta(microseconds=1), False),
        (timedelta(days=365), False),
    ],
)
def test_it_blocks_inside_the_window_bounds_included(fomc_clock: StillClock, offset: timedelta, blocked: bool) -> None:
    load(event(FOMC))
    fomc_clock.now = FOMC + offset
    Desk.objects.update(calendar_at=fomc_clock.now)
    assert block_trade(False) is blocked
    assert block_trade(False, at=FOMC + offset) is blocked


def test_the_answer_says_which_event_and_until_when(fomc_clock: StillClock) -> None:
    load(event(FOMC), event(FOMC + 50 * MINUTE, "Press conference", "0.9"))
    (reason,) = trade_window(False).reasons
    assert reason.code == ReasonCode.BLACKOUT
    assert reason.message == "Blackout until 2025-05-07T19:20:00Z: FOMC 2025-05-07T18:00:00Z"
    assert reason.retry_at == FOMC + 80 * MINUTE, "the second window opens before the first one ends"


@pytest.mark.parametrize(("impact", "blocked"), [("0.7", False), ("0.70001", True), ("1", True)])
def test_impact_must_be_above_the_limit(fomc_clock: StillClock, impact: str, blocked: bool) -> None:
    load(event(FOMC, "CPI", impact))
    assert block_trade(False) is blocked


def test_the_accounts_own_limits_make_the_window(fomc_clock: StillClock) -> None:
    limits = {"minutes_before": 5, "minutes_after": 60, "impact_above": "0.3"}
    desk_account("ES-DEMO")
    desk_account("ES-WIDE", blackout=limits)
    load(event(FOMC, "Speech", "0.4"))
    for offset, blocked in ((-6, False), (-5, True), (60, True), (61, False)):
        assert block_trade(False, account="ES-WIDE", at=FOMC + offset * MINUTE) is blocked
        assert block_trade(False, account="ES-DEMO", at=FOMC + offset * MINUTE) is False


@pytest.mark.parametrize(("instrument", "blocked"), [("ES", False), ("MESZ25", False), ("FESX", True), ("6E", True)])
def test_an_event_of_another_currency_concerns_only_what_may_depend_on_it(
    fomc_clock: StillClock, instrument: str, blocked: bool
) -> None:
    load(f"{event(FOMC, 'ECB rate decision')},EUR", header="start_time,type,impact,currency")
    assert block_trade(False, instrument=instrument) is blocked


# --- the caller's own report --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "blocked"),
    [
        (datetime(2025, 5, 7, 5, 0, tzinfo=UTC), True),  # midnight in Chicago
        (datetime(2025, 5, 7, 4, 59, 59, tzinfo=UTC), False),  # still the evening before
        (datetime(2025, 5, 8, 4, 59, 59, tzinfo=UTC), True),  # 23:59:59
        (datetime(2025, 5, 8, 5, 0, tzinfo=UTC), False),
    ],
)
def test_a_reported_event_means_the_same_day_in_the_accounts_zone(
    fomc_clock: StillClock, start: datetime, blocked: bool
) -> None:
    desk_account("ES-DEMO", zone="America/Chicago")
    load(event(start))
    assert block_trade(True) is blocked
    assert block_trade(True, at=FOMC) is blocked
    assert block_trade(False) is False, "without the report only the window counts"


def test_an_undated_event_counts_only_when_reported(fomc_clock: StillClock) -> None:
    load("FOMC,0.8", header="type,impact")
    assert codes(trade_window(True)) == [ReasonCode.EVENT_REPORTED]
    assert codes(trade_window(True, at=FOMC - timedelta(days=400))) == [ReasonCode.EVENT_REPORTED]
    assert trade_window(False) == WindowAnswer(False)


def test_a_report_alone_blocks_nothing(fomc_clock: StillClock) -> None:
    load(event(FOMC - timedelta(days=3)))
    assert block_trade(True) is False


# --- the calendar's own age ---------------------------------------------------------------------------------


def test_without_a_calendar_everything_is_blocked(fomc_clock: StillClock) -> None:
    desk_account("ES-DEMO")
    assert codes(trade_window(False)) == [ReasonCode.CALENDAR_MISSING]
    assert codes(trade_window(False, at=FOMC)) == [ReasonCode.CALENDAR_MISSING]
    alert = raised("calendar_missing")[0]
    assert (alert.priority, alert.account) == (3, "ES-DEMO")
    assert told(alert) == "ES-DEMO: trades are blocked, the macro calendar was never loaded"


def test_a_stale_calendar_blocks_now_but_still_answers_about_a_moment(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    fomc_clock.now = FOMC + timedelta(hours=24)
    assert block_trade(False) is False
    fomc_clock.now += SECOND
    assert codes(trade_window(False)) == [ReasonCode.CALENDAR_STALE]
    assert "2025-05-07T18:00:00Z; at most 24 hours" in told(raised("calendar_stale")[0])
    assert block_trade(False, at=FOMC + timedelta(days=2)) is False
    assert block_trade(False, at=FOMC) is True


def test_the_freshness_is_the_accounts(fomc_clock: StillClock) -> None:
    desk_account("ES-DEMO", freshness={"calendar_hours": 48})
    load(event(FOMC))
    fomc_clock.now = FOMC + timedelta(hours=48)
    assert block_trade(False) is False


# --- alerts and timings -------------------------------------------------------------------------------------


def test_a_block_raises_one_alert_per_window_naming_the_events(fomc_clock: StillClock) -> None:
    desk_account("ES-DEMO")
    load(event(FOMC), event(FOMC + 10 * MINUTE, "Speech", "0.9"))
    for _ in range(3):
        assert block_trade(True) is True
    (alert,) = raised("trade_blocked")
    assert (alert.priority, alert.account, alert.repeats) == (3, "ES-DEMO", 2)
    assert told(alert) == ("ES-DEMO: trade in ES blocked by FOMC 2025-05-07T18:00:00Z; Speech 2025-05-07T18:10:00Z")
    fomc_clock.now = FOMC + 35 * MINUTE  # only the second window is left: another block
    assert block_trade(False) is True
    assert len(raised("trade_blocked")) == 2


def test_a_question_about_another_moment_raises_no_alert(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    assert block_trade(False, at=FOMC) is True
    assert not Alert.objects.exists()


def test_every_answer_is_timed_also_a_refusal_and_a_failure(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    assert block_trade(False) is True
    fomc_clock.now = FOMC - HALF_HOUR - SECOND
    assert block_trade(False) is False
    with failing_database(ValueError("broken")):
        assert block_trade(False) is True
    assert timed_operations() == [("block_trade", True), ("block_trade", True), ("block_trade", False)]
    rows = list(csv.DictReader(timings.timings_csv(["block_trade"])))
    assert [row["success"] for row in rows] == ["True", "True", "False"]


# --- which account ------------------------------------------------------------------------------------------


def test_the_account_must_be_named_where_there_are_several(fomc_clock: StillClock) -> None:
    desk_account("ES-A")
    desk_account("ES-B")
    load(event(FOMC - timedelta(days=3)))
    assert codes(trade_window(False)) == [ReasonCode.INVALID_REQUEST]
    assert codes(trade_window(False, account="ES-NONE")) == [ReasonCode.INVALID_REQUEST]
    assert "'ES-NONE' does not exist" in trade_window(False, account="ES-NONE").reasons[0].message
    assert block_trade(False, account="ES-A") is False
    assert len(raised("window_check_failed")) == 2


# --- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("active", [1, 0, "true", None, 0.5])
def test_a_report_that_is_no_truth_value_blocks(fomc_clock: StillClock, active: Any) -> None:
    load(event(FOMC - timedelta(days=3)))
    assert block_trade(active) is True
    assert codes(trade_window(active)) == [ReasonCode.INVALID_REQUEST]
    assert "event_active" in told(raised("window_check_failed")[0])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", datetime(2025, 5, 7, 18, 0)),
        ("at", "2025-05-07T18:00:00Z"),
        ("instrument", ""),
        ("instrument", "E" * 33),
        ("instrument", 5),
    ],
)
def test_a_question_that_is_not_understood_blocks(fomc_clock: StillClock, field: str, value: Any) -> None:
    load(event(FOMC - timedelta(days=3)))
    answer = trade_window(False, **{field: value})
    assert codes(answer) == [ReasonCode.INVALID_REQUEST]
    assert f"{field}: expected" in answer.reasons[0].message


def test_a_database_that_comes_back_is_asked_again(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    pauses: list[float] = []
    with failing_database(OperationalError("database is locked"), table="risk_macroevent", times=2) as failed:
        answer = trade_window(False, sleep=pauses.append)
    assert codes(answer) == [ReasonCode.BLACKOUT]
    assert pauses == [2, 4] and len(failed) == 2
    assert timed_operations() == [("block_trade", True)]
    assert not raised("window_check_failed")


def test_a_database_error_while_reading_blocks(fomc_clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    load(event(FOMC - timedelta(days=3)))
    pauses: list[float] = []
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", pauses.append)
    with failing_database(OperationalError("database is locked")) as failed:
        assert block_trade(False) is True
    assert pauses == [2, 4] and len(failed) == 3
    (alert,) = raised("window_check_failed")
    assert alert.priority == 3 and "OperationalError: database is locked" in told(alert)
    assert timed_operations() == [("block_trade", False)]


def test_within_a_request_the_deadline_holds(fomc_clock: StillClock) -> None:
    load(event(FOMC - timedelta(days=3)))
    pauses: list[float] = []
    with failing_database(OperationalError("database is locked")):
        answer = trade_window(False, deadline=Deadline(0.5), sleep=pauses.append)
    assert codes(answer) == [ReasonCode.ENGINE_UNAVAILABLE]
    assert pauses == [0.02, 0.04, 0.08]
    assert codes(trade_window(False, deadline=Deadline(0))) == [ReasonCode.ENGINE_UNAVAILABLE]
    assert trade_window(False, deadline=Deadline(0.5)) == WindowAnswer(False)


def test_limits_that_cannot_be_read_block(fomc_clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    account = desk_account("ES-DEMO")
    load(event(FOMC - timedelta(days=3)))
    broken = LimitsVersion(
        account=account, version=2, seq=2, body={"blackout": "soon"}, proposer="x", reason="x",
        applied=True, recorded_at=FOMC,
    )  # fmt: skip
    broken.save()
    account.state.limits = broken
    account.state.save()
    assert codes(trade_window(False)) == [ReasonCode.ENGINE_UNAVAILABLE]


def test_a_bug_blocks(fomc_clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    load(event(FOMC - timedelta(days=3)))
    monkeypatch.setattr(trade_window_filter, "blackout_reasons", lambda *args, **named: 1 / 0)
    assert block_trade(False) is True
    assert "ZeroDivisionError" in told(raised("window_check_failed")[0])


def test_an_alert_that_cannot_be_written_changes_no_answer(fomc_clock: StillClock) -> None:
    load(event(FOMC))
    with failing_database(OperationalError("disk is full"), table="ops_alert"):
        assert codes(trade_window(False)) == [ReasonCode.BLACKOUT]
    assert len(raised("trade_blocked")) == 1, "it waited outside"


BAD_FILES = {
    "empty": (b"", "the file is empty"),
    "binary": (b"\x00\xff\xfe" * 50, "not UTF-8"),
    "another table": (b"a,b\n1,2\n", "a column of a macro calendar is missing"),
    "a missing column": (calendar_file("2025-05-07 18:00:00,FOMC", header="start_time,type"), "missing"),
    "no rows": (calendar_file(), "no event"),
    "impact above 1": (calendar_file("2025-05-07 18:00:00,FOMC,1.5"), 'not "1.5"'),
    "impact below 0": (calendar_file("2025-05-07 18:00:00,FOMC,-0.1"), 'not "-0.1"'),
    "impact NaN": (calendar_file("2025-05-07 18:00:00,FOMC,NaN"), 'not "NaN"'),
    "impact infinite": (calendar_file("2025-05-07 18:00:00,FOMC,inf"), 'not "inf"'),
    "impact blank": (calendar_file("2025-05-07 18:00:00,FOMC,"), "impact is missing"),
    "a date that is none": (calendar_file("2025-02-30 18:00:00,FOMC,1.0"), "2025-02-30"),
    "no date": (calendar_file("soon,FOMC,1.0"), 'not "soon"'),
    "a value too many": (calendar_file("2025-05-07 18:00:00,FOMC,1.0,3"), "4 values"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_calendar_file_is_a_clear_error_and_never_reads_as_go_on(
    fomc_clock: StillClock, data: bytes, sentence: str
) -> None:
    reading = calendar_import("mia", data, name="macro_events.csv", actor=ACTOR)
    assert not reading.ok and sentence in reading.error
    fetch = CalendarFetch.objects.get()
    assert not fetch.ok and fetch.error == reading.error
    assert codes(trade_window(False)) == [ReasonCode.CALENDAR_MISSING]


@pytest.mark.parametrize(("data", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_calendar_file_leaves_the_old_calendar_in_force_until_it_is_stale(
    fomc_clock: StillClock, data: bytes, sentence: str
) -> None:
    load(event(FOMC))
    fomc_clock.now = FOMC + timedelta(hours=23)
    calendar_import("mia", data, name="macro_events.csv", actor=ACTOR)
    assert MacroEvent.objects.get().start_at == FOMC
    assert block_trade(False, at=FOMC) is True and block_trade(False) is False
    fomc_clock.now += timedelta(hours=2)
    assert codes(trade_window(False)) == [ReasonCode.CALENDAR_STALE]


def test_a_refused_row_may_have_been_the_one_that_mattered(fomc_clock: StillClock) -> None:
    reading = load(event(FOMC + timedelta(days=9)), "2025-05-07 18:00:00,FOMC,high")
    assert (reading.added, reading.rejected, reading.ok) == (1, 1, False)
    assert reading.error.startswith("1 of 2 rows refused; line 3: ")
    assert codes(trade_window(False)) == [ReasonCode.CALENDAR_MISSING]


# --- the real calendar --------------------------------------------------------------------------------------


@pytest.fixture
def real_starts(shared_data: Path, fomc_clock: StillClock) -> list[datetime]:
    data = (shared_data / "macro_events.csv").read_bytes()
    reading = calendar_import("mia", data, name="macro_events.csv", actor=ACTOR)
    assert reading.ok and reading.added == 86
    rows = csv.DictReader(data.decode().splitlines())
    return [datetime.fromisoformat(row["start_time"]).replace(tzinfo=UTC) for row in rows]


def test_the_fomc_statement_of_7_may_2025_blocks(real_starts: list[datetime]) -> None:
    answer = trade_window(False, at=datetime(2025, 5, 7, 18, 5, tzinfo=UTC))
    assert answer.blocked and "FOMC" in answer.reasons[0].message
    assert block_trade(False, at=datetime(2025, 5, 7, 17, 29, 59, tzinfo=UTC)) is False
    assert block_trade(False, at=datetime(2025, 5, 7, 17, 30, tzinfo=UTC)) is True


def test_each_real_event_blocks_its_window_and_nothing_else(real_starts: list[datetime]) -> None:
    assert len(real_starts) == 86
    for start in real_starts:
        for offset in (timedelta(0), -HALF_HOUR, HALF_HOUR):
            assert block_trade(False, at=start + offset) is True, start + offset
        for outside in (start - HALF_HOUR - SECOND, start + HALF_HOUR + SECOND):
            covered = any(abs(other - outside) <= HALF_HOUR for other in real_starts)
            assert block_trade(False, at=outside) is covered, outside
