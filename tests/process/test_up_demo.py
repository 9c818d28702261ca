"""`manage.py up --demo` with real MIA files going in beside it: the first hour of somebody who tries the desk."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.process.bot import Bot
from tests.process.desk_up import DeskUp
from tests.waiting import wait_for

FILE = re.compile(r"(\S+)(?: \(\w+\))?: read (\d+), imported (\d+), unchanged (\d+), rejected (\d+)")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskUp]:
    """A desk with its demo, on a fresh machine."""
    desk = DeskUp(tmp_path_factory.mktemp("demo"))
    desk.start("--demo")
    yield desk
    desk.stop()


def manage(desk: DeskUp, *arguments: str, status: int = 0) -> str:
    """What a command prints beside the running desk."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    told = subprocess.run(
        command, env=desk.environment(), capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )
    assert told.returncode == status, told.stderr
    return told.stdout


def demo_bot(desk: DeskUp) -> Bot:
    token = (desk.data_dir / "demo" / "bot.token").read_text()
    return Bot(f"http://127.0.0.1:{desk.port}", "ES-DEMO", token)


def ready_question_allowed(desk: DeskUp) -> bool:
    """The question that the terminal offers to paste."""
    question = json.loads((desk.data_dir / "demo" / "ask.json").read_text())
    return bool(demo_bot(desk).post("decisions/", question).body["verdict"] == "allow")


def test_the_question_on_the_terminal_is_allowed(desk: DeskUp) -> None:
    assert "ask it" in desk.running.output()
    wait_for(
        lambda: ready_question_allowed(desk),
        what="the question to be allowed, at its first try or, on a busy machine, soon",
    )


def test_real_files_go_in_once_and_the_desk_judges_by_them(desk: DeskUp, shared_data: Path) -> None:
    manage(desk, "create_account", "ES-MAIN", "--initial-balance", "50000")
    arguments = ["import_mia", str(shared_data), "--account", "ES-MAIN", "--timezone", "America/New_York"]
    first = manage(desk, *arguments, status=1)
    files = {name: tuple(map(int, counts)) for name, *counts in FILE.findall(first)}
    assert set(files) == {path.name for path in shared_data.iterdir()}
    assert [name for name, counts in files.items() if counts[3]] == ["market_memory_not_a_database.db"]
    assert "market_memory_not_a_database.db is not an SQLite database" in first
    assert all(read == imported for read, imported, _, rejected in files.values() if not rejected)

    again = manage(desk, *arguments, status=1)
    assert [name for name, _, imported, *_ in FILE.findall(again) if imported != "0"] == []

    token = manage(desk, "create_client", "main-bot", "--account", "ES-MAIN").splitlines()[-1]
    manage(desk, "limits", "set", "ES-MAIN", "max_drawdown=0.05", "--reason", "tighter than MIA's 0.10")
    bot = Bot(f"http://127.0.0.1:{desk.port}", "ES-MAIN", token)
    for drawdown, stop in ((0.05, False), (0.06, True)):
        answer = bot.post("risk/stop-trading", {"account": "ES-MAIN", "drawdown": drawdown})
        assert (answer.status, answer.body["stop"]) == (201, stop)
    for at, blocked in (("2025-05-07T18:05:00Z", True), ("2025-05-07T17:29:59Z", False)):
        answer = bot.post("risk/block-trade", {"account": "ES-MAIN", "instrument": "ES", "at": at})
        assert (answer.status, answer.body["blocked"]) == (200, blocked)
        assert ("FOMC" in str(answer.body["reasons"])) == blocked
    row = bot.get("decisions/?page_size=500&origin=imported").body["results"]
    assert any(item["context"] and item["signal_score"] is not None and item["reason"] for item in row)
    told = manage(desk, "verify_audit", "--deep")
    assert "whole" in told
    # The files brought another feature set: the demo's bot asks by it from its next report on.
    wait_for(lambda: ready_question_allowed(desk), what="the ready question to fit")
