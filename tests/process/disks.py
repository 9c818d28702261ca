"""A disk that is full: a small file system of the test's own, else processes that may not write another byte."""

import errno
import io
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

UNLIMITED = resource.RLIM_INFINITY


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Makes `folder`, a file system of 6 MB while the block lasts; gives False where this user may not mount one."""
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def disk_fill(folder: Path) -> Callable[[], None]:
    """Writes until nothing more fits; returns what makes room again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while _written(file):
            pass
    return ballast.unlink


def _written(file: io.RawIOBase) -> bool:
    try:
        return bool(file.write(b"\0" * 4096))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


def growth_forbid(pid: int) -> Callable[[], None]:
    """No file of this process and its children grows any more; returns what allows it again."""
    family = [pid, *(child.pid for child in psutil.Process(pid).children())]
    for member in family:
        resource.prlimit(member, resource.RLIMIT_FSIZE, (0, UNLIMITED))

    def allow() -> None:
        for member in family:
            resource.prlimit(member, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))

    return allow
