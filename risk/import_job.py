"""What every import of a MIA file shares: who imports what for whom, its steps, its count and its record."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection, transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.clock import database_now
from risk.models import Account, ImportRun
from risk.sources.records import RowError
from risk.sources.rows import shown

STEP_ROWS = 250
"""Rows of one transaction: a fault loses nothing acknowledged, and an account is not locked for long."""
PAUSE_SECONDS = 0.1
"""Between steps on SQLite, whose one lock is not fair: who waits for it looks every 0.1 s at the latest, so that
whoever asks the gate during an import gets a turn within the deadline."""
AHEAD = timedelta(minutes=5)
"""How far ahead of the desk's clock history may lie: another machine's clock, but not another time zone."""
MAX_NOTES = 300
NOTE_CHARS = 300
T = TypeVar("T")


class ImportRefused(ValueError):
    """A whole file that cannot be imported; a sentence for the person who chose it."""


def _silent(_done: int, _total: int) -> None:
    """Reports no progress."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One file's import. `account`: a code, "" where none was named; `progress(done, total)` counts rows."""

    actor: Actor
    name: str
    account: str = ""
    dry_run: bool = False
    progress: Callable[[int, int], None] = _silent

    @property
    def why(self) -> str:
        """The reason that stands in the journal."""
        return f"import of {self.name}"

    @contextmanager
    def step(self) -> Iterator[None]:
        """One transaction; a dry run does everything and takes it back."""
        with transaction.atomic():
            yield
            if self.dry_run:
                transaction.set_rollback(True)

    def account_row(self) -> Account:
        """The account of the import. Raises `ImportRefused` where none was named."""
        account = Account.objects.filter(code=self.account).first() if self.account else None
        if account is None:
            raise ImportRefused(
                "what it holds belongs to an account: name one with --account (manage.py create_account opens one)"
            )
        return account

    def portions(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        """`rows` in portions of one step each, with progress and a pause between them."""
        for start in range(0, len(rows), STEP_ROWS):
            if start and connection.vendor == "sqlite":
                time.sleep(PAUSE_SECONDS)
            yield rows[start : start + STEP_ROWS]
            self.progress(min(start + STEP_ROWS, len(rows)), len(rows))


@dataclass(slots=True)
class Tally:
    """What became of a file's rows, beyond those that its parser refused."""

    imported: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def future_error(line: int, column: str, at: datetime, now: datetime) -> RowError | None:
    """An error for history that has not happened yet, which most often was written in another time zone."""
    if at <= now + AHEAD:
        return None
    return RowError(
        line,
        f"{column} {at.isoformat()} lies in the future: was another time zone meant?",
        column,
        at.isoformat(),
    )


def text_error(line: int, column: str, text: str, limit: int) -> RowError | None:
    """An error for a text that is longer than its column."""
    if len(text) <= limit:
        return None
    return RowError(line, f"{column} has {len(text)} characters: at most {limit} are kept", column, shown(text))


def run_record(job: ImportJob, run: ImportRun) -> None:
    """Records that the file was imported, unless that is known and nothing came of it this time."""
    known = ImportRun.objects.filter(sha256=run.sha256, account=run.account)
    with job.step():
        if run.imported or not known.exists():
            run.recorded_at = database_now()
            run.notes = _bounded(run.notes)
            facts_record([run], actor=job.actor, why=job.why, account=job.account if run.account else "")


def _bounded(notes: list[str]) -> list[str]:
    kept = [shown(note, NOTE_CHARS) for note in notes[:MAX_NOTES]]
    return kept if len(notes) <= MAX_NOTES else [*kept, f"{len(notes) - MAX_NOTES} more notes"]
