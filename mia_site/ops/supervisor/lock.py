"""One `up` per data directory, and one address per `up`."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BACKLOG = 1024
PREDECESSOR_SECONDS = 3.0
"""How long a start waits for a predecessor that is just ending to let go of its lock and port."""


class Refused(Exception):
    """The desk cannot start here; the text says why and what to do."""


@contextmanager
def data_dir_lock(data_dir: Path) -> Iterator[None]:
    """Holds `data_dir` for this process; the lock goes with the process, however it ends.

    Raises `Refused`, naming the process that holds it.
    """
    path = data_dir / "up.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _within(PREDECESSOR_SECONDS, lambda: _flock(descriptor)):
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "?"
            raise Refused(
                f"Another desk (process {holder}) runs on {data_dir}. Stop it first, "
                "or give --data-dir another directory."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def listener_open(host: str, port: int) -> socket.socket:
    """A listening socket, which the web server inherits, also after a restart: no request is refused meanwhile.

    It listens at once, since two sockets may be bound to one port until one of them does. Raises `Refused`.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise Refused(f"Cannot listen on {host} port {port}: {error.strerror}.") from error
    listener: list[socket.socket] = []
    if not _within(PREDECESSOR_SECONDS, lambda: _listen(listener, family, address)):
        raise Refused(f"Port {port} on {host} is in use. Stop what runs there, or give --port another number.")
    return listener[0]


def _listen(found: list[socket.socket], family: int, address: tuple[object, ...]) -> bool:
    candidate = socket.socket(family, socket.SOCK_STREAM)
    candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        candidate.bind(address)
        candidate.listen(BACKLOG)
    except OSError as error:
        candidate.close()
        if error.errno == errno.EADDRINUSE:
            return False
        raise Refused(f"Cannot listen on {address[0]} port {address[1]}: {error.strerror}.") from error
    found.append(candidate)
    return True


def _within(seconds: float, attempt: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not attempt():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
