"""The desk's Celery worker and beat, each its own process."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers.processes import ManagedProcess

CELERY = [sys.executable, "-m", "celery", "-A", "mia_site"]


def start_worker(environment: Mapping[str, str], folder: Path, concurrency: int = 2) -> ManagedProcess:
    """Starts a worker; returns once it takes tasks."""
    command = [*CELERY, "worker", "--loglevel", "INFO", "--concurrency", str(concurrency), "--without-mingle"]
    return ManagedProcess.ready("worker", command, environment, folder / "worker.log", line=r"celery@\S+ ready\.")


def start_beat(environment: Mapping[str, str], folder: Path) -> ManagedProcess:
    """Starts the scheduler; returns once it counts its periods."""
    command = [*CELERY, "beat", "--loglevel", "INFO", "--schedule", str(folder / "beat"), "--pidfile="]
    return ManagedProcess.ready("beat", command, environment, folder / "beat.log", line=r"beat: Starting\.\.\.")
