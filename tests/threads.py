"""Several threads at once against one database, each on its own connection."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]], timeout: float = 60.0) -> list[T | Exception]:
    """Runs all calls at the same moment, each in its own thread; returns their answers, or errors raised.

    Needs the fixture `cloned_database`: what the threads write, they commit.
    """
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | Exception:
        start.wait(timeout)
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - handed to the test, which says which errors it expects
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return [future.result(timeout) for future in [pool.submit(run, call) for call in calls]]
