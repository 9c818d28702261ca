"""The desk's web server as it runs in production: gunicorn with the desk's own configuration."""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import ManagedProcess
from tests.waiting import PATIENCE, wait_for


@dataclass(frozen=True)
class WebProcess:
    """A running web server; `url` has no slash at its end."""

    url: str
    process: ManagedProcess


def _answers(url: str) -> bool:
    """Any answer counts, a refusal too: the process is there and the application loaded."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def start_web(environment: Mapping[str, str], folder: Path, workers: int = 1) -> WebProcess:
    """Starts gunicorn on a port that the system chooses; returns once it answers."""
    command = [
        sys.executable, "-m", "gunicorn", "mia_site.wsgi:application", "--config", "python:mia_site.gunicorn_conf",
        "--bind", "127.0.0.1:0", "--workers", str(workers), "--access-logfile", "-",
    ]  # fmt: skip
    line = r"Listening at: (http://127\.0\.0\.1:\d+)"
    process = ManagedProcess.ready("gunicorn", command, environment, folder / "web.log", line=line)
    url = process.wait_for_line(line)[1]
    try:
        wait_for(lambda: _answers(f"{url}/healthz"), what=f"an answer from {url}")
    except AssertionError as error:
        error.add_note(process.output())
        process.stop()
        raise
    return WebProcess(url, process)
