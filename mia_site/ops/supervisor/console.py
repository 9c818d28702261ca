"""One line per process event on the terminal: time, process, event, details. The same line goes to ``log/up.log``."""

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from mia_site.ops.supervisor.logfile import RotatingLog

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
NAME_COLOURS = ("\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[33m", "\x1b[32m", "\x1b[96m")
GOOD, BAD, QUIET = "\x1b[32m", "\x1b[31m", "\x1b[2m"
MAX_WAITING_LINES = 1_000
CLOSE_SECONDS = 2.0


def colours_wanted(stream: TextIO) -> bool:
    """Colour only for a person: NO_COLOR wins (no-color.org), then FORCE_COLOR, then whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty()


class Console:
    """Writes events from any thread. A terminal that is gone or held (Ctrl-S) loses lines; it never stops the desk."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        log: RotatingLog | None = None,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._stream = stream or sys.stdout
        self._colour = colours_wanted(self._stream)
        self._log = log
        self._now = now
        self._names: dict[str, str] = {}
        self._lines: queue.Queue[str | None] = queue.Queue(MAX_WAITING_LINES)
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Waits, but not for ever, until the terminal has shown what was said."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._writer.join(CLOSE_SECONDS)

    def event(self, name: str, event: str, detail: str = "", *, bad: bool = False, good: bool = False) -> None:
        """Process `name`, what happened in a word or two, and the rest of the sentence."""
        time = self._now().strftime("%H:%M:%S")
        if self._log is not None:
            stamp = self._now().isoformat(timespec="seconds")
            self._log.write(f"{stamp} {name} {event} {detail}".rstrip().encode() + b"\n")
        tone = BAD if bad else GOOD if good else ""
        self.line(
            f"{self._paint(time, QUIET)}  {self._paint(f'{name:<9}', self._name_colour(name))} "
            f"{self._paint(event, tone)}  {detail}".rstrip()
        )

    def line(self, text: str) -> None:
        """Text for the terminal alone: it never reaches a file of the desk (the administrator's first password)."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(text)

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            try:
                self._stream.write(text + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # closed: nobody looks any more, and the log has the events
                return

    def bold(self, text: str) -> str:
        return self._paint(text, BOLD)

    def _name_colour(self, name: str) -> str:
        return self._names.setdefault(name, NAME_COLOURS[len(self._names) % len(NAME_COLOURS)])

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{RESET}" if self._colour and colour else text
