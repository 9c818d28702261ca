"""The local file: the last resort of critical alerts, on disk even if the network is gone."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from mia_site.ops.channels.base import DeliveryFailed, Message


class FileChannel:
    """Priority 5: one JSON object a line, appended and synced, readable by the owner only."""

    name = "file"
    min_priority = 5

    def targets(self) -> Sequence[str]:
        return ["alerts/critical.log"]

    def send(self, target: str, message: Message) -> None:
        line = json.dumps(message.as_dict(), ensure_ascii=False) + "\n"
        try:
            _append(Path(settings.DATA_DIR) / target, line.encode())
        except OSError as error:
            raise DeliveryFailed(f"{target}: {error.strerror or error}") from error


def _append(path: Path, line: bytes) -> None:
    """One write, so that lines of two processes never mix; on disk when it returns, a new name too."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if written != len(line):
        raise OSError(0, f"wrote {written} of {len(line)} bytes")
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
