"""`export_mia`: the specification's tree for one account. Each file is whole or not there, whatever happens
meanwhile.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from decisions.export import tree_parts
from mia_site.audit.actors import Actor
from mia_site.audit.journal import Leaf, change_record
from mia_site.ops.timings import timed
from risk.export import Part, Period, moment_text
from risk.models import Account

WHAT = "specification_tree"


class ExportFailed(OSError):
    """A file of the tree could not be written; nothing half of it is left. A sentence that names it."""


@dataclass(frozen=True, slots=True)
class PartReport:
    """One file of the tree, or one folder of files, that is written; `others`: files in the folder from
    elsewhere.
    """

    path: str
    rows: int
    others: int = 0


def export_journal(account: Account, *, actor: Actor, what: str, period: Period) -> Leaf:
    """Journals who is about to export what of an account; written before the first byte leaves."""
    bounds = {"since": period.since, "until": period.until}
    filters = {name: moment_text(at) for name, at in bounds.items() if at is not None}
    after = {"what": what, "filters": filters}
    return change_record(account, action="exported", actor=actor, account=account.code, after=after)


@timed("export_mia")
def tree_export(folder: Path, *, account: Account, period: Period, actor: Actor) -> list[PartReport]:
    """Writes the tree under `folder`, which is made if need be; files of the same names are replaced.

    Raises `ExportFailed`; the parts before the one that failed are there and whole.
    """
    export_journal(account, actor=actor, what=WHAT, period=period)
    return [part_write(folder, part) for part in tree_parts(account, period)]


def part_write(folder: Path, part: Part) -> PartReport:
    """Writes one part in constant memory. Raises `ExportFailed`."""
    target = folder / part.path
    try:
        if part.header is None:
            return _folder_write(target, part)
        rows = 0
        with replaced(target) as file:
            file.write(part.header)
            for page in part.pages(None):
                file.write(page.data)
                rows += page.rows
    except OSError as error:
        raise ExportFailed(f"{target} could not be written: {error.strerror or error}") from error
    return PartReport(part.path, rows)


def _folder_write(folder: Path, part: Part) -> PartReport:
    folder.mkdir(parents=True, exist_ok=True)
    rows = 0
    for page in part.pages(None):
        for name, content in page.files:
            file_write(folder / name, content)
        rows += page.rows
    there = sum(not entry.name.startswith(".") for entry in os.scandir(folder))
    return PartReport(part.path, rows, max(0, there - rows))


def file_write(path: Path, content: bytes) -> None:
    """Writes a file that is whole or not there."""
    with replaced(path) as file:
        file.write(content)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` at the end of the block, or is gone if the block
    failed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
