"""The README, pasted: its commands as they stand there, against a running desk."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from mia_site.ops.clock import database_now
from risk.tasks import check_drawdown
from tests.docs.pages import block, page
from tests.environment import ROOT
from tests.risk.calendars import event, load
from tests.servers.desk import Desk

README = page("README.md")
PORT = "8000"


class Shell:
    """A terminal in the repository's folder; where the README has `.venv` and port 8000, the test has its own."""

    def __init__(self, desk: Desk, url: str) -> None:
        self._environment = dict(desk.environment)
        self.port = url.rpartition(":")[2]

    def paste(self, *commands: str) -> str:
        """What the commands print, one shell for all of them; the first that fails ends the test."""
        here = "\n".join(commands).replace(".venv/bin/python", sys.executable).replace(f":{PORT}", f":{self.port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", here], cwd=ROOT, env=self._environment, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def shell(desk_processes: Desk) -> Shell:
    """A desk as the demo leaves it: with a macro calendar, and a check of the drawdowns just done."""
    load(event(database_now() + timedelta(days=30)))
    check_drawdown()
    return Shell(desk_processes, desk_processes.start_web().url)


def test_a_new_account_gets_its_first_allow_in_one_post_and_a_bot_in_python_the_next(
    shell: Shell, tmp_path: Path
) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(block(README, "python").replace(f":{PORT}", f":{shell.port}"))
    account, ask = block(README, "account"), block(README, "ask")
    printed = shell.paste(account, ask, f"echo; .venv/bin/python {bot}").splitlines()
    answer = json.loads(printed[-2])
    assert (answer["verdict"], answer["effect"], answer["reasons"]) == ("allow", "opens", [])
    assert answer["receipt"]["note"]
    assert re.fullmatch(r"trade, before \S+", printed[-1])


def test_a_bot_whose_desk_is_away_does_not_trade(tmp_path: Path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(block(README, "python").replace(f":{PORT}", ":9"))
    done = subprocess.run([sys.executable, bot], env={"TOKEN": "none"}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("do not trade: ")


def test_the_two_commands_are_each_one_line() -> None:
    run, test = block(README, "run"), block(README, "test")
    assert run.count("\n") == test.count("\n") == 1
    assert run.strip().endswith("manage.py up --demo")
    assert test.strip().endswith("pytest")
