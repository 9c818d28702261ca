"""The risk controller: the scenarios of the specification by name, its figures, and each fault."""

import csv
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from mia_site.ops import timings
from mia_site.ops.models import Alert
from mia_site.ops.retry import Deadline, DeadlineExceeded
from risk import risk_controller
from risk.export import Period, csv_bytes, risk_parts
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import Cluster, Penalty, Snapshot, StateChange
from risk.risk_controller import StopAnswer, drawdown_fraction, stop_judge, stop_trading, stop_within, trading_halt
from risk.sources.feature_importance import FEATURE_COUNT
from tests.decisions.mia_files import import_mia
from tests.factories import AccountFactory, AdmissionFactory, ClusterFactory
from tests.faults import failing_database, timed_operations
from tests.risk.accounts import BOT, CODE, account_under, drawdown_rule, journal_kinds, report, state_now
from tests.risk.calendars import raised, told
from tests.risk.sources.sqlite_files import database, market_memory
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
STOPS_NOTHING: dict[str, Any] = {
    "rules": {"drawdown": {"mode": "shadow", "reason": "a new rule is watched for a week"}}
}


def judge(drawdown: Any) -> StopAnswer:
    return stop_judge(drawdown, account=CODE, actor=BOT)


def exported(account: Any) -> dict[str, bytes]:
    """The specification's files of the account, by name."""
    files: dict[str, bytes] = {}
    for part in risk_parts(account, Period()):
        pages = list(part.pages(None))
        if part.header is not None:
            files[part.path] = part.header + b"".join(page.data for page in pages)
        for page in pages:
            files.update({f"{part.path}/{name}": data for name, data in page.files})
    return files


# --- the scenarios of the specification ---------------------------------------------------------------------


def test_stop_trading() -> None:
    """«penalty = stop_trading(drawdown=0.06); assert penalty; "overtrade_risk_score" in df.columns»."""
    account = account_under()
    assert stop_trading(drawdown=0.06) is True, "Pénalité non activée"
    log = exported(account)["logs/trading/penalty_log.csv"].decode().splitlines()
    assert log[0].split(",") == ["timestamp", "penalty_active", "overtrade_risk_score"]
    assert log[1:] == ["2025-05-13 17:00:00,True,0.5"]


def test_it_creates_the_snapshot_json_and_the_penalty_log() -> None:
    """«Vérifier la création des snapshots JSON et du journal de pénalités.»"""
    account = account_under()
    stop_trading(0.04)
    stop_trading(-0.06)
    files = exported(account)
    assert json.loads(files["risk_snapshots/risk_20250513_170000.json"]) == {
        "timestamp": "2025-05-13 17:00:00", "drawdown": 0.04, "overtrade_risk_score": 0.5, "penalty_active": False,
    }  # fmt: skip
    assert json.loads(files["risk_snapshots/risk_20250513_170000_2.json"])["penalty_active"] is True
    rows = list(csv.DictReader(files["logs/trading/penalty_log.csv"].decode().splitlines()))
    assert [row["penalty_active"] for row in rows] == ["False", "True"]
    performance = list(csv.DictReader(timings.timings_csv(["stop_trading"])))
    assert performance == [], "timings are written behind the operation"
    assert timed_operations() == [("stop_trading", True)] * 2
    assert b"stop_trading" in exported(account)["logs/risk_performance.csv"]


def test_the_penalty_is_active_for_drawdown_above_max_drawdown() -> None:
    """«Vérifier l'activation de la pénalité pour drawdown > max_drawdown.»"""
    account_under()
    answer = judge("0.06")
    assert (answer.stop, answer.penalty_active, answer.limit) == (True, True, Decimal("0.05"))
    snapshot, penalty = Snapshot.objects.get(), Penalty.objects.get()
    assert snapshot.pk == answer.snapshot_id == penalty.snapshot_id
    assert (snapshot.drawdown, snapshot.limit, snapshot.cause) == (Decimal("0.06"), Decimal("0.05"), "stop_trading")
    assert (penalty.penalty_active, penalty.value, penalty.penalty_kind) == (True, Decimal(1), "drawdown")
    assert penalty.reason == "drawdown 0.06 above the limit 0.05"
    assert state_now().state == "REDUCE_ONLY" and state_now().penalty_active


BAD_MEMORIES = {
    "a text": (b"this is a text\n", "is not an SQLite database"),
    "no table": (database("CREATE TABLE trades (id INTEGER)"), "neither a table clusters"),
    "broken JSON": (market_memory([("FOMC", "{broken", "2025-05-07 18:00:00", 0.9)]), "features"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD_MEMORIES.values(), ids=BAD_MEMORIES)
def test_sqlite_errors_of_the_market_memory(tmp_path: Path, data: bytes, sentence: str) -> None:
    """«Tester les erreurs SQLite (ex. : table manquante).» A memory that cannot be read is refused as it comes in."""
    account_under()
    path = tmp_path / "market_memory.db"
    path.write_bytes(data)
    output = import_mia(path)
    assert sentence in output and "CommandError: 1 " in output
    assert not Cluster.objects.exists()
    assert stop_trading(0.04) is False and Snapshot.objects.get().overtrade_risk_score == 0.5
    assert stop_trading(0.06) is True


def test_no_320_or_81_features() -> None:
    """«Vérifier l'absence de 320/81 features.» check_compliance reads the whole code; here the count itself."""
    assert FEATURE_COUNT == 150


# --- the figure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawdown", "stop"),
    [
        (0.05, False),
        ("0.05", False),
        (Decimal("-0.05"), False),
        ("0.0500000000000000000000000000000000001", True),
        (0.1 - 0.05, False),
        (0.06, True),
        (-0.06, True),
        ("-6e-2", True),
        (1, True),
        (0, False),
        (-0.0, False),
        (1000, True),
        ("1e-999999", False),
    ],
)
def test_trading_stops_strictly_above_the_limit_whatever_the_sign(drawdown: Any, stop: bool) -> None:
    account_under()
    assert stop_trading(drawdown) is stop
    assert state_now().state == ("REDUCE_ONLY" if stop else "ACTIVE")


BAD_FIGURES = [
    "NaN", "sNaN", "inf", "-Infinity", float("nan"), float("inf"), "", "six per cent", "6 %", None, True, [], {},
    1001, "1e9999999", -(10**400), "0" * 100 + "x",
]  # fmt: skip


@pytest.mark.parametrize("drawdown", BAD_FIGURES, ids=lambda value: f"{value!r:.20}")
def test_a_figure_that_is_none_answers_stop_and_records_nothing(drawdown: Any) -> None:
    account_under()
    assert stop_trading(drawdown) is True
    (alert,) = raised("risk_check_failed")
    assert alert.priority == 3 and "drawdown: expected a fraction such as 0.06" in told(alert)
    assert not Snapshot.objects.exists() and state_now().state == "ACTIVE"
    assert timed_operations() == [("stop_trading", False)]
    with pytest.raises(InputError):
        drawdown_fraction(drawdown)


def test_a_figure_too_long_for_python_answers_stop() -> None:
    account_under()
    assert stop_trading(10**5000) is True
    assert len(raised("risk_check_failed")) == 1


# --- limits -------------------------------------------------------------------------------------------------


def test_without_limits_any_drawdown_stops() -> None:
    AccountFactory(code=CODE)
    answer = judge("0.001")
    assert (answer.stop, answer.limit) == (True, None)
    assert Penalty.objects.get().reason == "drawdown 0.001 and no limit is set"
    (alert,) = raised("drawdown_breached")
    assert told(alert) == f"{CODE}: drawdown 0.001 is above the limit -, trading is stopped"
    assert state_now().state == "REDUCE_ONLY"


def test_limits_in_money_alone_are_no_measure_of_a_fraction() -> None:
    account_under(drawdown_rule("2000", of="amount"))
    assert stop_trading(0.001) is True


def test_the_tightest_fraction_counts() -> None:
    account_under(drawdown_rule("0.10"), drawdown_rule("0.03", name="daily_loss", mode="daily"))
    assert judge("0.03").stop is False
    assert judge("0.031").limit == Decimal("0.03") and state_now().state == "REDUCE_ONLY"


def test_a_rule_in_shadow_records_what_it_would_have_done() -> None:
    account_under(**STOPS_NOTHING)
    answer = judge(0.06)
    assert (answer.stop, answer.penalty_active) == (False, True)
    assert Snapshot.objects.get().evidence["shadow"] is True and Penalty.objects.get().penalty_active
    assert state_now().state == "ACTIVE" and not state_now().penalty_active
    (alert,) = raised("drawdown_in_shadow")
    assert alert.priority == 3 and "nothing was stopped" in told(alert)


def test_a_rule_that_is_off_with_a_reason_stops_nothing() -> None:
    AccountFactory(code=CODE)
    off = {"drawdown": {"mode": "off", "reason": "the broker's own limit holds"}}
    risk_controller.limits_submit(CODE, {"rules": off}, actor=BOT, reason="a test")
    assert judge(0.5).stop is False and state_now().state == "ACTIVE"


# --- what is written ----------------------------------------------------------------------------------------


def test_the_alert_of_priority_3_names_both_figures() -> None:
    account_under()
    stop_trading(0.0625)
    (alert,) = raised("drawdown_breached")
    assert alert.priority == 3 and alert.account == CODE
    assert told(alert) == f"{CODE}: drawdown 0.0625 is above the limit 0.05, trading is stopped"


def test_a_bot_that_asks_every_second_alerts_once_for_each_stop() -> None:
    account_under()
    for _ in range(3):
        assert stop_trading(0.06) is True
    (alert,) = raised("drawdown_breached")
    assert alert.repeats == 2 and Snapshot.objects.count() == Penalty.objects.count() == 3
    assert StateChange.objects.count() == 1, "it is stopped once"
    risk_controller.trading_resume(account=CODE, reason="the figure was wrong", actor=BOT)
    stop_trading(0.06)
    assert len(raised("drawdown_breached")) == 2, "a new stop is new"


def test_snapshot_penalty_and_stop_are_facts_with_entries_of_one_sequence() -> None:
    account_under()
    answer = judge(0.06)
    assert journal_kinds() == ["snapshot", "penalty", "state_change"]
    assert answer.leaves[0].entry_id == answer.snapshot_id and len(answer.leaves) == 3
    assert {Snapshot.objects.get().seq, Penalty.objects.get().seq, StateChange.objects.get().seq} == {state_now().seq}
    change = StateChange.objects.get()
    assert (change.cause, change.actor, change.reason) == (
        "stop_trading", "client:7", "drawdown 0.06 above the limit 0.05",
    )  # fmt: skip


def test_within_the_limit_only_the_snapshot_and_the_row_of_the_log_are_written() -> None:
    account_under()
    answer = judge(0.05)
    assert journal_kinds() == ["snapshot", "penalty"] and len(answer.leaves) == 2
    assert Penalty.objects.get().reason == "drawdown 0.05 within the limit 0.05"
    assert not Alert.objects.filter(code__startswith="drawdown").exists()


def test_a_halted_account_stays_halted() -> None:
    account_under()
    trading_halt(account=CODE, reason="positions differ", actor=BOT)
    assert stop_trading(0.06) is True
    assert state_now().state == "HALTED" and state_now().penalty_active


# --- the score ----------------------------------------------------------------------------------------------


def test_the_score_is_the_newest_clusters_correlation_up_to_now() -> None:
    account_under()
    ClusterFactory(at=NOON - timedelta(days=2), vix_es_correlation=0.2)
    ClusterFactory(at=NOON - timedelta(days=1), vix_es_correlation=0.8)
    ClusterFactory(at=NOON + timedelta(seconds=1), vix_es_correlation=0.1)
    assert judge(0.01).overtrade_risk_score == 0.8


def test_the_score_is_a_half_without_memory_and_grows_with_the_pace() -> None:
    account = account_under(pace={"max_openings_per_hour": 10})
    assert judge(0.01).overtrade_risk_score == 0.5
    AdmissionFactory.create_batch(5, account=account, at=NOON - timedelta(minutes=30))
    AdmissionFactory(account=account, at=NOON - timedelta(minutes=61))
    assert judge(0.01).overtrade_risk_score == 0.75


# --- which account ------------------------------------------------------------------------------------------


def test_the_account_must_be_named_where_there_are_several() -> None:
    account_under()
    account_under(code="ES-SWING")
    assert stop_trading(0.01) is True
    assert stop_trading(0.01, account="ES-NONE") is True
    assert stop_trading(0.01, account="ES-SWING") is False
    assert [told(alert) for alert in raised("risk_check_failed")][1].count("'ES-NONE' does not exist") == 1
    assert Snapshot.objects.get().account.code == "ES-SWING"
    with pytest.raises(AccountUnknown):
        stop_judge(0.01, account="ES-NONE", actor=BOT)


def test_without_any_account_it_answers_stop() -> None:
    assert stop_trading(0.01) is True


# --- faults -------------------------------------------------------------------------------------------------


def test_a_database_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    account_under()
    pauses: list[float] = []
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", pauses.append)
    with failing_database(OperationalError("database is locked"), table="risk_snapshot", times=2):
        assert stop_trading(0.04) is False
    assert pauses == [2, 4]
    assert timed_operations() == [("stop_trading", False)] * 2 + [("stop_trading", True)]
    assert Snapshot.objects.count() == 1, "what a failed try wrote is rolled back"


@pytest.mark.parametrize("table", ["risk_accountstate", "risk_limitsversion", "risk_snapshot", "audit_entry"])
def test_a_database_error_answers_stop(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    account_under()
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", lambda seconds: None)
    with failing_database(OperationalError("disk is full"), table=table):
        assert stop_trading(0.04, account=CODE) is True
    (alert,) = raised("risk_check_failed")
    assert alert.priority == 3
    assert told(alert) == f"{CODE}: the risk check failed, the answer was stop (OperationalError: disk is full)"
    assert not Snapshot.objects.exists() and not Penalty.objects.exists()
    assert timed_operations() == [("stop_trading", False)] * 3


def test_an_error_that_no_second_try_mends_is_not_tried_again() -> None:
    account_under()
    with failing_database(DatabaseError("no such table: risk_snapshot"), table="risk_snapshot") as failed:
        assert stop_trading(0.04) is True
    assert len(failed) == 1


def test_a_bug_answers_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    account_under()
    monkeypatch.setattr(risk_controller, "overtrade_score", lambda *given: 1 / 0)
    assert stop_trading(0.01) is True
    assert "ZeroDivisionError" in told(raised("risk_check_failed")[0])


def test_an_alert_that_cannot_be_written_leaves_the_account_judged_again_not_half_stopped() -> None:
    """The alert is a row of the same transaction: without it there is no stop on record, and the answer is stop."""
    account_under()
    with failing_database(DatabaseError("disk is full"), table="ops_alert"):
        assert stop_trading(0.06) is True
    assert state_now().state == "ACTIVE" and not Snapshot.objects.exists()
    assert stop_trading(0.06) is True and state_now().state == "REDUCE_ONLY"


def test_within_a_request_it_tries_again_as_long_as_the_deadline_leaves_room(monkeypatch: pytest.MonkeyPatch) -> None:
    account_under()
    pauses: list[float] = []
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", pauses.append)
    figure = Decimal("0.04")
    with failing_database(OperationalError("database is locked"), table="risk_snapshot", times=3):
        assert stop_within(figure, account=CODE, actor=BOT, deadline=Deadline(60)).stop is False
    assert pauses == [0.02, 0.04, 0.08]
    with pytest.raises(DeadlineExceeded):
        stop_within(figure, account=CODE, actor=BOT, deadline=Deadline(0))
    with failing_database(OperationalError("database is locked")), pytest.raises(OperationalError):
        stop_within(figure, account=CODE, actor=BOT, deadline=Deadline(0.1))
    (alert,) = raised("risk_check_failed")
    assert (alert.priority, alert.repeats) == (3, 0), "a missed deadline has an alert of its own"


def test_a_clock_that_runs_backwards_in_an_equity_feed(desk_clock: StillClock) -> None:
    """A late point is kept as late: it never becomes the current equity, and it can break a floor."""
    account_under()
    report(50_000)
    desk_clock.now += timedelta(seconds=2)
    assert report(51_000, NOON - timedelta(seconds=30)).state == "ACTIVE"
    assert state_now().equity == 50_000 and state_now().equity_at == NOON
    answer = judge(0.04)
    assert answer.stop is False
    assert report(48_000, NOON - timedelta(seconds=20)).state == "REDUCE_ONLY", "below 51,000 - 5 % = 48,450"
    assert state_now().equity == 50_000


def test_the_export_has_a_header_also_without_rows() -> None:
    account = account_under()
    header = csv_bytes([("timestamp", "penalty_active", "overtrade_risk_score")])
    assert exported(account)["logs/trading/penalty_log.csv"] == header
