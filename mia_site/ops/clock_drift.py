"""How far the clocks that the desk relies on are apart: the host's, the database's, the broker's."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.db import DatabaseError

from mia_site.ops import heartbeat
from mia_site.ops.clock import database_now

TIME_ERROR = 5
"""Answer of adjtimex(2) while the kernel's clock is not synchronised."""
TIMEX_BYTES = 256


@dataclass(frozen=True, slots=True)
class Clocks:
    """One measurement: `synchronised` None where the system cannot tell; offsets in milliseconds from the host's clock,
    None where the other side did not answer."""

    synchronised: bool | None
    database_offset_ms: float | None
    broker_offset_ms: float | None

    def worst_ms(self) -> float:
        """The larger of the offsets that are known."""
        return max((abs(value) for value in (self.database_offset_ms, self.broker_offset_ms) if value), default=0.0)


def clocks_measure() -> Clocks:
    """Asks the kernel, the database and the broker; each of the latter at the middle of its round trip."""
    return Clocks(
        synchronised=host_synchronised(),
        database_offset_ms=_offset_ms(lambda: database_now().timestamp(), DatabaseError),
        broker_offset_ms=_offset_ms(_broker_time, redis.RedisError),
    )


def host_synchronised() -> bool | None:
    """Whether the kernel's clock is disciplined (adjtimex); None where it cannot be asked."""
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (AttributeError, OSError):
        return None
    return None if answer < 0 else answer != TIME_ERROR


def _broker_time() -> float:
    seconds, microseconds = heartbeat.broker().time()
    return float(seconds) + float(microseconds) / 1e6


def _offset_ms(ask: Callable[[], float], trouble: type[Exception]) -> float | None:
    before = time.time()
    try:
        told = ask()
    except trouble:
        return None
    return round((told - (before + time.time()) / 2) * 1000, 3)
