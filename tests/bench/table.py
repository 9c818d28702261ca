"""How a benchmark says what it measured: a table, and each promised ratio with its bound."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """A ratio of two measured figures; it holds at `most` or below."""

    name: str
    ratio: float
    most: float

    @property
    def holds(self) -> bool:
        return self.ratio <= self.most


def median_of(work: Callable[[], object], *, calls: int, rounds: int = 5) -> float:
    """Seconds of one call of `work`: the median of `rounds` averages over `calls`, after one round to warm up."""
    return statistics.median(_averages(work, calls, rounds))


def least_of(work: Callable[[], object], *, calls: int, rounds: int = 7) -> float:
    """As `median_of`, the shortest average instead: of work that only takes time, what else runs only adds to it."""
    return min(_averages(work, calls, rounds))


def _averages(work: Callable[[], object], calls: int, rounds: int) -> list[float]:
    averages = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        for _ in range(calls):
            work()
        averages.append((time.perf_counter() - start) / calls)
    return averages[1:]


def show(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints the rows under their header, the first column to the left and the others to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        first, *others = (
            cell.ljust(width) if not n else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)).rstrip())


def verdict(promises: Sequence[Promise]) -> int:
    """Prints what was promised and what it is; 0 where every promise holds, else 1."""
    show(
        ("promise", "measured", "at most", ""),
        [
            (promise.name, f"{promise.ratio:.3g}", f"{promise.most:g}", "ok" if promise.holds else "MISSED")
            for promise in promises
        ],
    )
    return 0 if all(promise.holds for promise in promises) else 1
