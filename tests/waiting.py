"""Waiting for something to become true in another process or thread, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
INTERVAL = 0.02
PATIENCE = 60.0
"""Seconds, on a machine that is busy with other tests: only a test that fails waits so long."""


def wait_for(condition: Callable[[], T | None], timeout: float = PATIENCE, what: str = "") -> T:
    """Asks `condition` until its answer is true, and returns that answer.

    `timeout` in seconds; raises AssertionError naming `what` was waited for. Measured by `perf_counter`,
    which a test that travels in time leaves alone.
    """
    deadline = time.perf_counter() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.perf_counter() >= deadline:
            name = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"not within {timeout:g} s: {name}")
        time.sleep(INTERVAL)
