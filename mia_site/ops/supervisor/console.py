"""One line per process event on the terminal: time, process, event, details. The same line goes to
``log/up.log``.
"""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from mia_site.ops.supervisor.logfile import RotatingLog

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
NAME_COLOURS = ("\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[33m", "\x1b[32m", "\x1b[96m")
GOOD, BAD, QUIET = "\x1b[32m", "\x1b[31m", "\x1b[2m"


def colours_wanted(stream: TextIO) -> bool:
    """Colour only for a person: NO_COLOR wins (no-color.org), then FORCE_COLOR, then whether it is a
    terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty()


class Console:
    """Writes events. A terminal that goes away silences it, and the desk runs on."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        log: RotatingLog | None = None,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._stream: TextIO | None = stream or sys.stdout
        self._colour = colours_wanted(self._stream) if self._stream else False
        self._log = log
        self._now = now
        self._names: dict[str, str] = {}

    def event(
        self, name: str, event: str, detail: str = "", *, bad: bool = False, good: bool = False
    ) -> None:
        """Process `name`, what happened in a word or two, and the rest of the sentence."""
        time = self._now().strftime("%H:%M:%S")
        if self._log is not None:
            stamp = self._now().isoformat(timespec="seconds")
            self._log.write(f"{stamp} {name} {event} {detail}".rstrip().encode() + b"\n")
        tone = BAD if bad else GOOD if good else ""
        self.line(
            f"{self._paint(time, QUIET)}  {self._paint(f'{name:<8}', self._name_colour(name))} "
            f"{self._paint(event, tone)}  {detail}".rstrip()
        )

    def line(self, text: str) -> None:
        """Text for the terminal alone: it never reaches a file of the desk (the administrator's first
        password).
        """
        if self._stream is None:
            return
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None  # the terminal is gone; processes matter more than lines about them

    def bold(self, text: str) -> str:
        return self._paint(text, BOLD)

    def _name_colour(self, name: str) -> str:
        return self._names.setdefault(name, NAME_COLOURS[len(self._names) % len(NAME_COLOURS)])

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{RESET}" if self._colour and colour else text
