"""Settings for production."""

import secrets
import subprocess
import sys
from pathlib import Path

from tests.environment import ROOT, child_environment


def _check(**changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
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
