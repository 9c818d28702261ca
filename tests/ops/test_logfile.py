"""Log files of bounded size."""

import stat
from pathlib import Path

from mia_site.ops.supervisor.logfile import RotatingLog


def test_it_rotates_by_size_and_keeps_the_newest(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "log" / "web.log", max_bytes=10, keep=2)
    for number in range(1, 6):
        log.write(f"line {number}\n".encode())
    log.close()
    contents = {path.name: path.read_text() for path in (tmp_path / "log").iterdir()}
    assert contents == {"web.log": "line 5\n", "web.log.1": "line 4\n", "web.log.2": "line 3\n"}


def test_it_goes_on_where_an_earlier_run_stopped(tmp_path: Path) -> None:
    for _ in range(2):
        log = RotatingLog(tmp_path / "web.log", max_bytes=100)
        log.write(b"started\n")
        log.close()
    assert (tmp_path / "web.log").read_text() == "started\nstarted\n"


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log")
    log.write(b"x")
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_loses_lines_and_says_how_much(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = RotatingLog(tmp_path / "file" / "web.log")
    log.write(b"12345")
    assert log.lost == 5
