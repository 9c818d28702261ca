"""What the terminal of `manage.py up` shows."""

import io
from datetime import datetime
from pathlib import Path

import pytest

from mia_site.ops.supervisor.console import Console
from mia_site.ops.supervisor.logfile import RotatingLog


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def said(stream: io.StringIO, *, log: RotatingLog | None = None) -> str:
    console = Console(stream, log=log, now=lambda: datetime(2026, 3, 2, 9, 30, 5))
    console.event("web", "started", "pid 12")
    console.line("admin / secret")
    console.close()
    return stream.getvalue()


def test_a_line_has_time_process_event_and_pid() -> None:
    assert said(io.StringIO()).splitlines()[0] == "09:30:05  web       started  pid 12"


def test_a_terminal_gets_colours_and_a_pipe_does_not() -> None:
    assert "\x1b[" in said(Terminal())
    assert "\x1b[" not in said(io.StringIO())


def test_no_color_wins_over_a_terminal_and_over_force_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in said(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in said(Terminal())


def test_events_reach_the_log_and_lines_for_the_terminal_do_not(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "up.log")
    said(io.StringIO(), log=log)
    assert log.path.read_text() == "2026-03-02T09:30:05 web started pid 12\n"


def test_a_terminal_that_went_away_stops_nothing() -> None:
    stream = io.StringIO()
    console = Console(stream)
    stream.close()
    console.event("web", "started")
    console.event("web", "died")
    console.close()
