"""Log files of bounded size: ``web.log``, then ``web.log.1`` (newest) to ``web.log.3``."""

import os
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEEP = 3


class RotatingLog:
    """Appends bytes to a file that only its owner can read. A full disk loses lines, never the process."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._descriptor: int | None = None
        self._size = 0
        self.lost = 0
        """Bytes that could not be written."""

    def write(self, data: bytes) -> None:
        try:
            if self._descriptor is None:
                self._open()
            if self._size and self._size + len(data) > self._max_bytes:
                self._rotate()
            assert self._descriptor is not None
            self._size += os.write(self._descriptor, data)
        except OSError:
            self.lost += len(data)
            self.close()

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        self._open()
