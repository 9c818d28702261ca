"""Write services of the macro calendar: files in, versions of events out, and what the gate reads of them.

A reading is good when the whole file could be read. Only a good one renews the calendar: a refused row may
have been the one that mattered, so the rows that could be read count, but the calendar grows stale until the
file is mended. Events are never dropped because a file no longer names them; a source takes one back by
lowering its impact.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from django.db import transaction

from mia_site.audit.actors import Actor, worker_actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.retry import with_retries
from mia_site.ops.timings import timed
from risk.locking import calendar_lock
from risk.models import CalendarFetch, CalendarSource, Desk, EventVersion, MacroEvent
from risk.sources.bounds import MAX_FILE_BYTES
from risk.sources.macro_events import parse_macro_events
from risk.sources.records import EventRecord, Parsed, RowError, SourceError

EVENT_NAMES = uuid.UUID("6f1f6c1e-6a58-5a0c-9f0e-3d5f2b7c4a11")
"""Namespace of event identifiers (RFC 9562, version 5); they name events through all their versions."""
IMPACT_STEP = Decimal("0.0001")
ERROR_LENGTH = 2000
BATCH = 500


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What one reading of a calendar held and changed.

    `ok`: the whole file was read, the calendar is fresh. `read` rows are `added + changed + unchanged +
    rejected`; `errors` are the rejected ones; `error` is a sentence, "" when all is well; `notes` are for a
    person.
    """

    source: str
    ok: bool
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: tuple[RowError, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    """A file, parsed as far as it could be."""

    sha256: str = ""
    records: tuple[EventRecord, ...] = ()
    errors: tuple[RowError, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The events that a content adds or changes, and how many stay."""

    added: tuple[MacroEvent, ...]
    changed: tuple[MacroEvent, ...]
    unchanged: int


def calendar_import(source: str, data: bytes, *, name: str, actor: Actor, dry_run: bool = False) -> CalendarReading:
    """Read the calendar file `data` as what `source` (at most 64 characters) now says.

    An event is known again by source, type, currency and start; one whose impact or cluster differs gets a
    new version. One transaction writes the fetch, the versions and the projection; the same file again
    writes only the fetch, which makes the calendar fresh. A file that cannot be parsed is an answer with
    `ok` False and changes no event. `name` is the file's, for the journal. With `dry_run` the answer is the
    same and nothing is written.
    """
    content = _content(data)
    if dry_run:
        return _reading(source, content, _plan(source, content.records))
    with transaction.atomic():
        return _apply(source, content, name=name, actor=actor)


@timed("calendar_refresh")
def calendar_refresh(*, sleep: Callable[[float], None] | None = None) -> tuple[CalendarReading, ...]:
    """Read every enabled source again: at most 64 MB each, 3 tries with pauses of 2 and 4 seconds.

    One that cannot be read whole is recorded as a failed fetch and raises the alert
    `calendar_refresh_failed`; the others go on. Raises what the database raises.
    """
    return tuple(_refresh(source, sleep) for source in CalendarSource.objects.filter(enabled=True))


def event_key(source: str, event_type: str, currency: str, start_at: datetime | None) -> uuid.UUID:
    """The identifier of an event, the same each time a source names it.

    `currency` "" concerns every instrument; `start_at` is aware, None where the time is not known.
    """
    start = "" if start_at is None else start_at.astimezone(UTC).isoformat(timespec="microseconds")
    return uuid.uuid5(EVENT_NAMES, f"{source}\n{event_type}\n{currency}\n{start}")


def _refresh(source: CalendarSource, sleep: Callable[[float], None] | None) -> CalendarReading:
    try:
        data = with_retries(lambda: _bytes(Path(source.path)), retry_on=OSError, sleep=sleep)
        content = _content(data)
    except (OSError, SourceError) as error:
        content = _Content(error=str(error))
    with transaction.atomic():
        actor = worker_actor("risk.tasks.refresh_calendar")
        reading = _apply(source.name, content, name=source.path, actor=actor)
        if not reading.ok:
            params = {"source": source.name, "file": source.path, "error": reading.error}
            alert_raise("calendar_refresh_failed", priority=3, params=params, dedup_key=source.name)
    return reading


def _bytes(path: Path) -> bytes:
    """The whole file; a pipe or a device is refused, since reading it might never end."""
    if not path.is_file():
        path.stat()  # says why, where there is nothing
        raise OSError(f"{path} is not a regular file")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise SourceError(f"the file has {size:,} bytes: at most {MAX_FILE_BYTES:,} are read, split it")
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _content(data: bytes) -> _Content:
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        parsed = parse_macro_events(data)
    except SourceError as error:
        return _Content(sha256, error=str(error))
    return _Content(sha256, parsed.records, parsed.errors, parsed.notes, _incomplete(parsed))


def _incomplete(parsed: Parsed[EventRecord]) -> str:
    """Why a calendar is not to be relied on, "" where it is."""
    if parsed.errors:
        first = parsed.errors[0]
        return f"{len(parsed.errors)} of {parsed.read} rows refused; line {first.line}: {first.message}"
    return "" if parsed.records else "the file holds no event"


def _apply(source: str, content: _Content, *, name: str, actor: Actor) -> CalendarReading:
    calendar_lock()
    plan = _plan(source, content.records)
    reading = _reading(source, content, plan)
    fetch = CalendarFetch(
        recorded_at=database_now(),
        source=source,
        ok=reading.ok,
        sha256=content.sha256,
        rows=reading.read,
        added=reading.added,
        changed=reading.changed,
        unchanged=reading.unchanged,
        rejected=reading.rejected,
        error=reading.error[:ERROR_LENGTH],
    )
    events = (*plan.added, *plan.changed)
    facts_record([fetch, *(_version(event, fetch) for event in events)], actor=actor, why=name[:ERROR_LENGTH])
    MacroEvent.objects.bulk_create(
        events,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["impact", "cluster_ref", "version"],
    )
    if reading.ok:
        Desk.objects.update_or_create(id=1, defaults={"calendar_at": fetch.recorded_at})
    return reading


def _version(event: MacroEvent, fetch: CalendarFetch) -> EventVersion:
    return EventVersion(
        recorded_at=fetch.recorded_at,
        event_id=event.id,
        version=event.version,
        fetch_id=fetch.id,
        start_at=event.start_at,
        event_type=event.event_type,
        currency=event.currency,
        impact=event.impact,
        cluster_ref=event.cluster_ref,
        source=event.source,
    )


def _plan(source: str, records: Iterable[EventRecord]) -> _Plan:
    said, repeated = _said(source, records)
    known = MacroEvent.objects.in_bulk(list(said))
    added = tuple(event for event in said.values() if event.id not in known)
    changed = []
    for event in said.values():
        before = known.get(event.id)
        if before and (before.impact, before.cluster_ref) != (event.impact, event.cluster_ref):
            event.version = before.version + 1
            changed.append(event)
    return _Plan(added, tuple(changed), len(said) - len(added) - len(changed) + repeated)


def _said(source: str, records: Iterable[EventRecord]) -> tuple[dict[uuid.UUID, MacroEvent], int]:
    """Each event once, and how many rows repeated one. Of repeats the highest impact counts."""
    said: dict[uuid.UUID, MacroEvent] = {}
    repeated = 0
    for record in records:
        event = _event(source, record)
        before = said.get(event.id)
        repeated += before is not None
        if before is None or event.impact > before.impact:
            said[event.id] = event
    return said, repeated


def _event(source: str, record: EventRecord) -> MacroEvent:
    currency = record.currency or ""
    return MacroEvent(
        id=event_key(source, record.event_type, currency, record.start_at),
        start_at=record.start_at,
        event_type=record.event_type,
        currency=currency,
        # Up: an impact just above a limit must not come to lie on it.
        impact=record.impact.quantize(IMPACT_STEP, rounding=ROUND_CEILING),
        cluster_ref=record.cluster_ref or "",
        source=source,
    )


def _reading(source: str, content: _Content, plan: _Plan) -> CalendarReading:
    return CalendarReading(
        source=source,
        ok=not content.error,
        read=len(content.records) + len(content.errors),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        rejected=len(content.errors),
        errors=content.errors,
        notes=content.notes,
        error=content.error,
    )
