"""The deadline of a request (DESIGN 4.5): it bounds every wait for a lock or a statement, is checked before COMMIT, and
each answer is counted by whether it kept it.

What missed it was not recorded, so nothing in the database tells of it: a counter of the process does, a line in the
log, and an alert that is written outside the transaction, once the database answers again.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum

from django.conf import settings
from django.db import Error, connection, transaction
from django.utils.translation import gettext_noop
from prometheus_client import Counter

from mia_site.ops.alerts import alert_raise_outside
from mia_site.ops.retry import Deadline, DeadlineExceeded

TROUBLE = (Error, DeadlineExceeded, OSError)
"""What keeps an answer from being recorded."""
TEXTS = {
    "deadline_missed": gettext_noop(
        "%(account)s: %(operation)s was not answered within %(milliseconds)s ms (%(error)s)"
    ),
}
COUNTED = Counter("mia_deadline_total", "Answers that have a deadline, by what became of it", ["operation", "outcome"])


class Kept(StrEnum):
    """What became of a deadline. `LATE`: recorded, but COMMIT itself took longer; `FAILED`: in time, yet without the
    database."""

    KEPT = "kept"
    LATE = "late"
    MISSED = "missed"
    FAILED = "failed"


def answer_deadline() -> Deadline:
    """The time from now in which a bot is answered."""
    return Deadline(settings.MIA_DEADLINE_MS / 1000)


@contextmanager
def transaction_within(deadline: Deadline) -> Iterator[None]:
    """A transaction whose locks and statements wait no longer than what is left, and that does not commit late.

    Raises `DeadlineExceeded`, and Django's `OperationalError` where a wait ran out.
    """
    with _waits_within(deadline), transaction.atomic():
        _statements_within(deadline)
        yield
        deadline.check()


@contextmanager
def reading_within(deadline: Deadline) -> Iterator[None]:
    """As `transaction_within`, for reads alone: on SQLite, where they wait for nobody, no transaction locks the
    database for them."""
    with _waits_within(deadline), transaction.atomic() if connection.vendor == "postgresql" else nullcontext():
        _statements_within(deadline)
        yield
        deadline.check()


@contextmanager
def _waits_within(deadline: Deadline) -> Iterator[None]:
    """On SQLite how long a lock is waited for, which is the connection's."""
    deadline.check()
    if connection.vendor == "postgresql":
        yield
        return
    usual = int(connection.settings_dict.get("OPTIONS", {}).get("timeout", 5) * 1000)
    _busy_timeout(_milliseconds(deadline))
    try:
        yield
    finally:
        _busy_timeout(usual)


def _statements_within(deadline: Deadline) -> None:
    """On PostgreSQL how long a lock, and each statement, is waited for, which is the transaction's."""
    if connection.vendor == "postgresql":
        wait = f"{_milliseconds(deadline)}ms"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)", [wait, wait]
            )


def _milliseconds(deadline: Deadline) -> int:
    """What is left, at least 1: to PostgreSQL 0 means without end."""
    return max(1, math.ceil(deadline.remaining() * 1000))


@contextmanager
def deadline_watch(operation: str, deadline: Deadline, *, account: str = "") -> Iterator[None]:
    """Counts what the block made of its deadline, and alerts where the bot was left without an answer in time.

    Stands around the transaction and its retries, never inside: the alert outlives what is rolled back.
    """
    try:
        yield
    except TROUBLE as error:
        over = missed(deadline, error)
        COUNTED.labels(operation, Kept.MISSED if over else Kept.FAILED).inc()
        if over:
            _missed_alert(operation, deadline, account, type(error).__name__)
        raise
    over = not deadline.remaining()
    COUNTED.labels(operation, Kept.LATE if over else Kept.KEPT).inc()
    if over:
        _missed_alert(operation, deadline, account, "-")


def missed(deadline: Deadline, error: BaseException) -> bool:
    """Whether it was the deadline that `error` came from: a wait that ran out leaves nothing of it."""
    return isinstance(error, DeadlineExceeded) or not deadline.remaining()


def _missed_alert(operation: str, deadline: Deadline, account: str, error: str) -> None:
    """One alert for as long as nobody looks at it: `repeats` counts the answers that followed."""
    alert_raise_outside(
        "deadline_missed", priority=4, account=account, dedup_key=operation,
        params={"operation": operation, "milliseconds": round(deadline.seconds * 1000), "error": error},
    )  # fmt: skip


def _busy_timeout(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds:d}")
