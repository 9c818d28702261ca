"""`import_mia`: what goes in, what is known again, what is refused, and that history stops nothing."""

import io
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django import Settings

from decisions import mia_import
from decisions.decision_log import log_decision
from decisions.models import Decision, Outcome
from mia_site.audit.models import Entry
from risk.models import (
    Account,
    AccountState,
    Admission,
    EquityBatch,
    EquityPoint,
    ImportRun,
)
from risk.written import Written
from tests.decisions.mia_files import (
    ZONE,
    decision_log,
    import_mia,
    row,
    signal,
    stored,
    text_file,
    trade,
)
from tests.factories import AccountFactory, DecisionFactory, OutcomeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
TWO_PM = datetime(2025, 5, 13, 14, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return AccountFactory(code="ES-MAIN")


@pytest.fixture
def real_import(shared_data: Path, account: Account) -> str:
    return import_mia(shared_data, "--account", "ES-MAIN", "--timezone", ZONE)


# The real files


def test_every_real_file_goes_in_but_the_one_that_is_no_database(real_import: str, shared_data: Path) -> None:
    lines = real_import.splitlines()
    reports = [line for line in lines if ": read " in line]
    assert len(reports) == len(list(shared_data.iterdir()))
    rejected = [line for line in reports if not line.endswith("rejected 0")]
    assert [line.split(":")[0] for line in rejected] == ["market_memory_not_a_database.db"]
    assert "is not an SQLite database: it begins with text (```sql)" in real_import
    assert lines[-1] == f"CommandError: 1 file of {len(reports)} was rejected; everything else is done."


def test_the_real_files_again_add_nothing(real_import: str, shared_data: Path) -> None:
    before = stored()
    again = import_mia(shared_data, "--account", "ES-MAIN", "--timezone", ZONE)
    assert {line.split("imported ")[1].split(",")[0] for line in again.splitlines() if "imported " in line} == {"0"}
    assert stored() == before


def test_a_real_signal_has_its_score_reason_and_context(real_import: str) -> None:
    decision = Decision.objects.get(trade_id="20250822_142517-1")
    assert decision.signal_score == 0.47066518847006655
    assert decision.reason.startswith("OrderFlow bullish (score: 0.471)")
    assert decision.context is not None and decision.context["orderflow_stats.vix_level"] == 19.701960503962255
    assert decision.at == datetime(2025, 8, 22, 18, 25, 22, 568536, tzinfo=UTC)
    assert (decision.instrument, decision.price) == ("ES", Decimal("6459.0000"))


def test_the_real_files_stop_no_account(real_import: str, account: Account) -> None:
    state = AccountState.objects.get(account=account)
    assert (state.state, state.equity, state.marks, state.penalty_active) == ("ACTIVE", None, {}, False)
    assert not Admission.objects.exists()


# What an imported decision is


def test_an_imported_decision_is_marked_as_history(account: Account, tmp_path: Path) -> None:
    regimes = '"{""range"": 0.7, ""trend"": 0.2, ""defensive"": 0.1}"'
    import_mia(decision_log(tmp_path, row(0, regimes=regimes)), "--account", "ES-MAIN")
    decision = Decision.objects.get()
    assert (decision.origin, decision.mode, decision.verdict, decision.effect) == ("imported", "record", "", "")
    assert (decision.at, decision.trade_id, decision.decision) == (TWO_PM, "T1", "buy")
    assert decision.signal_score == 0.75
    assert decision.regime_probs == {"range": 0.7, "trend": 0.2, "defensive": 0.1}
    assert decision.actor.startswith("command:import_mia:")
    entry = Entry.objects.get(object_id=str(decision.id))
    assert (entry.account, entry.why) == ("ES-MAIN", "import of decision_log.csv")


def test_decisions_take_the_accounts_numbers_in_the_order_of_their_time(account: Account, tmp_path: Path) -> None:
    AccountState.objects.filter(account=account).update(seq=7)
    import_mia(decision_log(tmp_path, row(9, "late"), row(1, "early")), "--account", "ES-MAIN")
    assert list(Decision.objects.order_by("seq").values_list("seq", "trade_id")) == [(8, "early"), (9, "late")]
    assert AccountState.objects.get(account=account).seq == 9


def test_an_absent_score_stays_absent(account: Account, tmp_path: Path) -> None:
    import_mia(decision_log(tmp_path, row(0, score="")), "--account", "ES-MAIN")
    assert Decision.objects.get().signal_score is None


def test_a_closed_trade_becomes_a_decision_with_its_outcome(account: Account, tmp_path: Path) -> None:
    import_mia(text_file(tmp_path / "trades_1.jsonl", trade(1)), "--account", "ES-MAIN")
    decision, outcome = Decision.objects.get(), Outcome.objects.get()
    assert outcome.decision_id == decision.id
    assert (outcome.pnl, outcome.origin, outcome.final) == (Decimal("-2.5"), "imported", True)
    assert (decision.side, decision.quantity, outcome.seq) == ("buy", Decimal(1), decision.seq + 1)


def test_a_decision_without_a_trade_is_named_by_its_time(account: Account, tmp_path: Path) -> None:
    path = text_file(tmp_path / "old.csv", "timestamp,decision,reason,regime", "2025-05-13T09:00:00Z,hold,wait,trend")
    output = import_mia(path, "--account", "ES-MAIN")
    assert Decision.objects.get().trade_id == "log-20250513T090000Z"
    assert "decisions that name no trade, named by their time: 1" in output
    assert "imported 0, unchanged 1" in import_mia(path, "--account", "ES-MAIN")


# What is known again


def test_equal_rows_are_counted_and_an_overlap_adds_only_the_rest(account: Account, tmp_path: Path) -> None:
    first = decision_log(tmp_path, row(0), row(0), row(1), name="decision_log_1.csv")
    longer = decision_log(tmp_path, row(1), row(0), row(0), row(0), row(2), name="decision_log_2.csv")
    assert "read 3, imported 3, unchanged 0" in import_mia(first, "--account", "ES-MAIN")
    assert "read 5, imported 2, unchanged 3" in import_mia(longer, "--account", "ES-MAIN")
    assert Decision.objects.filter(at=TWO_PM).count() == 3


def test_a_decision_differs_by_any_of_its_five_values(account: Account, tmp_path: Path) -> None:
    regimes = '"{""trend"": 0.5}"'
    rows = (row(0), row(1), row(0, "T2"), row(0, "T1", "sell"), row(0, score="0.76"), row(0, regimes=regimes))
    assert "imported 6, unchanged 0" in import_mia(decision_log(tmp_path, *rows), "--account", "ES-MAIN")


def test_a_live_decision_is_not_imported_again(account: Account, tmp_path: Path) -> None:
    log_decision("T9", "buy", 0.75, {"range": 0.7, "trend": 0.2}, account="ES-MAIN")
    live = Decision.objects.get()
    regimes = '"{""trend"": 0.2, ""range"": 0.7}"'
    line = f"{live.at.replace(tzinfo=None)},T9,buy,0.75,{regimes}"
    output = import_mia(decision_log(tmp_path, line), "--account", "ES-MAIN")
    assert "imported 0, unchanged 1" in output
    assert Decision.objects.get() == live


def test_another_accounts_decision_is_another_decision(account: Account, tmp_path: Path) -> None:
    AccountFactory(code="ES-TWO")
    path = decision_log(tmp_path, row(0))
    assert "imported 1" in import_mia(path, "--account", "ES-MAIN")
    assert "imported 1" in import_mia(path, "--account", "ES-TWO")


def test_a_later_file_adds_the_outcome_of_a_known_decision(account: Account, tmp_path: Path) -> None:
    known = decision_log(tmp_path, "2025-06-30 07:18:01,trade_1,buy,,")
    trades = text_file(tmp_path / "trades_1.jsonl", trade(1))
    import_mia(known, "--account", "ES-MAIN")
    assert "imported 1, unchanged 0" in import_mia(trades, "--account", "ES-MAIN")
    assert Outcome.objects.get().decision_id == Decision.objects.get().id
    assert "imported 0, unchanged 1" in import_mia(trades, "--account", "ES-MAIN")


def test_an_outcome_that_is_known_stands(account: Account, tmp_path: Path) -> None:
    at = datetime(2025, 6, 30, 7, 18, 1, tzinfo=UTC)
    live = DecisionFactory(
        account=account, at=at, trade_id="trade_1", decision="buy", signal_score=None, regime_probs=None
    )
    OutcomeFactory(account=account, decision_id=live.id, pnl=Decimal(40))
    import_mia(text_file(tmp_path / "trades_1.jsonl", trade(1)), "--account", "ES-MAIN")
    assert Outcome.objects.get().pnl == Decimal(40)


# Equity


def test_simulated_equity_goes_in_only_when_asked_for(account: Account, tmp_path: Path) -> None:
    path = text_file(tmp_path / "signals_1.jsonl", signal(1), signal(2))
    arguments = ("--account", "ES-MAIN", "--timezone", ZONE)
    import_mia(path, *arguments)
    assert not EquityPoint.objects.exists()
    assert "imported 2, unchanged 0" in import_mia(path, *arguments, "--equity")
    assert list(EquityPoint.objects.order_by("at").values_list("equity", "origin", "ordinal")) == [
        (Decimal("254381.2500"), "imported", 0),
        (Decimal("254382.2500"), "imported", 1),
    ]
    assert EquityBatch.objects.get().count == 2
    before = stored()
    assert "imported 0, unchanged 2" in import_mia(path, *arguments, "--equity")
    assert stored() == before


def test_imported_equity_moves_no_mark_and_stops_nothing(account: Account, tmp_path: Path) -> None:
    config = text_file(tmp_path / "market_config.yaml", "max_drawdown: -0.05")
    import_mia(config, "--account", "ES-MAIN")
    lines = [signal(n, orderflow_stats={"equity": 100_000 - 10_000 * n}) for n in range(1, 6)]
    path = text_file(tmp_path / "signals_1.jsonl", *lines)
    import_mia(path, "--account", "ES-MAIN", "--timezone", ZONE, "--equity")
    state = AccountState.objects.get(account=account)
    assert EquityPoint.objects.count() == 5
    assert (state.state, state.equity, state.marks, state.penalty_active) == ("ACTIVE", None, {}, False)


# Times and zones


def test_naive_times_need_a_zone_and_the_sentence_says_how_to_give_it(account: Account, tmp_path: Path) -> None:
    path = text_file(tmp_path / "signals_1.jsonl", signal(1))
    output = import_mia(path, "--account", "ES-MAIN")
    assert "has no time zone" in output and "--timezone" in output
    assert output.splitlines()[-1].startswith("CommandError: 1 file of 1 was rejected")
    assert not Decision.objects.exists()


def test_the_zone_of_the_settings_is_used_and_recorded(account: Account, tmp_path: Path, settings: Settings) -> None:
    settings.MIA_IMPORT_TIMEZONE = "America/Chicago"
    import_mia(text_file(tmp_path / "signals_1.jsonl", signal(1)), "--account", "ES-MAIN")
    assert Decision.objects.get().at == datetime(2025, 8, 21, 22, 22, 1, 641184, tzinfo=UTC)
    assert ImportRun.objects.get().timezone == "America/Chicago"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "America", "UTC+5", "utc\x00"])
def test_a_zone_that_is_none_stops_the_command(account: Account, tmp_path: Path, zone: str) -> None:
    before = stored()
    output = import_mia(decision_log(tmp_path, row(0)), "--account", "ES-MAIN", "--timezone", zone)
    assert "is not a time zone: expected an IANA name such as America/New_York" in output
    assert stored() == before


def test_history_of_the_future_is_refused(account: Account, tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    path = decision_log(tmp_path, f"{tomorrow:%Y-%m-%d %H:%M:%S},T2,buy,0.5,", row(0))
    output = import_mia(path, "--account", "ES-MAIN")
    assert "read 2, imported 1, unchanged 0, rejected 1" in output
    assert "line 2: timestamp" in output and "lies in the future: was another time zone meant?" in output
    assert Decision.objects.get().trade_id == "T1"


# Accounts


def test_without_an_account_what_is_the_desks_goes_in_and_the_rest_says_why_not(tmp_path: Path) -> None:
    decision_log(tmp_path, row(0))
    text_file(tmp_path / "macro_events.csv", "start_time,type,impact", "2030-05-07 18:00:00,FOMC,1.0")
    output = import_mia(tmp_path)
    assert "macro_events.csv (macro_events): read 1, imported 1" in output
    assert "decision_log.csv: what it holds belongs to an account: name one with --account" in output
    assert "create_account" in output


def test_the_only_account_need_not_be_named(account: Account, tmp_path: Path) -> None:
    assert "imported 1" in import_mia(decision_log(tmp_path, row(0)))
    assert Decision.objects.get().account == account


def test_an_unknown_account_is_never_opened(account: Account, tmp_path: Path) -> None:
    output = import_mia(decision_log(tmp_path, row(0)), "--account", "ES-MIAN")
    assert "There is no account ES-MIAN. Open it: manage.py create_account ES-MIAN" in output
    assert list(Account.objects.values_list("code", flat=True)) == ["ES-MAIN"]
    assert not Decision.objects.exists()


# What is refused


def test_good_rows_go_in_and_the_others_are_named_by_line(account: Account, tmp_path: Path) -> None:
    path = decision_log(tmp_path, row(0), row(1, score="1.2"), row(2, score="nan"), row(3, "x" * 129), row(4))
    output = import_mia(path, "--account", "ES-MAIN")
    assert "read 5, imported 2, unchanged 0, rejected 3" in output
    assert 'line 3: signal_score must be a number from 0 to 1, not "1.2"' in output
    assert "line 5: trade_id has 129 characters: at most 128 are kept" in output
    assert output.splitlines()[-1] == "CommandError: 3 rows were rejected; everything else is done."


def test_of_many_refused_rows_twenty_are_shown_and_the_rest_counted(account: Account, tmp_path: Path) -> None:
    output = import_mia(decision_log(tmp_path, *(row(n, score="2") for n in range(50))), "--account", "ES-MAIN")
    assert output.count("line ") == 20
    assert "and 30 more rejected rows" in output


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 100, b"\xff\xfe\x00garbage", b"SQLite format 3\x00truncated", b"hello\n", b"{}", b"[" * 5_000],
)
def test_a_file_that_is_no_mia_file_is_one_sentence(account: Account, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "thing.bin").write_bytes(content)
    decision_log(tmp_path, row(0))
    output = import_mia(tmp_path, "--account", "ES-MAIN")
    assert "thing.bin: read 0, imported 0, unchanged 0, rejected 1" in output
    assert "decision_log.csv (decision_log): read 1, imported 1" in output
    assert "Traceback" not in output
    run = ImportRun.objects.get(name="thing.bin")
    assert (run.rejected, run.file_kind) == (1, "")
    assert run.notes[0].startswith("thing.bin")


def test_a_file_beyond_the_bound_is_not_even_read(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mia_import, "MAX_FILE_BYTES", 100)
    path = decision_log(tmp_path, *(row(n) for n in range(10)))
    assert "at most 100 are read: split it" in import_mia(path, "--account", "ES-MAIN")


@pytest.mark.parametrize("name", ["missing.csv", "empty"])
def test_nothing_to_import_is_an_error(account: Account, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match=r"neither a file nor a folder|there is no file in"):
        call_command("import_mia", str(tmp_path / name), stdout=io.StringIO())


def test_hidden_files_pipes_and_what_sqlite_keeps_beside_a_database_are_passed_over(
    account: Account, tmp_path: Path
) -> None:
    decision_log(tmp_path / "logs" / "trading", row(0))
    (tmp_path / ".DS_Store").write_bytes(b"junk")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"junk")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "memory.db").write_bytes(b"no database")
    (tmp_path / "memory.db-wal").write_bytes(b"junk")
    output = import_mia(tmp_path, "--account", "ES-MAIN")
    reports = [line.split(":")[0] for line in output.splitlines() if ": read " in line]
    assert reports == ["logs/trading/decision_log.csv (decision_log)", "memory.db"]


def test_a_name_that_no_database_can_hold_is_shown_without_it(account: Account, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff\nname.csv")).write_bytes(b"junk")
    output = import_mia(tmp_path, "--account", "ES-MAIN")
    assert "bad??name.csv: read 0" in output
    assert ImportRun.objects.get().name == "bad??name.csv"


# Dry run, faults, progress


def test_a_dry_run_says_what_would_be_and_writes_nothing(account: Account, tmp_path: Path) -> None:
    decision_log(tmp_path, row(0), row(1, score="7"))
    text_file(tmp_path / "trades_1.jsonl", trade(1))
    text_file(tmp_path / "market_config.yaml", "max_drawdown: -0.05")
    text_file(tmp_path / "macro_events.csv", "start_time,type,impact", "2030-05-07 18:00:00,FOMC,1.0")
    before = stored()
    dry = import_mia(tmp_path, "--account", "ES-MAIN", "--dry-run")
    assert stored() == before
    real = import_mia(tmp_path, "--account", "ES-MAIN")
    assert dry.splitlines()[0] == "Dry run: nothing is written."
    assert dry.splitlines()[1:] == real.splitlines()


def test_a_fault_in_the_middle_loses_nothing_and_a_second_run_completes(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("risk.import_job.STEP_ROWS", 10)
    monkeypatch.setattr("risk.import_job.PAUSE_SECONDS", 0)
    path = decision_log(tmp_path, *(row(n // 3) for n in range(45)))
    steps = iter(range(100))

    def failing(self: Any, **arguments: Any) -> Any:
        if next(steps) == 2:
            raise OperationalError("disk I/O error")
        return record(self, **arguments)

    record = Written.record
    with monkeypatch.context() as fault:
        fault.setattr(Written, "record", failing)
        output = import_mia(path, "--account", "ES-MAIN")
    assert "CommandError: The database could not be written (disk I/O error)" in output
    assert Decision.objects.count() == 20
    assert AccountState.objects.get(account=account).seq == 20
    assert "read 45, imported 25, unchanged 20" in import_mia(path, "--account", "ES-MAIN")
    assert Decision.objects.count() == 45
    assert ImportRun.objects.get().imported == 25


def test_progress_is_shown_on_a_terminal_only(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("risk.import_job.STEP_ROWS", 10)
    monkeypatch.setattr("risk.import_job.PAUSE_SECONDS", 0)
    path = decision_log(tmp_path, *(row(n) for n in range(30)))
    terminal, plain = Terminal(), io.StringIO()
    call_command("import_mia", str(path), stdout=io.StringIO(), stderr=terminal)
    call_command("import_mia", str(path), stdout=io.StringIO(), stderr=plain)
    assert "decision_log.csv: 10 / 30" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert plain.getvalue() == ""


# The record of the import


def test_an_import_is_a_fact_and_the_same_again_is_not(account: Account, tmp_path: Path) -> None:
    path = decision_log(tmp_path, row(0), row(1, score="7"))
    import_mia(path, "--account", "ES-MAIN")
    run = ImportRun.objects.get()
    assert (run.account, run.name, run.file_kind) == (account, "decision_log.csv", "decision_log")
    assert (run.read, run.imported, run.unchanged, run.rejected) == (2, 1, 0, 1)
    assert Entry.objects.filter(object_id=str(run.id), kind_name="import_run", account="ES-MAIN").exists()
    import_mia(path, "--account", "ES-MAIN")
    assert ImportRun.objects.get() == run
