"""The decision log: the scenarios of the specification by name, what it takes and refuses, each fault."""

import csv
import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import OperationalError

from decisions.decision_log import EngineUnavailable, log_decision, submit
from decisions.models import Decision, DecisionFeatures
from mia_site.audit.models import Entry, PendingEntry
from mia_site.ops import timings
from mia_site.ops.models import Timing
from mia_site.ops.retry import Deadline
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import Admission
from tests.decisions.bots import FEATURES, Bot, codes, feature_desk, trading_bot
from tests.factories import AccountFactory, state_of
from tests.faults import failing_database
from tests.risk.calendars import raised, told
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
COLUMNS = ["timestamp", "trade_id", "decision", "signal_score", "regime_probs"]
DECISIONS, ENTRIES = 'INSERT INTO "decisions_decision"', 'INSERT INTO "audit_entry"'
REGIMES = {"range": 0.7, "trend": 0.2}


@pytest.fixture
def bot(gate_clock: StillClock) -> Bot:
    return trading_bot(now=gate_clock.now)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that retries would have waited."""
    slept: list[float] = []
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", slept.append)
    return slept


def exported(folder: Path, name: str = "logs/trading/decision_log.csv") -> list[dict[str, str]]:
    call_command("export_mia", str(folder), account="ES-DEMO", verbosity=0)
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def timed(operation: str) -> list[bool]:
    timings.flush()
    return list(Timing.objects.filter(operation=operation).order_by("id").values_list("success", flat=True))


# --- the scenarios of the specification ---------------------------------------------------------------------


def test_log_decision(bot: Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """«Vérifier la création de decision_log.csv», «vérifier les colonnes trade_id, signal_score, regime_probs»."""
    log_decision("T123", "buy", 0.75, REGIMES)
    (row,) = exported(tmp_path)
    assert list(row) == COLUMNS
    assert (row["trade_id"], row["decision"], row["signal_score"]) == ("T123", "buy", "0.75")
    assert json.loads(row["regime_probs"]) == REGIMES
    assert row["timestamp"] == "2025-05-13 17:00:00"


def test_the_file_is_there_before_the_first_decision(
    bot: Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(tmp_path) == []
    text = (tmp_path / "logs/trading/decision_log.csv").read_text(encoding="utf-8")
    assert text == ",".join(COLUMNS) + "\n"


def test_a_locked_file_is_tried_three_times_and_then_told(bot: Bot, pauses: list[float]) -> None:
    """«Tester les erreurs de journalisation (ex. : fichier verrouillé)»: the file is the database now."""
    locked = OperationalError("database is locked")
    with failing_database(locked, table=DECISIONS) as failed, pytest.raises(OperationalError):
        log_decision("T123", "buy", 0.75, REGIMES)
    assert len(failed) == 3 and pauses == [2.0, 4.0]
    assert not Decision.objects.exists()
    (alert,) = raised("decision_not_logged")
    assert alert.priority == 3
    assert told(alert) == "ES-DEMO: decision T123 could not be logged: OperationalError: database is locked"
    assert timed("log_decision") == [False]


def test_a_file_that_is_locked_for_a_moment_loses_nothing(bot: Bot, pauses: list[float]) -> None:
    with failing_database(OperationalError("database is locked"), table=DECISIONS, times=2):
        recorded = log_decision("T123", "buy", 0.75, REGIMES)
    assert Decision.objects.get().id == recorded and pauses == [2.0, 4.0]
    assert timed("log_decision") == [True]
    assert not raised("decision_not_logged")


def test_performance_is_written_on_success_and_on_failure(
    bot: Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_decision("T123", "buy", 0.75, REGIMES)
    with pytest.raises(InputError):
        log_decision("T124", "buy", 1.2, REGIMES)
    timings.flush()
    rows = exported(tmp_path, "logs/decision_log_performance.csv")
    assert list(rows[0]) == ["timestamp", "operation", "latency", "success", "memory_usage_mb", "cpu_percent"]
    assert [(row["operation"], row["success"]) for row in rows] == [("log_decision", "True"), ("log_decision", "False")]
    assert float(rows[0]["memory_usage_mb"]) > 1 and float(rows[0]["latency"]) > 0


# --- what is recorded ---------------------------------------------------------------------------------------


def test_a_recorded_decision_has_no_verdict_and_moves_no_counter(bot: Bot) -> None:
    recorded = log_decision("T123", "buy", 0.75, REGIMES, quantity="2", price="5912.25", reason="breakout")
    decision = Decision.objects.get(id=recorded)
    assert (decision.mode, decision.verdict, decision.effect) == ("record", "", "opens")
    assert (decision.instrument, decision.quantity, decision.price) == ("ES", 2, 5912.25)
    assert decision.actor.startswith("command:log_decision:uid")
    assert not Admission.objects.exists()


def test_the_decision_its_entry_and_its_place_in_the_queue_come_together(bot: Bot) -> None:
    recorded = log_decision("T123", "buy", 0.75, REGIMES)
    entry = Entry.objects.get(id=recorded)
    assert entry.kind_name == "decision" and entry.account == "ES-DEMO"
    assert PendingEntry.objects.filter(entry_id=recorded).exists()
    assert json.loads(entry.body)["fact"]["trade_id"] == "T123"


def test_where_the_entry_cannot_be_written_neither_is_the_decision(bot: Bot, pauses: list[float]) -> None:
    before = state_of(bot.account).seq
    with failing_database(OperationalError("disk I/O error"), table=ENTRIES), pytest.raises(OperationalError):
        log_decision("T123", "buy", 0.75, REGIMES)
    assert not Decision.objects.exists()
    assert state_of(bot.account).seq == before


def test_the_only_account_needs_no_name_and_two_do(bot: Bot) -> None:
    log_decision("T123", "buy", 0.75, REGIMES)
    AccountFactory(code="ES-OTHER")
    with pytest.raises(AccountUnknown):
        log_decision("T124", "buy", 0.75, REGIMES)
    assert told(raised("decision_not_logged")[0]).startswith("desk: decision T124 could not be logged")
    assert isinstance(log_decision("T125", "buy", 0.75, REGIMES, account="ES-OTHER"), UUID)


@pytest.mark.parametrize("regimes", [{}, {"defensive": 1.0}, {"range": 0.7, "trend": 0.2, "defensive": 0.1}])
def test_a_regime_may_be_left_out(bot: Bot, regimes: dict[str, float]) -> None:
    recorded = log_decision("T123", "buy", 0.75, regimes)
    assert Decision.objects.get(id=recorded).regime_probs == regimes


@pytest.mark.parametrize("word", ["buy", "enter_long", "hold", "a", "x" * 32, "scale_in_2"])
def test_a_decision_is_a_lower_case_word(bot: Bot, word: str) -> None:
    assert Decision.objects.get(id=log_decision("T123", word, 0.75, REGIMES)).decision == word


# --- what is refused ----------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"signal_score": 1.2}, "signal_score"),
    ({"signal_score": -0.1}, "signal_score"),
    ({"signal_score": math.nan}, "signal_score"),
    ({"signal_score": "0.75"}, "signal_score"),
    ({"regime_probs": {"range": 1.2}}, "regime_probs"),
    ({"regime_probs": {"range": -0.1}}, "regime_probs"),
    ({"regime_probs": {"range": math.nan}}, "regime_probs"),
    ({"regime_probs": {"range": 0.7, "trend": 0.2, "defensive": 0.2}}, "regime_probs"),
    ({"regime_probs": {"bull": 0.7}}, "bull"),
    ({"decision": "Buy"}, "decision"),
    ({"decision": "x" * 33}, "decision"),
    ({"decision": ""}, "decision"),
    ({"decision": "buy now"}, "decision"),
    ({"decision": "buy\n"}, "decision"),
    ({"decision": "9buy"}, "decision"),
    ({"trade_id": ""}, "trade_id"),
    ({"trade_id": "T" * 129}, "trade_id"),
    ({"trade_id": "T\x001"}, "trade_id"),
    ({"quantity": "0"}, "quantity"),
    ({"quantity": "-1"}, "quantity"),
    ({"quantity": "NaN"}, "quantity"),
    ({"price": "0.00001"}, "price"),
    ({"price": "Infinity"}, "price"),
    ({"features": {"vix": math.nan}}, "features"),
    ({"features": {"vix": math.inf}}, "features"),
    ({"decided_at": "2025-05-07T17:00:00"}, "decided_at"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED)
def test_a_value_that_cannot_be_is_refused_by_name(bot: Bot, changes: dict[str, Any], field: str) -> None:
    told_ = {"trade_id": "T123", "decision": "buy", "signal_score": 0.75, "regime_probs": REGIMES, **changes}
    with pytest.raises(InputError, match=field):
        log_decision(**told_)
    assert not Decision.objects.exists()
    assert len(raised("decision_not_logged")) == 1


def test_a_sum_that_only_rounding_lifts_above_one_is_taken(bot: Bot) -> None:
    tenths = {"range": 0.1 + 0.2, "trend": 0.6, "defensive": 0.1}
    recorded = log_decision("T123", "buy", 0.75, tenths)
    assert Decision.objects.get(id=recorded).regime_probs == tenths


# --- features -----------------------------------------------------------------------------------------------


def test_an_unknown_feature_name_is_an_error(bot: Bot) -> None:
    feature_desk()
    with pytest.raises(InputError, match="names of feature set v1") as refused:
        bot.asks(features={**FEATURES, "obs_t": 1.0})
    assert (refused.value.field, refused.value.value) == ("features", "obs_t")
    assert not Decision.objects.exists()


def test_missing_features_are_recorded_and_block_below_the_coverage(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, rules={}, features={"required_top": 0})
    feature_desk()
    decision = bot.asks(features={"vix": 17.25}).decision
    assert (decision.verdict, codes(decision), decision.feature_coverage) == ("block", ["feature_coverage_low"], 0.6)
    assert decision.reasons[0]["evidence"]["missing_top"] == ["delta", "spread"]
    assert DecisionFeatures.objects.filter(id=decision.id).exists()
    assert bot.asks(features={"vix": 17.25, "delta": -0.5}).decision.verdict == "allow", "0.9 is enough"


# --- what cannot be recorded is not allowed -----------------------------------------------------------------


def test_what_cannot_be_recorded_is_not_allowed(bot: Bot, pauses: list[float]) -> None:
    disk = OperationalError("database or disk is full")
    with failing_database(disk, table=ENTRIES) as failed, pytest.raises(EngineUnavailable):
        bot.asks()
    assert len(failed) == 4 and pauses == [0.02, 0.04, 0.08]
    assert not Decision.objects.exists() and not Admission.objects.exists()
    (alert,) = raised("engine_unavailable")
    assert alert.priority == 4
    assert told(alert).startswith("ES-DEMO: a decision could not be judged and recorded in time")
    assert timed("submit") == [False]


def test_a_hiccup_within_the_deadline_is_not_noticed(bot: Bot, pauses: list[float]) -> None:
    with failing_database(OperationalError("database is locked"), table=DECISIONS, times=3):
        assert bot.asks().decision.verdict == "allow"
    assert pauses == [0.02, 0.04, 0.08]
    assert Decision.objects.count() == Admission.objects.count() == 1


def test_an_answer_that_is_late_is_rolled_back(bot: Bot) -> None:
    class Late(Deadline):
        """Over as soon as the decision is written."""

        def remaining(self) -> float:
            return 0.0 if Decision.objects.exists() else 60.0

    with pytest.raises(EngineUnavailable, match="DeadlineExceeded"):
        submit([bot.sent()], client=bot.client, actor=bot.actor, deadline=Late(60))
    assert not Decision.objects.exists()
    assert len(raised("deadline_missed")) == 1 and not raised("engine_unavailable")


def test_repeated_trouble_is_one_alert_that_counts(bot: Bot, pauses: list[float], gate_clock: StillClock) -> None:
    with failing_database(OperationalError("disk I/O error"), table=ENTRIES):
        for _ in range(3):
            with pytest.raises(EngineUnavailable):
                bot.asks()
            gate_clock.now += timedelta(seconds=1)
    (alert,) = raised("engine_unavailable")
    assert alert.repeats == 2
