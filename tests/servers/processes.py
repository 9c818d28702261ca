"""One process that a test starts: its output goes to a file, and it never outlives the test."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.environment import ROOT
from tests.waiting import wait_for

TAIL = 4_000


class ManagedProcess:
    """Started in a session of its own, so that stopping it also ends what it started."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                list(command),
                cwd=ROOT if user is None else log.parent,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
            )

    @classmethod
    def ready(
        cls,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        line: str,
        timeout: float = 60.0,
    ) -> Self:
        """Started, and returned once it has printed `line` (a regular expression); ended if it never does."""
        process = cls(name, command, environment, log)
        try:
            process.wait_for_line(line, timeout)
        except BaseException:
            process.kill()
            raise
        return process

    @property
    def pid(self) -> int:
        return self._popen.pid

    def is_running(self) -> bool:
        return self._popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for_line(self, pattern: str, timeout: float = 60.0) -> re.Match[str]:
        """The first match of a regular expression in what the process has printed.

        Raises AssertionError with the end of its output if it ends or stays silent for `timeout` seconds.
        """

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.output())
            if match is None and not self.is_running():
                raise AssertionError(f"{self.name} ended with {self._popen.returncode}:\n{self.output()[-TAIL:]}")
            return match

        try:
            return wait_for(found, timeout, what=f"{pattern!r} from {self.name}")
        except AssertionError as error:
            error.add_note(self.output()[-TAIL:])
            raise

    def wait(self, timeout: float = 30.0) -> int:
        """Its exit status, once it has ended by itself; subprocess.TimeoutExpired if it does not."""
        return self._popen.wait(timeout)

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout: float = 20.0) -> int:
        """Asks it to end, then makes sure that nothing of it is left. Returns its exit status."""
        if self.is_running():
            self._popen.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout)
        self.kill()
        return self._popen.returncode

    def kill(self) -> None:
        """SIGKILL to it and to what it started: what a power cut looks like to the database."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(10)
