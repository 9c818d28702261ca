"""Checkpoints outside the database: in a folder meant for a write-once mount.

`latest.note` is replaced at each seal; one note in `MIA_CHECKPOINT_SECONDS` is kept for good, in a folder a day. What
was published is what the sealer holds itself to: a database that no longer extends it gets no more signatures.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import structlog
from django.conf import settings

from mia_site.audit.checkpoint import CheckpointError, Head, head_parse
from mia_site.audit.note import NoteError, open_note

log = structlog.get_logger(__name__)
LATEST = "latest.note"
Published = tuple[Head, str]


def folder() -> Path:
    """Where checkpoints are published."""
    return Path(settings.CHECKPOINTS_DIR)


def rank(head: Head) -> tuple[int, int]:
    """Later heads rank higher; after a declared restore the tree may be smaller than before."""
    return len(head.gaps), head.size


def note_head(note: str, vkeys: list[str]) -> Head | None:
    """The head in a note that one of the keys signed; None for any other text."""
    for vkey in vkeys:
        try:
            return head_parse(open_note(note, vkey))
        except (NoteError, CheckpointError):
            continue
    return None


def published_newest(vkeys: list[str]) -> Published | None:
    """The newest checkpoint outside that one of the keys signed; None where there is none."""
    candidates = [folder() / LATEST, *_kept_newest()]
    found = [told for path in candidates if (told := _read(path, vkeys)) is not None]
    return max(found, key=lambda told: rank(told[0]), default=None)


def published_all(vkeys: list[str]) -> Iterator[tuple[Path, Published | None]]:
    """Every note outside, in the order of their names; None for a file that no known key signed."""
    for path in [*sorted(folder().glob("*/*.note")), folder() / LATEST]:
        if path.exists():
            yield path, _read(path, vkeys)


def _kept_newest() -> list[Path]:
    days = sorted((path for path in folder().glob("*") if path.is_dir()), reverse=True)
    for day in days:
        if notes := sorted(day.glob("*.note"), reverse=True):
            return notes[:1]
    return []


def kept_newest() -> Path | None:
    """The newest note that is kept for good; None where there is none."""
    return next(iter(_kept_newest()), None)


def beside_write(note: Path, ending: str, content: bytes) -> bool:
    """Keeps `content` beside a kept note, in a file that is made once and never written over. Raises OSError."""
    try:
        descriptor = os.open(note.with_suffix(ending), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return True


def _read(path: Path, vkeys: list[str]) -> Published | None:
    try:
        note = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        log.exception("checkpoint_unreadable", path=str(path))
        return None
    head = note_head(note, vkeys)
    return None if head is None else (head, note)


def publish(head: Head, note: str) -> None:
    """Writes the note outside. Raises OSError."""
    target = folder()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(target / LATEST, note)
    day = target / f"{head.at:%Y-%m-%d}"
    if _keep_due(day, head):
        day.mkdir(mode=0o700, exist_ok=True)
        _write(day / f"{len(head.gaps):04d}-{head.size:020d}.note", note)


def _keep_due(day: Path, head: Head) -> bool:
    newest = max(day.glob("*.note"), default=None)
    return newest is None or head.at.timestamp() - newest.stat().st_mtime >= settings.MIA_CHECKPOINT_SECONDS


def _write(path: Path, note: str) -> None:
    """Whole or not at all, and on the disk when this returns."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
