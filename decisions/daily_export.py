"""Yesterday's tree of every account under `exports/YYYY-MM-DD/CODE/`, written in steps of some seconds.

A day that is being written is hidden (`.YYYY-MM-DD.partial`) and appears whole. After each step its place is
kept in a file: the next step, in whatever process, cuts off what a killed one wrote beyond it and goes on.
One step at a time, by a lock that ends with its process.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from decisions.export import tree_parts
from decisions.mia_export import WHAT, export_journal, file_write
from mia_site.audit.actors import Actor
from mia_site.ops.retry import Deadline
from risk.export import Cursor, Part, Period
from risk.models import Account

SETTLED = timedelta(minutes=10)
"""How long after midnight a day counts as over: its last decisions and timings are written by then."""
PROGRESS = ".progress.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the next step goes on: part `part` of account `account`, of which `size` bytes stand, behind
    `after`.
    """

    account: str = ""
    part: int = 0
    size: int = 0
    after: Cursor | None = None


def export_daily_step(root: Path, *, now: datetime, deadline: Deadline, actor: Actor) -> bool:
    """Writes on the oldest unfinished day, or on yesterday (UTC) unless that is there; until done or the
    deadline.

    Returns whether there is more to write. Does nothing while another process is writing. Raises `OSError`.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _lease(root) as held:
        day = _due(root, now) if held else None
        if day is None:
            return False
        draft = root / f".{day.isoformat()}.partial"
        draft.mkdir(exist_ok=True)
        if not _day_write(draft, day, deadline, actor):
            return True
        (draft / PROGRESS).unlink(missing_ok=True)
        draft.replace(root / day.isoformat())
    return False


@contextmanager
def _lease(root: Path) -> Iterator[bool]:
    with (root / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _due(root: Path, now: datetime) -> date | None:
    """The day to write; a draft of a day that is there after all is a leftover."""
    for draft in sorted(root.glob(".????-??-??.partial")):
        day = date.fromisoformat(draft.name[1:11])
        if not (root / day.isoformat()).exists():
            return day
        shutil.rmtree(draft)
    yesterday = (now.astimezone(UTC) - SETTLED).date() - timedelta(days=1)
    if (root / yesterday.isoformat()).exists() or not Account.objects.exists():
        return None
    return yesterday


def _day_write(draft: Path, day: date, deadline: Deadline, actor: Actor) -> bool:
    """Writes until the day is done (True) or the deadline is over."""
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    period = Period(since, since + timedelta(days=1))
    progress = _progress_read(draft)
    for account in Account.objects.filter(code__gte=progress.account).order_by("code"):
        if account.code != progress.account:
            export_journal(account, actor=actor, what=WHAT, period=period)
            progress = _progress_write(draft, Progress(account.code))
        parts = tree_parts(account, period)
        for number, part in enumerate(parts[progress.part :], progress.part):
            stopped = _part_append(draft / account.code, part, progress, deadline)
            if stopped is not None:
                _progress_write(draft, stopped)
                return False
            progress = Progress(account.code, number + 1)
        _progress_write(draft, progress)
    return True


def _part_append(folder: Path, part: Part, progress: Progress, deadline: Deadline) -> Progress | None:
    """Writes on the part; None when it is done, else where it stopped. At least one page is written each
    time.
    """
    target = folder / part.path
    if part.header is None:
        target.mkdir(parents=True, exist_ok=True)
        for page in part.pages(progress.after):
            for name, content in page.files:
                file_write(target / name, content)
            if not deadline.remaining():
                return Progress(progress.account, progress.part, 0, page.after)
        return None
    return _file_append(target, part, part.header, progress, deadline)


def _file_append(target: Path, part: Part, header: bytes, progress: Progress, deadline: Deadline) -> Progress | None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    size = progress.size
    with target.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        if not size:
            size += file.write(header)
        for page in part.pages(progress.after):
            size += file.write(page.data)
            if not deadline.remaining():
                _sync(file)
                return Progress(progress.account, progress.part, size, page.after)
        _sync(file)
    return None


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _progress_read(draft: Path) -> Progress:
    path = draft / PROGRESS
    if not path.exists():
        return Progress()
    saved = json.loads(path.read_bytes())
    after = saved["after"]
    cursor = None if after is None else Cursor(datetime.fromisoformat(after[0]), UUID(after[1]))
    return Progress(saved["account"], saved["part"], saved["size"], cursor)


def _progress_write(draft: Path, progress: Progress) -> Progress:
    after = None if progress.after is None else [progress.after.at.isoformat(), str(progress.after.id)]
    file_write(draft / PROGRESS, json.dumps({**asdict(progress), "after": after}).encode())
    return progress
