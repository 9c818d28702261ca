"""Signs of life of beat and worker: each leaves the time of its last pulse in the broker, where the site reads it.

Beat marks when it sends the pulse, a worker when it runs it. In Redis rather than in the database, since it is worth
nothing a minute later, and without a broker neither process does anything anyway.
"""

import time
from dataclasses import dataclass
from typing import Any

import redis
from celery import shared_task
from celery.signals import after_task_publish
from django.conf import settings

TASK = "mia_site.ops.heartbeat.pulse"
LATE_SECONDS = 45.0
KEYS = {"beat": "mia:pulse:beat", "worker": "mia:pulse:worker"}
KEEP_SECONDS = 24 * 3600
TIMEOUT_SECONDS = 0.5

_client: redis.Redis | None = None


def broker() -> redis.Redis:
    """This process's client of the broker; it connects on first use and gives up after half a second."""
    global _client  # noqa: PLW0603 - one pool per process
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
    return _client


def broker_forget() -> None:
    """Drops this process's client, so that the next use reads the settings again; for tests."""
    global _client  # noqa: PLW0603 - see above
    _client = None


@shared_task(name=TASK)
def pulse() -> None:
    """Marks that a worker took a task that beat sent. Idempotent."""
    broker().set(KEYS["worker"], time.time(), ex=KEEP_SECONDS)


@after_task_publish.connect(sender=TASK, dispatch_uid="mia-pulse")
def _pulse_sent(**_: Any) -> None:
    broker().set(KEYS["beat"], time.time(), ex=KEEP_SECONDS)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Seconds since the last sign of life of a `process` (beat, worker); None if there never was one."""

    process: str
    age: float | None


def pulses() -> list[Pulse]:
    """Reads the marks. Raises `redis.RedisError` when the broker does not answer."""
    values = broker().mget(list(KEYS.values()))
    now = time.time()
    return [
        Pulse(process, None if value is None else max(0.0, now - float(value)))
        for process, value in zip(KEYS, values, strict=True)
    ]
