"""`export_mia`: the specification's tree, to the byte, whole or not there, and what it writes reads back."""

import csv
import errno
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions.decision_log import log_decision
from mia_site.audit.models import Entry
from mia_site.ops import timings
from mia_site.ops.timings import timing_record
from risk.models import Account
from risk.risk_controller import stop_trading
from tests.decisions.mia_files import ZONE, decision_log, export_mia, import_mia, row, stored
from tests.factories import AccountFactory, DecisionFactory, PenaltyFactory, SnapshotFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
TWO_PM = datetime(2025, 5, 13, 14, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
TREE = {
    "logs/trading/decision_log.csv": "timestamp,trade_id,decision,signal_score,regime_probs",
    "logs/trading/penalty_log.csv": "timestamp,penalty_active,overtrade_risk_score",
    "logs/risk_performance.csv": "timestamp,operation,latency,success,memory_usage_mb,cpu_percent",
    "logs/trade_window_filter_performance.csv": "timestamp,operation,latency,success,memory_usage_mb,cpu_percent",
    "logs/decision_log_performance.csv": "timestamp,operation,latency,success,memory_usage_mb,cpu_percent",
}


@pytest.fixture
def account() -> Account:
    return AccountFactory(code="ES-MAIN")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


# The tree


def test_an_account_without_history_gives_the_headers_alone(account: Account, out: Path) -> None:
    export_mia(out)
    assert files(out) == {path: f"{header}\n".encode() for path, header in TREE.items()}
    assert (out / "risk_snapshots").is_dir()


def test_a_decision_is_written_as_specified(account: Account, out: Path) -> None:
    DecisionFactory(
        account=account, at=TWO_PM, trade_id="T123", decision="buy", signal_score=0.75,
        regime_probs={"defensive": 0.1, "trend": 0.2, "range": 0.7},
    )  # fmt: skip
    DecisionFactory(
        account=account, at=TWO_PM + 120 * MOMENT, trade_id="a,b", signal_score=None, regime_probs=None, decision="hold"
    )
    export_mia(out)
    assert lines(out / "logs/trading/decision_log.csv")[1:] == [
        '2025-05-13 14:00:00,T123,buy,0.75,"{""range"": 0.7, ""trend"": 0.2, ""defensive"": 0.1}"',
        '2025-05-13 14:00:00.000120,"a,b",hold,,',
    ]


def test_a_snapshot_is_written_as_specified(account: Account, out: Path) -> None:
    SnapshotFactory(
        account=account, at=TWO_PM, drawdown=Decimal("0.04"), overtrade_risk_score=0.65, penalty_active=True
    )
    export_mia(out)
    text = (out / "risk_snapshots/risk_20250513_140000.json").read_text()
    assert text == (
        '{\n    "timestamp": "2025-05-13 14:00:00",\n    "drawdown": 0.04,\n'
        '    "overtrade_risk_score": 0.65,\n    "penalty_active": true\n}'
    )
    assert json.dumps(json.loads(text), indent=4) == text


@pytest.mark.parametrize(
    ("drawdown", "digits"),
    [("0", "0.0"), ("1", "1.0"), ("0.05", "0.05"), ("0.000000000001", "0.000000000001"), ("1.25", "1.25")],
)
def test_a_drawdown_has_the_fewest_digits_that_say_it(account: Account, out: Path, drawdown: str, digits: str) -> None:
    SnapshotFactory(account=account, at=TWO_PM, drawdown=Decimal(drawdown))
    export_mia(out)
    assert f'"drawdown": {digits},' in (out / "risk_snapshots/risk_20250513_140000.json").read_text()


def test_snapshots_of_one_second_get_a_number_whatever_part_of_it_is_asked_for(account: Account, out: Path) -> None:
    for place in range(3):
        SnapshotFactory(account=account, at=TWO_PM + place * MOMENT, drawdown=Decimal(place) / 100)
    SnapshotFactory(account=account, at=TWO_PM + timedelta(seconds=1))
    export_mia(out / "all")
    names = ["risk_20250513_140000.json", "risk_20250513_140000_2.json", "risk_20250513_140000_3.json"]
    assert sorted(files(out / "all/risk_snapshots")) == [*names, "risk_20250513_140001.json"]
    export_mia(out / "part", "--since", "2025-05-13T14:00:00.000001Z", "--until", "2025-05-13 14:00:01")
    part = files(out / "part/risk_snapshots")
    assert sorted(part) == names[1:]
    assert part[names[2]] == files(out / "all/risk_snapshots")[names[2]]


def test_a_penalty_is_written_as_specified(account: Account, out: Path) -> None:
    PenaltyFactory(account=account, at=TWO_PM, penalty_active=True, overtrade_risk_score=0.65)
    export_mia(out)
    assert lines(out / "logs/trading/penalty_log.csv")[1:] == ["2025-05-13 14:00:00,True,0.65"]


def test_timings_go_to_the_log_of_their_part(account: Account, out: Path) -> None:
    operations = ("stop_trading", "check_drawdown", "block_trade", "check_calendar", "log_decision", "submit", "other")
    for place, operation in enumerate(operations):
        timing_record(operation, TWO_PM + timedelta(hours=place), 0.25, success=place != 1)
    timings.flush()
    export_mia(out, "--since", "2025-05-13", "--until", "2025-05-14")
    logs = {}
    for name in ("risk", "trade_window_filter", "decision_log"):
        with (out / f"logs/{name}_performance.csv").open() as file:
            logs[name] = [(line["operation"], line["latency"], line["success"]) for line in csv.DictReader(file)]
    assert logs == {
        "risk": [("stop_trading", "0.25", "True"), ("check_drawdown", "0.25", "False")],
        "trade_window_filter": [("block_trade", "0.25", "True"), ("check_calendar", "0.25", "True")],
        "decision_log": [("log_decision", "0.25", "True"), ("submit", "0.25", "True")],
    }


def test_since_is_included_and_until_is_not(account: Account, out: Path) -> None:
    for place in range(4):
        DecisionFactory(account=account, at=TWO_PM + timedelta(hours=place), trade_id=f"T{place}")
    output = export_mia(out, "--since", "2025-05-13T11:00:00-04:00", "--until", "2025-05-13 17:00:00")
    assert "logs/trading/decision_log.csv: 2 rows" in output
    assert [line.split(",")[1] for line in lines(out / "logs/trading/decision_log.csv")[1:]] == ["T1", "T2"]


def test_it_holds_one_account_only(account: Account, out: Path) -> None:
    DecisionFactory(account=AccountFactory(code="ES-TWO"), at=TWO_PM)
    assert "name one with --account" in export_mia(out)
    assert "decision_log.csv: 0 rows" in export_mia(out, "--account", "ES-MAIN")
    assert "decision_log.csv: 1 row" in export_mia(out, "--account", "ES-TWO")


def test_pages_end_where_the_next_begins(account: Account, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(7):
        DecisionFactory(account=account, at=TWO_PM + timedelta(seconds=place // 4), trade_id=f"T{place}")
        SnapshotFactory(account=account, at=TWO_PM + timedelta(seconds=place // 4), drawdown=Decimal(place) / 100)
    export_mia(out / "whole")
    monkeypatch.setattr("risk.export.PAGE_ROWS", 2)
    export_mia(out / "paged")
    assert files(out / "paged") == files(out / "whole")
    assert len(files(out / "whole/risk_snapshots")) == 7


# Reading it back


def test_what_was_recorded_live_reads_back_with_nothing_new(account: Account, out: Path) -> None:
    for score in (0.1 + 0.2, 5e-324, 1.0, 1 / 3):
        log_decision("T1", "buy", score, {"range": score / 3, "trend": 0.1}, account="ES-MAIN")
    stop_trading("0.0612345678901", account="ES-MAIN")
    stop_trading("1.5", account="ES-MAIN")
    export_mia(out)
    import_mia(out)
    before = stored()
    again = import_mia(out)
    assert stored() == before
    assert "imported 0, unchanged 4, rejected 0" in again
    assert before["decisions.Decision"] == 4 and before["risk.Snapshot"] == before["risk.Penalty"] == 2
    assert "CommandError" not in again


def test_what_was_imported_reads_back_with_nothing_new(shared_data: Path, account: Account, out: Path) -> None:
    import_mia(shared_data, "--timezone", ZONE)
    export_mia(out)
    output = import_mia(out)
    assert "logs/trading/decision_log.csv (decision_log): read 635, imported 0, unchanged 635, rejected 0" in output


def test_another_account_gets_the_same_history(account: Account, out: Path) -> None:
    import_mia(decision_log(out.parent / "in", row(0), row(0), row(1)), "--account", "ES-MAIN")
    SnapshotFactory(account=account, at=TWO_PM)
    export_mia(out / "one")
    AccountFactory(code="ES-TWO")
    import_mia(out / "one", "--account", "ES-TWO")
    export_mia(out / "two", "--account", "ES-TWO")
    assert files(out / "one") == files(out / "two")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    trade_id=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=128),
    score=st.floats(0, 1),
    range_=st.floats(0, 0.5),
    trend=st.none() | st.floats(0, 0.5),
    microseconds=st.integers(0, 2_000_000),
)
def test_any_decision_reads_back(
    tmp_path_factory: pytest.TempPathFactory, trade_id: str, score: float, range_: float, trend: float | None,
    microseconds: int,
) -> None:  # fmt: skip
    account = AccountFactory()
    regimes = {"range": range_} | ({} if trend is None else {"trend": trend})
    at = TWO_PM + timedelta(microseconds=microseconds)
    DecisionFactory(account=account, at=at, trade_id=trade_id, signal_score=score, regime_probs=regimes)
    out = tmp_path_factory.mktemp("out")
    export_mia(out, "--account", account.code)
    output = import_mia(out / "logs/trading/decision_log.csv", "--account", account.code)
    assert "read 1, imported 0, unchanged 1, rejected 0" in output


# Faults


def test_a_full_disk_is_an_error_and_leaves_no_half_file(
    account: Account, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DecisionFactory(account=account, at=TWO_PM)
    SnapshotFactory(account=account, at=TWO_PM)
    export_mia(out)
    before = files(out)
    sync = os.fsync
    calls = iter(range(100))

    def full(descriptor: int) -> None:
        if next(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    DecisionFactory(account=account, at=TWO_PM)
    monkeypatch.setattr("decisions.mia_export.os.fsync", full)
    output = export_mia(out)
    snapshot = out / "risk_snapshots/risk_20250513_140000.json"
    assert output == f"CommandError: {out / 'risk_snapshots'} could not be written: No space left on device\n"
    after = files(out)
    assert after.keys() == before.keys()
    assert len(after["logs/trading/decision_log.csv"].splitlines()) == 3
    assert snapshot.read_bytes() == before["risk_snapshots/risk_20250513_140000.json"]


def test_a_folder_that_cannot_be_made_is_an_error(account: Account, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert "could not be written: Not a directory" in export_mia(blocked / "out")
    assert blocked.read_text() == "in the way"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "yesterday"), "'yesterday' is not a time such as 2025-05-13"),
        (("--since", "2025-05-14", "--until", "2025-05-13"), "--since must be before --until"),
        (("--account", "NONE"), "There is no account NONE"),
    ],
)
def test_wrong_arguments_are_sentences(account: Account, out: Path, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in export_mia(out, *arguments)
    assert not out.exists()


def test_files_from_elsewhere_are_pointed_out(account: Account, out: Path) -> None:
    SnapshotFactory(account=account, at=TWO_PM)
    export_mia(out)
    output = export_mia(out, "--since", "2026-01-01")
    assert "risk_snapshots: 0 rows" in output
    assert "1 other file was in that folder before and is not of this export" in output


def test_an_export_is_journalled_before_it_begins(account: Account, out: Path) -> None:
    export_mia(out, "--since", "2025-05-13")
    entry = Entry.objects.get(kind_name="exported")
    body: dict[str, Any] = json.loads(entry.body)
    assert entry.actor.startswith("command:export_mia:")
    assert (entry.account, entry.object_type) == ("ES-MAIN", "risk.account")
    assert body["fact"]["after"] == {"what": "specification_tree", "filters": {"since": "2025-05-13 00:00:00"}}
