"""`manage.py up` as a newcomer starts it, and a look at what it started."""

import http.client
import json
import re
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from tests.environment import ROOT, child_environment, free_port
from tests.servers.processes import ManagedProcess
from tests.waiting import PATIENCE, wait_for

STARTED = r"{name} +(?:re)?started +pid (\d+)"


class DeskUp:
    """One data directory, and the desk that runs on it now; `stop` it before starting it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.port = free_port()
        self.process: ManagedProcess | None = None
        self.runs = 0

    def environment(self, **changes: str) -> dict[str, str]:
        """What a newcomer's shell has: neither a database nor a Redis of its own."""
        plain = dict(child_environment(MIA_DATA_DIR=str(self.data_dir)))
        for name in ("DATABASE_URL", "REDIS_URL"):
            plain.pop(name, None)
        return {**plain, **changes}

    def launch(self, *arguments: str, **changes: str) -> ManagedProcess:
        """Runs `manage.py up` on `self.port`; returns at once."""
        self.runs += 1
        command = [
            sys.executable,
            str(ROOT / "manage.py"),
            "up",
            "--port",
            str(self.port),
            *arguments,
        ]
        log = self.folder / f"up-{self.runs}.log"
        return ManagedProcess("up", command, self.environment(**changes), log)

    def start(self, *arguments: str, **changes: str) -> ManagedProcess:
        """Runs `manage.py up`; returns once it says that the desk is ready."""
        self.process = self.launch(*arguments, **changes)
        try:
            self.process.wait_for_line(r"desk +ready", 180)
        except BaseException:
            self.process.kill()
            raise
        return self.process

    @property
    def running(self) -> ManagedProcess:
        assert self.process is not None, "start it first"
        return self.process

    def pid(self, name: str) -> int:
        """Process id of the child `name`, as last printed."""
        return int(re.findall(STARTED.format(name=name), self.running.output())[-1])

    def family(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        leader = psutil.Process(self.running.pid)
        return [leader, *leader.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGINT, timeout: float = 20.0) -> int:
        return self.running.stop(number, timeout)

    def get(self, path: str, timeout: float = 10.0) -> tuple[int, http.client.HTTPMessage, str]:
        """(status, headers, body) of the site's answer; OSError where nobody answers."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()

    def health(self) -> dict[str, Any]:
        """The body of /readyz, whatever its status."""
        answer: dict[str, Any] = json.loads(self.get("/readyz")[2])
        return answer

    def wait_until_whole(self, timeout: float = PATIENCE) -> None:
        """Until /readyz says ok: each process has given a sign of life."""
        wait_for(lambda: self._status() == "ok", timeout, what=f"status ok, last: {self.health()}")

    def _status(self) -> str:
        try:
            return str(self.health()["status"])
        except OSError:
            return "nobody answers"

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Reads or changes the desk's SQLite database beside the desk."""
        with closing(sqlite3.connect(self.data_dir / "mia.sqlite3", timeout=20)) as connection:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows


def gone(processes: list[psutil.Process]) -> bool:
    """None of them runs any more (a zombie that nobody has collected does not run)."""
    return not [process for process in processes if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
