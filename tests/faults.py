"""Faults of the database, made on purpose, and what operations said of themselves meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from mia_site.ops import timings
from mia_site.ops.models import Timing


def timed_operations() -> list[tuple[str, bool]]:
    timings.flush()
    return list(Timing.objects.order_by("id").values_list("operation", "success"))


@contextmanager
def failing_database(error: Exception, *, table: str = "", times: int = 1_000) -> Iterator[list[str]]:
    """Statements that name `table` fail with `error`, the first `times` of them; yields those that failed."""
    failed: list[str] = []

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql and len(failed) < times:
            failed.append(sql)
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield failed
