"""One supervised process: started in a session of its own, its output kept in a file, its whole group ended with it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mia_site.ops.supervisor import launch
from mia_site.ops.supervisor.logfile import RotatingLog

BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STEADY_SECONDS = 60.0
"""A child that ran this long starts again at the shortest wait."""
CHUNK = 65536
MAX_CHUNKS = 16
MAX_LINE = 8192
REPEAT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run. `last`: ends after the others have (they still speak to it)."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    inherit: tuple[int, ...] = ()
    last: bool = False


class Child:
    """Lifecycle of one process; the supervisor decides when, this does it. Times are monotonic seconds."""

    def __init__(self, spec: Spec, log_dir: Path, cwd: Path) -> None:
        self.spec = spec
        self.log = RotatingLog(log_dir / f"{spec.name}.log")
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._tail = b""
        self._started_at = 0.0
        self._failures = 0
        self.output: int | None = None
        self.starts = 0
        self.last_error = ("", 0.0)
        """What was told last, and when: the same again within a minute is left to the log."""
        self.start_at: float | None = 0.0
        """When to start; None while it runs or shall not run again."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, now: float) -> None:
        """Starts the command in its own session: a terminal's Ctrl-C reaches the supervisor alone."""
        self._started_at = now
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        shim = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - commands of plan.py
                [*shim, *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                cwd=self._cwd,
                env={**os.environ, **self.spec.environment},
                pass_fds=self.spec.inherit,
                start_new_session=True,
            )
        except OSError:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self.output, self.start_at = reader, None
        self.starts += 1

    def read(self) -> tuple[list[str], bool]:
        """(complete lines that are errors, whether the output has ended); everything goes to the log file."""
        assert self.output is not None
        errors: list[str] = []
        for _ in range(MAX_CHUNKS):  # a child that talks without end must not starve the others
            try:
                data = os.read(self.output, CHUNK)
            except BlockingIOError:
                break
            if not data:
                return errors, True
            self.log.write(data)
            errors += self._errors(data)
        return errors, False

    def _errors(self, data: bytes) -> Iterator[str]:
        *lines, tail = (self._tail + data).split(b"\n")
        self._tail = tail[-MAX_LINE:]
        for line in lines:
            if message := error_of(line):
                yield message

    def is_news(self, message: str, now: float) -> bool:
        """False for the error that was told last, less than a minute ago; notes it otherwise."""
        text, told_at = self.last_error
        if message == text and now - told_at < REPEAT_SECONDS:
            return False
        self.last_error = (message, now)
        return True

    def output_close(self) -> None:
        if self.output is not None:
            os.close(self.output)
            self.output = None

    def ended(self) -> int | None:
        """Its exit status (negative: the signal) once it has ended; whatever it left in its group is killed then.

        The group is killed before the status is collected, while its number cannot belong to anybody else.
        """
        if self._process is None:
            return None
        if hasattr(os, "waitid"):
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            self.signal(signal.SIGKILL)
        status = self._process.poll()
        if status is not None:
            self._process = None
        return status

    def restart_after(self, now: float) -> float:
        """Seconds to wait before the next start; also notes that start."""
        if now - self._started_at >= STEADY_SECONDS:
            self._failures = 0
        wait = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        self.start_at = now + wait
        return wait

    def signal(self, number: signal.Signals) -> None:
        """To the process for an orderly end, to its whole group for SIGKILL."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended meanwhile
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                os.kill(self._process.pid, number)


def error_of(line: bytes) -> str:
    """The message of a log line of level error or worse, as our processes write them (JSON), with an alert's sentence,
    on one line; else empty."""
    if not line.startswith(b"{"):
        return ""
    try:
        record = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(record, dict) or record.get("level") not in ("error", "critical"):
        return ""
    exception = str(record.get("exception") or "").strip().splitlines()
    told = [str(record.get("event", "")), str(record.get("text") or ""), *exception[-1:]]
    return " ".join(" ".join(told).split())[:300]


def ending(status: int) -> str:
    """How it ended, for people: ``exit 3``, ``SIGKILL``."""
    if status >= 0:
        return f"exit {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
