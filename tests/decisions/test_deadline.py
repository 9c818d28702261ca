"""A database that is locked, slow, full or gone: the answer comes in time, says block, and nothing is half recorded."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import OperationalError, close_old_connections, connection

from decisions import decision_log
from decisions.decision_log import EngineUnavailable, submit
from decisions.models import Decision
from mia_site.audit.models import Entry, PendingEntry
from mia_site.ops.alerts import alert_text
from mia_site.ops.deadline import COUNTED, Kept, deadline_watch, transaction_within
from mia_site.ops.retry import Deadline
from risk.models import Admission, Desk, Snapshot
from tests.decisions.bots import Bot, trading_bot
from tests.decisions.troubled_database import LOCKS, gone, hurried, locked
from tests.environment import DEADLINE_MS, is_sqlite
from tests.risk.api.conftest import PROBLEM, Answer
from tests.risk.api.conftest import Bot as Web
from tests.risk.calendars import raised

pytestmark = pytest.mark.usefixtures("quiet_background")
SLACK = 3.0
"""Seconds beyond the deadline that a loaded machine may take; a wait without a deadline takes 20 s or for ever."""


@pytest.fixture
def bot(cloned_database: str) -> Bot:
    return trading_bot()


def asks(bot: Bot) -> Answer:
    """Asks over HTTP. Django looks after its connections between two requests; its test client does not."""
    close_old_connections()
    return Web(bot.token).post("decisions/", bot.body())


@contextmanager
def in_time(milliseconds: int = DEADLINE_MS) -> Iterator[None]:
    """The block is answered within its deadline; fails where it takes longer."""
    started = time.perf_counter()
    with hurried(milliseconds):
        yield
    assert time.perf_counter() - started < milliseconds / 1000 + SLACK


def asks_in_time(bot: Bot) -> Answer:
    with in_time():
        return asks(bot)


def assert_blocked(answer: Answer) -> None:
    assert (answer.status, answer.kind) == (503, PROBLEM)
    assert (answer.body["verdict"], answer.body["recorded"]) == ("block", False)


def counted(operation: str) -> dict[str, float]:
    """What this process has counted, by outcome."""
    return {kept.value: COUNTED.labels(operation, kept)._value.get() for kept in Kept}


@contextmanager
def counts(operation: str, **more: int) -> Iterator[None]:
    """Within the block, exactly these outcomes are counted."""
    before = counted(operation)
    yield
    assert {name: count - before[name] for name, count in counted(operation).items() if count != before[name]} == more


@pytest.mark.parametrize("lock", ["the account"] if is_sqlite() else list(LOCKS))
def test_a_locked_database_is_answered_within_the_deadline(cloned_database: str, bot: Bot, lock: str) -> None:
    with locked(cloned_database, LOCKS[lock]):
        assert_blocked(asks_in_time(bot))
    (alert,) = raised("deadline_missed")
    assert alert.priority == 4
    assert alert_text(alert, "en").startswith(f"{bot.account.code}: submit was not answered within 500 ms")
    assert not raised("engine_unavailable") and not Decision.objects.exists()
    assert asks(bot).body["verdict"] == "allow"


def test_a_lock_that_is_let_go_in_time_is_not_noticed(
    cloned_database: str, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = locked(cloned_database, LOCKS["the account"])
    lock.__enter__()
    waits: list[Deadline] = []

    @contextmanager
    def short(deadline: Deadline) -> Iterator[None]:
        """The first try waits a moment for the lock, which is gone before the second."""
        waits.append(deadline)
        with transaction_within(Deadline(0.05) if len(waits) == 1 else deadline):
            yield

    monkeypatch.setattr(decision_log, "transaction_within", short)
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", lambda seconds: lock.__exit__(None, None, None))
    assert bot.asks().decision.verdict == "allow"
    assert len(waits) == 2 and Decision.objects.count() == 1


@pytest.mark.postgres
def test_a_slow_statement_is_cancelled_at_the_deadline(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$"
        )
        cursor.execute("CREATE TRIGGER slow BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION slow()")
    assert_blocked(asks_in_time(bot))
    assert not Decision.objects.exists() and not Admission.objects.exists()


def usual_patience() -> str:
    """How long this connection waits for a lock, as the database says it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout" if is_sqlite() else "SHOW lock_timeout")
        return str(cursor.fetchone()[0])


def test_the_deadline_of_one_request_is_not_that_of_the_next(cloned_database: str, bot: Bot) -> None:
    before = usual_patience()
    with locked(cloned_database, LOCKS["the account"]):
        assert_blocked(asks_in_time(bot))
    assert usual_patience() == before


def asks_until_refused(bot: Bot) -> Iterator[UUID]:
    with contextlib.suppress(EngineUnavailable):
        while True:
            yield bot.asks(mode="record", reason="x" * 2000).decision.id


def test_a_full_disk_loses_nothing_that_was_answered(bot: Bot) -> None:
    if not is_sqlite():
        pytest.skip("only SQLite's size can be bounded from here")
    with connection.cursor() as cursor:
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages + 8}")
    answered = list(asks_until_refused(bot))
    assert answered and set(Decision.objects.values_list("id", flat=True)) == set(answered)
    assert Entry.objects.filter(kind_name="decision").count() == len(answered)
    assert PendingEntry.objects.filter(entry_id__in=answered).count() == len(answered)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1073741823")
        assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert bot.asks().decision.verdict == "allow", "there is room again"


def test_without_its_database_it_blocks_and_goes_on_when_it_is_back(cloned_database: str, bot: Bot) -> None:
    with gone(cloned_database):
        for _ in range(2):
            assert_blocked(asks_in_time(bot))
    assert asks(bot).body["verdict"] == "allow"
    assert Decision.objects.count() == 1


@pytest.mark.postgres
def test_a_connection_that_broke_between_two_requests_is_made_anew(cloned_database: str, bot: Bot) -> None:
    assert bot.asks().decision.verdict == "allow"
    with connection._nodb_cursor() as cursor:
        name = connection.settings_dict["NAME"]
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    assert bot.asks().decision.verdict == "allow", "the second try has a new connection"


def test_a_stop_waits_for_a_lock_no_longer_than_its_deadline(cloned_database: str, bot: Bot) -> None:
    """Nothing was recorded, the answer is stop; the lock gone, the same question is answered and recorded."""
    question = {"account": bot.account.code, "drawdown": 0.06}
    close_old_connections()
    with locked(cloned_database, LOCKS["the account"]), counts("stop_trading", missed=1), in_time():
        answer = Web(bot.token).post("risk/stop-trading", question)
    assert (answer.status, answer.body["stop"], answer.body["recorded"]) == (503, True, False)
    assert not Snapshot.objects.exists()
    assert [alert.dedup_key for alert in raised("deadline_missed")] == ["stop_trading"]
    assert not raised("risk_check_failed"), "one miss is one alert"
    with counts("stop_trading", kept=1):
        assert Web(bot.token).post("risk/stop-trading", question).body["stop"] is True
    assert Snapshot.objects.count() == 1


def blocks(bot: Bot) -> list[str]:
    """Whether a trade is blocked, over HTTP: the codes of its reasons."""
    close_old_connections()
    answer = Web(bot.token).post("risk/block-trade", {"account": bot.account.code, "instrument": "ES"})
    return [reason["code"] for reason in answer.body["reasons"]]


@pytest.mark.postgres
def test_a_window_check_reads_no_longer_than_its_deadline(cloned_database: str, bot: Bot) -> None:
    lock = "LOCK TABLE risk_macroevent IN ACCESS EXCLUSIVE MODE"
    with locked(cloned_database, lock), counts("block_trade", missed=1), in_time():
        assert blocks(bot) == ["engine_unavailable"]
    assert [alert.dedup_key for alert in raised("deadline_missed")] == ["block_trade"]
    assert not raised("window_check_failed"), "one miss is one alert"
    with counts("block_trade", kept=1):
        assert blocks(bot) == []


def test_an_alert_that_waits_for_a_lock_keeps_no_answer_back(cloned_database: str, bot: Bot) -> None:
    Desk.objects.update(calendar_at=None)
    lock = "LOCK TABLE ops_alert IN ACCESS EXCLUSIVE MODE"
    with locked(cloned_database, lock), counts("block_trade", late=1), in_time(2000):  # enough to read the calendar
        assert blocks(bot) == ["calendar_missing"]
    assert len(raised("calendar_missing")) == 1, "written once the lock is gone"


def test_misses_are_one_alert_that_counts_them_once_the_lock_is_gone(cloned_database: str, bot: Bot) -> None:
    with locked(cloned_database, LOCKS["the account"]), counts("submit", missed=3):
        for _ in range(3):
            with pytest.raises(EngineUnavailable):
                submit([bot.sent()], client=bot.client, actor=bot.actor, deadline=Deadline(0.05))
    assert [alert.repeats for alert in raised("deadline_missed")] == [2]


def test_without_its_database_a_miss_and_a_failure_are_counted_and_told_once_it_is_back(
    cloned_database: str, bot: Bot
) -> None:
    over = Deadline(1, clock=iter([0.0, *[2.0] * 9]).__next__)
    with gone(cloned_database), counts("submit", missed=1, failed=1):
        with pytest.raises(EngineUnavailable):
            bot.asks()
        with pytest.raises(OperationalError), deadline_watch("submit", over):
            raise OperationalError("the server answers no more")
    connection.close()
    assert len(raised("engine_unavailable")) == len(raised("deadline_missed")) == 1


def test_an_answer_whose_commit_took_too_long_is_late(bot: Bot) -> None:
    """It was recorded, and the bot may have given up on it: both are told."""
    after_commit = Deadline(1, clock=iter([0.0, *[2.0] * 9]).__next__)
    with counts("submit", late=1), deadline_watch("submit", after_commit, account=bot.account.code):
        pass
    assert len(raised("deadline_missed")) == 1
