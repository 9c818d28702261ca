"""Trying again: outside work with pauses of 2^attempt seconds, the gate's work within a deadline."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import InterfaceError, OperationalError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

Result = TypeVar("Result")
Errors = type[Exception] | tuple[type[Exception], ...]
DATABASE_AWAY = (OperationalError, InterfaceError)
"""Locked, full, gone; and a connection that broke, which Django counts among no `DatabaseError` (catch `Error`)."""


class DeadlineExceeded(TimeoutError):
    """The time that the caller was given is over."""


class Deadline:
    """A point in monotonic time, `seconds` from now; handed down so that each wait knows what is left."""

    __slots__ = ("_clock", "_ends", "seconds")

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._ends - self._clock())

    def check(self) -> None:
        """Raises `DeadlineExceeded` if nothing is left."""
        if self.remaining() <= 0:
            raise DeadlineExceeded(f"not done within {self.seconds:g} s")


def with_retries(
    fn: Callable[[], Result],
    *,
    attempts: int = 3,
    base: float = 2,
    retry_on: Errors = (OSError, *DATABASE_AWAY),
    sleep: Callable[[float], None] | None = None,
) -> Result:
    """Calls `fn` up to `attempts` times, waiting base^1, base^2, … seconds between; raises its last
    exception.

    For work outside requests (files, networks, calculations of the specification): "max 3, délai 2^attempt".
    Exceptions other than `retry_on` leave at once.
    """

    def pause(state: RetryCallState) -> float:
        return float(base**state.attempt_number)

    retrying = Retrying(
        stop=stop_after_attempt(attempts),
        wait=pause,
        retry=retry_if_exception_type(retry_on),
        sleep=sleep or time.sleep,
        reraise=True,
    )
    return retrying(fn)


def retry_within(
    deadline: Deadline,
    fn: Callable[[], Result],
    *,
    retry_on: Errors = DATABASE_AWAY,
    delays: Sequence[float] = (0.02, 0.04, 0.08),
    sleep: Callable[[float], None] | None = None,
) -> Result:
    """Calls `fn` once and once more after each of `delays` (seconds), as long as the deadline leaves room for
    the wait.

    Raises `DeadlineExceeded` if the deadline was over before the first call, else what `fn` raised last.
    Requests use it around their whole transaction, never inside one.
    """
    deadline.check()
    for delay in delays:
        try:
            return fn()
        except retry_on:
            if deadline.remaining() <= delay:
                raise
            (sleep or time.sleep)(delay)
    return fn()
