"""The gate's deadline (DESIGN 4.5): it bounds every wait for a lock or a statement, and is checked before COMMIT."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from mia_site.ops.retry import Deadline


@contextmanager
def transaction_within(deadline: Deadline) -> Iterator[None]:
    """A transaction whose locks and statements wait no longer than what is left, and that does not commit late.

    Raises `DeadlineExceeded`, and Django's `OperationalError` where a wait ran out.
    """
    deadline.check()
    milliseconds = max(1, int(deadline.remaining() * 1000))
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
                    [f"{milliseconds}ms", f"{milliseconds}ms"],
                )
            yield
            deadline.check()
        return
    usual = int(connection.settings_dict.get("OPTIONS", {}).get("timeout", 5) * 1000)
    _busy_timeout(milliseconds)
    try:
        with transaction.atomic():
            yield
            deadline.check()
    finally:
        _busy_timeout(usual)


def _busy_timeout(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds:d}")
