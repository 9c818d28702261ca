"""`import_mia`: a file or a folder of MIA files, each recognised by its content and imported as far as it is
good.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import structlog

from decisions.history_import import decisions_import
from mia_site.audit.actors import Actor
from mia_site.ops.timings import timed
from risk.import_job import ImportJob, ImportRefused, Tally, run_record
from risk.mia_import import ACCOUNT_KINDS, KINDS, risk_import
from risk.models import Account, ImportRun
from risk.sources.bounds import MAX_FILE_BYTES
from risk.sources.parse import parse
from risk.sources.records import DecisionRecord, Kind, Parsed, RowError, SourceError
from risk.sources.rows import shown

log = structlog.get_logger(__name__)
DECISION_KINDS = frozenset({Kind.DECISION_LOG, Kind.SIGNALS, Kind.TRADES, Kind.TRADING_SNAPSHOTS})
SIDECARS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; it is no file of its own."""
Progress = Callable[[str, int, int], None]


class PathRefused(ValueError):
    """There is nothing to import at the path; a sentence."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """`account` is a code, "" where none was named and there is not exactly one; `zone` dates local times.

    `equity` asks for the equities that signals state, which simulations make up.
    """

    actor: Actor
    account: str = ""
    zone: ZoneInfo | None = None
    equity: bool = False
    dry_run: bool = False
    progress: Progress = field(default=lambda _name, _done, _total: None)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `refused`: why nothing of it could be read, "" otherwise (it counts as one
    rejected).

    `errors` are the rejected rows by line; `details` are notes for those who want to know more.
    """

    name: str
    kind: str = ""
    read: int = 0
    imported: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: tuple[RowError, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    refused: str = ""


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of that IANA name, None for "". Raises `ValueError` with a sentence for a name that is
    none.
    """
    if not name:
        return None
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone: expected an IANA name such as America/New_York")
    return ZoneInfo(name)


def mia_import(path: Path, request: ImportRequest) -> Iterator[FileReport]:
    """Imports the file at `path`, or every file under that folder by name; yields a report for each as it is
    done.

    A file that is refused does not keep the others. Raises `PathRefused` where there is nothing to import,
    and what the database raises; what was imported up to then stays, and the same call again goes on from
    there.
    """
    folder = path if path.is_dir() else path.parent
    for file in _files(path):
        yield _file_import(file, file.relative_to(folder).as_posix(), request)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise PathRefused(f"{path} is neither a file nor a folder")
    found = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    names = set(found)
    files = [file for file in found if not _is_sidecar(file, names)]
    if not files:
        raise PathRefused(f"there is no file in {path}")
    return files


def _is_sidecar(file: Path, files: set[Path]) -> bool:
    return any(
        file.name.endswith(ending) and file.with_name(file.name.removesuffix(ending)) in files for ending in SIDECARS
    )


@timed("import_mia")
def _file_import(file: Path, name: str, request: ImportRequest) -> FileReport:
    name = shown(name, 200)
    try:
        data = _bytes(file)
    except (OSError, ImportRefused) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return FileReport(name, rejected=1, refused=f"{name} cannot be read: {reason}")
    sha256 = hashlib.sha256(data).hexdigest()
    job = ImportJob(
        actor=request.actor,
        name=shown(file.name, 200),
        account=request.account,
        dry_run=request.dry_run,
        progress=lambda done, total: request.progress(name, done, total),
    )
    kind = ""
    try:
        parsed = parse(file.name, data, zone=request.zone, equity=request.equity)
        kind = parsed.kind.value
        report = _report(name, parsed, _import(parsed, data, sha256, job))
    except SourceError as error:
        report = FileReport(name, kind, rejected=1, refused=str(error))
    except ImportRefused as error:
        report = FileReport(name, kind, rejected=1, refused=f"{name}: {error}")
    if report.kind != Kind.PERFORMANCE:
        _record(report, sha256, job, request.zone)
    return report


def _bytes(file: Path) -> bytes:
    size = file.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ImportRefused(f"it has {size:,} bytes, at most {MAX_FILE_BYTES:,} are read: split it")
    with file.open("rb") as content:
        return content.read(MAX_FILE_BYTES + 1)


def _import(parsed: Parsed[object], data: bytes, sha256: str, job: ImportJob) -> Tally:
    if parsed.kind in DECISION_KINDS:
        return decisions_import([r for r in parsed.records if isinstance(r, DecisionRecord)], job)
    return risk_import(parsed, data, sha256, job) if parsed.kind in KINDS else Tally()


def _report(name: str, parsed: Parsed[object], tally: Tally) -> FileReport:
    errors = tuple(sorted((*parsed.errors, *tally.errors), key=lambda error: error.line))
    return FileReport(
        name=name,
        kind=parsed.kind.value,
        read=parsed.read,
        imported=tally.imported,
        unchanged=tally.unchanged,
        rejected=len(errors),
        errors=errors,
        notes=(*parsed.notes, *tally.notes),
        details=tuple(tally.details),
    )


def _record(report: FileReport, sha256: str, job: ImportJob, zone: ZoneInfo | None) -> None:
    """The import as a fact; of an account where the file's kind belongs to one."""
    owned = report.kind in DECISION_KINDS | ACCOUNT_KINDS
    run = ImportRun(
        account=Account.objects.filter(code=job.account).first() if owned and job.account else None,
        name=job.name,
        sha256=sha256,
        file_kind=report.kind,
        timezone="" if zone is None else zone.key,
        read=report.read,
        imported=report.imported,
        unchanged=report.unchanged,
        rejected=report.rejected,
        notes=[note for note in (report.refused, *report.notes, *report.details) if note],
    )
    run_record(job, run)
