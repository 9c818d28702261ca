"""Settings for production."""

import secrets
import subprocess
import sys
from pathlib import Path

from tests.environment import ROOT, child_environment


def _check(**changes: str) -> subprocess.CompletedProcess[str]:
    return _manage("check", "--deploy", "--fail-level", "WARNING", **changes)


def _manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=child_environment(**changes),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_has_nothing_to_say_with_tls(tmp_path: Path) -> None:
    result = _check(MIA_HTTPS="1", MIA_SECRET_KEY=secrets.token_urlsafe(50), MIA_DATA_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_a_wrong_value_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    result = _check(MIA_LOG_FORMAT="xml", MIA_DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr == "Cannot start: MIA_LOG_FORMAT is 'xml'; expected one of auto, json, console\n"


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = _check(MIA_DATA_DIR=str(tmp_path / "file"))
    assert result.returncode == 1
    assert result.stderr == f"Cannot start: {tmp_path / 'file'}/secrets/django cannot be used: Not a directory\n"


def test_a_database_that_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "mia.sqlite3").write_text("trade notes, not a database " * 200)
    result = _manage("halt", "--desk", "--reason", "x", DATABASE_URL="", MIA_DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    said = "cannot be used: file is not a database (--traceback says where)"
    assert result.stderr == f"The database {tmp_path / 'mia.sqlite3'} {said}\n"


def test_a_data_directory_without_a_desk_gets_no_backup(tmp_path: Path) -> None:
    result = _manage("backup", str(tmp_path / "copy"), DATABASE_URL="", MIA_DATA_DIR=str(tmp_path / "elsewhere"))
    assert result.returncode == 1
    assert f"The database {tmp_path / 'elsewhere' / 'mia.sqlite3'} is empty: is it the desk's?" in result.stderr
    assert not (tmp_path / "copy").exists()
