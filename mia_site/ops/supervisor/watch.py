"""Beside the loop, in a thread: asks the site whether it is ready, and tells when that changes.

Asking can take seconds (a busy database, a site that hangs) and must not hold up the restart of a child.
"""

import http.client
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from mia_site.ops.alerts import alert_raise_outside
from mia_site.ops.supervisor.console import Console
from mia_site.ops.supervisor.texts import DESK_DEGRADED, DESK_NOT_READY

STARTING_POLL_SECONDS = 0.2
POLL_SECONDS = 15.0
PATIENCE = 2
"""So many polls in a row must find trouble before it is told: a process that is just restarting is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``/readyz`` said: `status` ok, degraded or failed (also when nobody answers)."""

    status: str
    detail: str


class Watch(threading.Thread):
    """Daemon thread. `ready()` is called once, in this thread, when ``/readyz`` first answers 200."""

    def __init__(self, console: Console, *, host: str, port: int, host_header: str, ready: Callable[[], None]) -> None:
        super().__init__(name="watch", daemon=True)
        self._console = console
        self._address = (host, port)
        self._host_header = host_header
        self._ready = ready
        self._is_ready = False
        self._stopping = threading.Event()
        self._told = "ok"
        self._seen: deque[str] = deque(maxlen=PATIENCE)

    def stop(self) -> None:
        """Ends the thread soon; it tells nothing more."""
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS if self._is_ready else STARTING_POLL_SECONDS):
            self._look()

    def _look(self) -> None:
        answer = self._ask()
        if self._stopping.is_set():
            return
        if not self._is_ready:
            if answer.status != "failed":
                self._is_ready = True
                self._ready()
            return
        self._seen.append(answer.status)
        if len(set(self._seen)) == 1 and len(self._seen) == PATIENCE and answer.status != self._told:
            self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        self._told = answer.status
        good, bad = answer.status == "ok", answer.status == "failed"
        self._console.event("desk", answer.status, answer.detail, bad=bad, good=good)
        if good:
            return
        code, priority = (DESK_NOT_READY, 5) if bad else (DESK_DEGRADED, 3)
        alert_raise_outside(code, priority=priority, params={"detail": answer.detail}, dedup_key=code)

    def _ask(self) -> Answer:
        connection = http.client.HTTPConnection(*self._address, timeout=10.0)
        try:
            connection.request("GET", "/readyz", headers={"Host": self._host_header, "Connection": "close"})
            body = json.loads(connection.getresponse().read())
            troubles = [f"{name}: {check['detail']}" for name, check in body["checks"].items() if not check["ok"]]
            return Answer(str(body["status"]), "; ".join(troubles))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
            return Answer("failed", f"/readyz: {type(error).__name__} {error}")
        finally:
            connection.close()
