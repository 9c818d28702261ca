"""The loop of `manage.py up`: starts the children, reads their output, restarts the dead, ends everything in order."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from mia_site.ops.supervisor.child import Child, Spec, ending
from mia_site.ops.supervisor.console import Console

STOP_SECONDS = 5.0
"""For an orderly end of the processes that do the work; then they are killed (tasks are acknowledged late)."""
STOP_LAST_SECONDS = 2.0
"""For those that end after them."""
IMPATIENT_AFTER_SECONDS = 1.0
"""A second Ctrl-C later than this kills at once; an earlier one is the same key press seen twice."""


def stop_signals() -> list[signal.Signals]:
    """Those that end the desk: not the end of the terminal session if `nohup` said to ignore it."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM] if ignored else [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


Died = Callable[[str, str, int], None]


class Supervisor:
    """Runs `specs` until a stop signal. `died(name, how, starts)` hears of each unexpected end; it must not block."""

    def __init__(self, specs: Sequence[Spec], console: Console, *, log_dir: Path, cwd: Path, died: Died) -> None:
        self._console = console
        self._died = died
        self._children = [Child(spec, log_dir, cwd) for spec in specs]
        self._selector = selectors.DefaultSelector()
        self._signals: list[signal.Signals] = []
        self._stop_asked_at: float | None = None

    def run(self) -> None:
        """Returns when every child has ended. Main thread only (signal handlers, and who the kernel calls parent)."""
        waker, woken = os.pipe()
        for end in (waker, woken):
            os.set_blocking(end, False)
        self._selector.register(waker, selectors.EVENT_READ, None)
        before = {number: signal.signal(number, self._note) for number in (*stop_signals(), signal.SIGCHLD)}
        old_wakeup = signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        try:
            while self._stop_asked_at is None:
                self._turn()
            self._stop()
        finally:
            self._kill(self._children)
            signal.set_wakeup_fd(old_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(waker)
            os.close(woken)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(signal.Signals(number))

    def _turn(self) -> None:
        """One round: start what is due, wait for something to happen, deal with it."""
        self._start_due()
        self._wait(self._seconds_to_next_start())
        self._take_signals()
        self._reap()

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.start_at is None or child.start_at > now:
                continue
            try:
                child.start(now)
            except OSError as error:
                wait = child.restart_after(now)
                self._console.event(child.spec.name, "cannot start", f"{error.strerror}; again in {wait:g} s", bad=True)
                continue
            assert child.output is not None
            self._selector.register(child.output, selectors.EVENT_READ, child)
            self._console.event(child.spec.name, "started" if child.starts == 1 else "restarted", f"pid {child.pid}")

    def _seconds_to_next_start(self) -> float | None:
        due = [child.start_at for child in self._children if child.start_at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _wait(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                while self._drain(key.fd):
                    continue
            else:
                self._read(key.data)

    @staticmethod
    def _drain(descriptor: int) -> bytes:
        try:
            return os.read(descriptor, 512)
        except BlockingIOError:
            return b""

    def _read(self, child: Child) -> None:
        errors, finished = child.read()
        for message in errors:
            if child.is_news(message, time.monotonic()):
                self._console.event(child.spec.name, "error", message, bad=True)
        if finished:
            self._close(child)

    def _close(self, child: Child) -> None:
        if child.output is not None:
            self._selector.unregister(child.output)
            child.output_close()

    def _take_signals(self) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGCHLD:
                continue
            now = time.monotonic()
            if self._stop_asked_at is None:
                self._stop_asked_at = now
                self._console.event("desk", "stopping", f"{number.name}; again to stop at once")
            elif now - self._stop_asked_at > IMPATIENT_AFTER_SECONDS:
                self._console.event("desk", "stopping", f"{number.name} again: at once")
                self._kill(self._children)

    def _reap(self) -> None:
        for child in self._children:
            pid = child.pid
            status = child.ended()
            if status is None:
                continue
            if child.output is not None:
                self._read(child)  # what it said last
            self._close(child)
            how = ending(status)
            if self._stop_asked_at is not None:
                self._console.event(child.spec.name, "stopped", f"pid {pid}, {how}")
                continue
            wait = child.restart_after(time.monotonic())
            detail = f"pid {pid}, {how}; again in {wait:g} s (see {child.log.path})"
            self._console.event(child.spec.name, "died", detail, bad=True)
            self._died(child.spec.name, how, child.starts)

    def _stop(self) -> None:
        for child in self._children:
            child.start_at = None
        self._stop_some([child for child in self._children if not child.spec.last], STOP_SECONDS)
        self._stop_some([child for child in self._children if child.spec.last], STOP_LAST_SECONDS)

    def _stop_some(self, children: list[Child], seconds: float) -> None:
        for child in children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while any(child.pid for child in children):
            left = deadline - time.monotonic()
            if left <= 0:
                self._kill(children)
                return
            self._wait(left)
            self._take_signals()
            self._reap()

    def _kill(self, children: list[Child]) -> None:
        """SIGKILL to every group that still lives, and waits for it: the kernel does not refuse."""
        for child in children:
            child.signal(signal.SIGKILL)
        while any(child.pid for child in children):
            self._wait(0.05)
            self._reap()
