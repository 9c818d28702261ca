"""A progress bar for the terminal: share, rows a second, time left. Quiet where nobody looks."""

import time
from typing import Protocol, TextIO

WIDTH = 30


class Running(Protocol):
    """A long piece of work: how many rows it has read, and in which part of it it is."""

    checked: int

    @property
    def stage(self) -> str: ...


class Progress:
    """Drawn on `stream` if that is a terminal. `total` may be passed by while rows arrive."""

    def __init__(self, stream: TextIO, total: int, *, begun: int = 0) -> None:
        self._stream = stream if stream.isatty() else None
        self._total = max(total, 1)
        self._begun = begun
        self._started = time.perf_counter()

    def step(self, run: Running) -> None:
        """After each stretch."""
        if self._stream is None:
            return
        share = min(run.checked / self._total, 1.0)
        rate = (run.checked - self._begun) / max(time.perf_counter() - self._started, 1e-6)
        left = (self._total - run.checked) / rate if rate and share < 1 else 0
        bar = "#" * round(WIDTH * share)
        line = f"[{bar:<{WIDTH}}] {share:4.0%}  {run.checked:,} rows  {rate:,.0f}/s  {left:,.0f} s  {run.stage[:30]}"
        self._stream.write(f"\r{line:<110}")
        self._stream.flush()

    def end(self) -> None:
        """Leaves the terminal on a new line."""
        if self._stream is not None:
            self._stream.write("\n")
