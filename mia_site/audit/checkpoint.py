"""Checkpoints: what the sealer signs about the tree (C2SP tlog-checkpoint in a signed note). Pure.

Text: origin, size, base64 root; then our extension lines: ``time`` of the seal, and, where the ledger went on after
a restore, one ``continued`` line for each gap, so that every later proof declares it (docs/compliance.md).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime

from mia_site.audit.canonical import timestamp

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_GAP = re.compile(r"continued from ([0-9]+) lost up to ([0-9]+) (\S{44})", re.ASCII)


class CheckpointError(ValueError):
    """A text that is no checkpoint of this form."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A restore: the ledger went on after leaf `kept`; the leaves up to `lost` of root `root` (32 bytes) are gone."""

    kept: int
    lost: int
    root: bytes

    @classmethod
    def of(cls, kept: int, lost: int, root: str) -> "Gap":
        """`root` in base64. Raises ValueError."""
        return cls(kept, lost, base64.b64decode(root, validate=True))

    def line(self) -> str:
        """The extension line that declares it."""
        return f"continued from {self.kept} lost up to {self.lost} {base64.b64encode(self.root).decode()}"


@dataclass(frozen=True, slots=True)
class Head:
    """A tree head: size, root (32 bytes), when it was sealed, and the gaps before it, oldest first."""

    origin: str
    size: int
    root: bytes
    at: datetime
    gaps: tuple[Gap, ...] = ()

    def text(self) -> str:
        """The note's text, to be signed."""
        root = base64.b64encode(self.root).decode()
        lines = [self.origin, str(self.size), root, f"time {timestamp(self.at)}", *(gap.line() for gap in self.gaps)]
        return "\n".join(lines) + "\n"


def head_parse(text: str) -> Head:
    """The head that a note's text spells. Raises `CheckpointError`."""
    lines = text.splitlines()
    if len(lines) < 4 or not _SIZE.fullmatch(lines[1]) or not lines[3].startswith("time "):
        raise CheckpointError("expected origin, size, root and time, a line each")
    try:
        at = datetime.fromisoformat(lines[3].removeprefix("time "))
        root = base64.b64decode(lines[2], validate=True)
        gaps = tuple(_gap(line) for line in lines[4:])
    except (ValueError, binascii.Error) as error:
        raise CheckpointError(str(error)) from error
    head = Head(origin=lines[0], size=int(lines[1]), root=root, at=at, gaps=gaps)
    if len(root) != 32 or at.tzinfo is None or head.text() != text:
        raise CheckpointError("not spelt as this desk spells a checkpoint")
    return head


def _gap(line: str) -> Gap:
    match = _GAP.fullmatch(line)
    if match is None:
        raise CheckpointError(f"unknown line {line[:80]!r}")
    return Gap.of(int(match[1]), int(match[2]), match[3])
