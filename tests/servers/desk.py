"""Fixtures of the desk's processes, all of one test on one cloned database and one data directory."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.conf import settings

from tests.environment import child_environment
from tests.servers.processes import ManagedProcess
from tests.servers.web import WebProcess, start_web
from tests.servers.worker import start_beat, start_worker


class Desk:
    """Starts processes of the desk for a test; `environment` holds what they all read."""

    def __init__(self, database_url: str, data_dir: Path, logs: Path) -> None:
        (data_dir / "static").mkdir(parents=True)
        self.database_url = database_url
        self.data_dir = data_dir
        self.logs = logs
        self.environment: Mapping[str, str] = child_environment(
            DATABASE_URL=database_url,
            MIA_DATA_DIR=str(data_dir),
            # The same keys as in the test itself, so that each can read what the other signed.
            MIA_KEYS_DIR=str(settings.KEYS_DIR),
            MIA_SECRET_KEY=settings.SECRET_KEY,
        )
        self._started: list[ManagedProcess] = []

    def _folder(self) -> Path:
        folder = self.logs / str(len(self._started))
        folder.mkdir(parents=True)
        return folder

    def start_web(self, workers: int = 1, **changes: str) -> WebProcess:
        """gunicorn; `changes` are variables of its environment."""
        web = start_web({**self.environment, **changes}, self._folder(), workers)
        self._started.append(web.process)
        return web

    def start_worker(self, concurrency: int = 2, **changes: str) -> ManagedProcess:
        """A Celery worker; needs the fixture `valkey`."""
        self._started.append(start_worker({**self.environment, **changes}, self._folder(), concurrency))
        return self._started[-1]

    def start_beat(self, **changes: str) -> ManagedProcess:
        """Celery's scheduler; needs the fixture `valkey`."""
        self._started.append(start_beat({**self.environment, **changes}, self._folder()))
        return self._started[-1]

    def stop(self) -> None:
        """Ends all of them, the last started first."""
        while self._started:
            self._started.pop().stop()


@pytest.fixture
def desk_processes(cloned_database: str, tmp_path: Path) -> Iterator[Desk]:
    """Starts what a test asks it to; everything has ended when the test has."""
    desk = Desk(cloned_database, tmp_path / "data", tmp_path / "logs")
    yield desk
    desk.stop()


@pytest.fixture
def web_process(desk_processes: Desk) -> WebProcess:
    """A running web server on the cloned database."""
    return desk_processes.start_web()


@pytest.fixture
def worker_process(desk_processes: Desk, valkey: str) -> ManagedProcess:
    """A running worker on the cloned database and an empty broker."""
    return desk_processes.start_worker()


@pytest.fixture
def beat_process(desk_processes: Desk, valkey: str) -> ManagedProcess:
    """A running scheduler on an empty broker."""
    return desk_processes.start_beat()
