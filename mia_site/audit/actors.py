"""Who did it. Stored as text in every fact, so that it outlives the row of the person or client."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ActorKind = Literal["user", "client", "worker", "command", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind:name`. Staff by number (``user:3``: no names in what is hashed), workers with their task."""

    kind: ActorKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def user_actor(user_id: object) -> Actor:
    """A person, by number."""
    return Actor("user", str(user_id))


def client_actor(client_id: object) -> Actor:
    """An API client, by number."""
    return Actor("client", str(client_id))


def worker_actor(task: str) -> Actor:
    """A worker, by the task it ran."""
    return Actor("worker", task)


def command_actor(command: str) -> Actor:
    """A management command, with the number of the operating-system user who ran it."""
    uid = str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
    return Actor("command", f"{command}:uid{uid}")


_current: ContextVar[Callable[[], Actor] | None] = ContextVar("mia_actor", default=None)


@contextmanager
def actor_bound(ask: Callable[[], Actor]) -> Iterator[None]:
    """Who acts in this context; asked only where somebody wants to know."""
    token = _current.set(ask)
    try:
        yield
    finally:
        _current.reset(token)


def current_actor() -> Actor:
    """Who acts here: whom the request or task was bound to, else the program that runs."""
    ask = _current.get()
    return command_actor(Path(sys.argv[1] if len(sys.argv) > 1 else sys.argv[0]).name[:64]) if ask is None else ask()
