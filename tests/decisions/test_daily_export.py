"""The daily export: yesterday's tree appears whole, once, whatever happens to the worker that writes it."""

import errno
import fcntl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from kombu.exceptions import OperationalError as BrokerError

from decisions import tasks
from decisions.daily_export import export_daily_step
from decisions.mia_export import tree_export
from mia_site.audit.actors import Actor, worker_actor
from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from mia_site.ops.retry import Deadline
from risk.export import Period
from risk.models import Account
from tests.factories import AccountFactory, DecisionFactory, PenaltyFactory, SnapshotFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
DAY = datetime(2025, 5, 13, tzinfo=UTC)
NEXT_MORNING = DAY + timedelta(days=1, hours=6)
ACTOR = worker_actor("test")


@pytest.fixture
def account() -> Account:
    account = AccountFactory(code="ES-MAIN")
    for hour in (-1, 3, 3, 9, 15, 23, 25):
        at = DAY + timedelta(hours=hour)
        DecisionFactory(account=account, at=at, trade_id=f"T{hour}")
        SnapshotFactory(account=account, at=at)
        PenaltyFactory(account=account, at=at)
    return account


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "exports"


def step(root: Path, *, now: datetime = NEXT_MORNING, seconds: float = 20) -> bool:
    return export_daily_step(root, now=now, deadline=Deadline(seconds), actor=ACTOR)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def expected(account: Account, tmp_path: Path) -> dict[str, bytes]:
    """What `export_mia` writes for that day."""
    folder = tmp_path / "expected"
    tree_export(folder, account=account, period=Period(DAY, DAY + timedelta(days=1)), actor=Actor("system", "test"))
    return files(folder)


def test_it_writes_yesterday_of_every_account(account: Account, root: Path, expected: dict[str, bytes]) -> None:
    AccountFactory(code="ES-TWO")
    assert step(root) is False
    assert files(root / "2025-05-13/ES-MAIN") == expected
    assert len(expected["logs/trading/decision_log.csv"].splitlines()) == 6
    assert len(files(root / "2025-05-13/ES-TWO")) == 5
    assert [path.name for path in root.iterdir() if path.name != ".lock"] == ["2025-05-13"]


def test_a_day_that_is_there_is_left_alone(account: Account, root: Path) -> None:
    step(root)
    (root / "2025-05-13/ES-MAIN/logs/trading/decision_log.csv").write_text("kept")
    entries = Entry.objects.count()
    assert step(root) is False
    assert (root / "2025-05-13/ES-MAIN/logs/trading/decision_log.csv").read_text() == "kept"
    assert Entry.objects.count() == entries


def test_a_day_is_over_ten_minutes_after_midnight(account: Account, root: Path) -> None:
    step(root, now=DAY + timedelta(days=1, minutes=9))
    assert not (root / "2025-05-13").exists() and (root / "2025-05-12").exists()
    step(root, now=DAY + timedelta(days=1, minutes=10))
    assert (root / "2025-05-13").exists()


def test_without_accounts_there_is_nothing_to_write(root: Path) -> None:
    assert step(root) is False
    assert [path.name for path in root.iterdir()] == [".lock"]


def _in_steps(root: Path, between: Callable[[], None] = lambda: None) -> int:
    """Steps whose time is over at once, each of one page, until the day is there."""
    for count in range(1, 100):
        if not step(root, seconds=0):
            return count
        assert not (root / "2025-05-13").exists()
        between()
    raise AssertionError("never done")


def test_many_small_steps_write_the_same_as_one(
    account: Account, root: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    AccountFactory(code="ES-TWO")
    monkeypatch.setattr("risk.export.PAGE_ROWS", 2)
    assert _in_steps(root) > 6
    assert files(root / "2025-05-13/ES-MAIN") == expected
    assert Entry.objects.filter(kind_name="exported", actor="worker:test").count() == 2


def test_what_a_killed_worker_wrote_beyond_its_last_step_is_cut_off(
    account: Account, root: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("risk.export.PAGE_ROWS", 2)

    def kill() -> None:
        log = root / ".2025-05-13.partial/ES-MAIN/logs/trading/penalty_log.csv"
        if log.exists():
            with log.open("ab") as file:
                file.write(b"2025-05-13 03:00:00,True,0.5\n2025-05-")

    _in_steps(root, kill)
    assert files(root / "2025-05-13/ES-MAIN").keys() == expected.keys()
    log = files(root / "2025-05-13/ES-MAIN")["logs/trading/decision_log.csv"]
    assert log == expected["logs/trading/decision_log.csv"]


def test_an_unfinished_day_comes_before_a_newer_one(
    account: Account, root: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("risk.export.PAGE_ROWS", 2)
    assert step(root, seconds=0) is True
    later = NEXT_MORNING + timedelta(days=3)
    assert step(root, now=later) is False
    assert files(root / "2025-05-13/ES-MAIN") == expected
    step(root, now=later)
    assert (root / "2025-05-16").exists()


def test_only_one_writes_at_a_time(account: Account, root: Path) -> None:
    root.mkdir()
    with (root / ".lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert step(root) is False
        assert not (root / "2025-05-13").exists()
    step(root)
    assert (root / "2025-05-13").exists()


# The task


def test_the_task_writes_under_the_data_directory(account: Account, tmp_path: Path, settings: LazySettings) -> None:
    settings.DATA_DIR = tmp_path
    tasks.export_daily()
    yesterday = (database_now() - timedelta(minutes=10)).date() - timedelta(days=1)
    assert (tmp_path / "exports" / yesterday.isoformat() / "ES-MAIN/logs/trading/decision_log.csv").exists()


def test_the_task_asks_for_another_step_and_bears_a_broker_that_is_away(
    account: Account, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    asked: list[str] = []

    def away() -> None:
        asked.append("again")
        raise BrokerError("Error 111 connecting to 127.0.0.1:6379")

    monkeypatch.setattr(tasks, "export_daily_step", lambda *_, **__: True)
    monkeypatch.setattr(tasks.export_daily, "apply_async", away)
    tasks.export_daily()
    assert asked == ["again"]


def test_an_export_that_fails_three_times_raises_an_alert(
    account: Account, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    tries: list[int] = []

    def full(*_: object, **__: object) -> bool:
        tries.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tasks, "export_daily_step", full)
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", lambda _seconds: None)
    with pytest.raises(OSError, match="No space left"):
        tasks.export_daily()
    assert len(tries) == 3
    alert = Alert.objects.get(code="export_failed")
    assert (alert.priority, "No space left" in str(alert.params["error"])) == (3, True)
