"""Write services of the macro calendar: contents in, versions of events out, and what the gate reads of them.

A reading is good when the whole file could be read. Only a good one renews the calendar: a refused row may
have been the one that mattered, so the rows that could be read count, but the calendar grows stale until the
file is mended. Events are never dropped because a file no longer names them: they are marked and stay; a source takes
one back by cancelling it or by lowering its impact, staff by opening its window.
"""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.clock import database_now
from risk.locking import calendar_lock
from risk.models import CalendarFetch, CalendarSource, Desk, EventStatus, EventVersion, MacroEvent
from risk.sources.calendars.dialects import parse_calendar
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.records import EventRecord, Parsed, RowError, SourceError

EVENT_NAMES = uuid.UUID("6f1f6c1e-6a58-5a0c-9f0e-3d5f2b7c4a11")
"""Namespace of event identifiers (RFC 9562, version 5); they name events through all their versions."""
IMPACT_STEP = Decimal("0.0001")
ERROR_LENGTH = 2000
BATCH = 500
MIA = CalendarSettings()
SAID = ("start_at", "end_at", "event_type", "currency", "impact", "cluster_ref", "status", "by_staff", "uid", "source")
"""What a version holds of an event."""


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What one reading of a calendar held and changed.

    `ok`: the whole file was read, the calendar is fresh. `read` rows are `added + changed + unchanged +
    rejected`; `errors` are the rejected ones; `removed` events are no longer named; `error` is a sentence, "" when
    all is well; `notes` are for a person.
    """

    source: str
    ok: bool
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    errors: tuple[RowError, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A calendar, parsed as far as it could be."""

    sha256: str = ""
    records: tuple[EventRecord, ...] = ()
    errors: tuple[RowError, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(slots=True)
class _Plan:
    """The events that a content adds, changes or no longer names, and how many stay."""

    added: list[MacroEvent] = field(default_factory=list)
    changed: list[MacroEvent] = field(default_factory=list)
    dropped: list[MacroEvent] = field(default_factory=list)
    unchanged: int = 0

    @property
    def events(self) -> list[MacroEvent]:
        return [*self.added, *self.changed, *self.dropped]


def calendar_import(source: str, data: bytes, *, name: str, actor: Actor, dry_run: bool = False) -> CalendarReading:
    """Read the calendar file `data` as what `source` (at most 64 characters) now says.

    An event is known again by source, type, currency and start; one whose impact or cluster differs gets a
    new version. One transaction writes the fetch, the versions and the projection; the same file again
    writes only the fetch, which makes the calendar fresh. A file that cannot be parsed is an answer with
    `ok` False and changes no event. `name` is the file's, for the journal. With `dry_run` the answer is the
    same and nothing is written.
    """
    content = content_parse(data, MIA)
    if dry_run:
        return _reading(source, content, _plan(source, content.records, None))
    with transaction.atomic():
        return content_apply(source, content, name=name, actor=actor)


def content_parse(data: bytes, how: CalendarSettings) -> Content:
    """The calendar in `data`; what cannot be read as a whole is a content with an `error`."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        parsed = parse_calendar(data, how)
    except SourceError as error:
        return Content(sha256, error=str(error))
    return Content(sha256, parsed.records, parsed.errors, parsed.notes, _incomplete(parsed))


def content_apply(source: str, content: Content, *, name: str, actor: Actor, whole: bool = False) -> CalendarReading:
    """Record the fetch, the versions and the events, in the caller's transaction.

    `whole`: the content is all that the source says now, so future events that it does not name are marked.
    """
    calendar_lock()
    now = database_now()
    plan = _plan(source, content.records, now if whole and not content.error else None)
    reading = _reading(source, content, plan)
    fetch = _fetch(reading, content.sha256, now)
    facts_record([fetch, *(version_of(event, fetch.id, now) for event in plan.events)], actor=actor, why=_why(name))
    events_write(plan.events)
    if reading.ok:
        _renew(source, now, max((event.start_at for event in content.records if event.start_at), default=None))
    return reading


def content_unchanged(source: str, *, name: str, actor: Actor) -> CalendarReading:
    """Record that the source still says what it said at its last good fetch; the calendar is fresh."""
    calendar_lock()
    now = database_now()
    last = CalendarFetch.objects.filter(source=source, ok=True).order_by("-recorded_at").first()
    rows = last.rows if last else 0
    reading = CalendarReading(source, ok=True, read=rows, unchanged=rows)
    facts_record([_fetch(reading, last.sha256 if last else "", now)], actor=actor, why=_why(name))
    _renew(source, now, None)
    return reading


def event_key(source: str, event_type: str, currency: str, start_at: datetime | None, uid: str = "") -> uuid.UUID:
    """The identifier of an event, the same each time a source names it: by the source's own id if it has one.

    `currency` "" concerns every instrument; `start_at` is aware, None where the time is not known.
    """
    if uid:
        return uuid.uuid5(EVENT_NAMES, f"{source}\nuid\n{uid}")
    start = "" if start_at is None else start_at.astimezone(UTC).isoformat(timespec="microseconds")
    return uuid.uuid5(EVENT_NAMES, f"{source}\n{event_type}\n{currency}\n{start}")


def version_of(event: MacroEvent, fetch_id: uuid.UUID, now: datetime) -> EventVersion:
    """The fact that holds what is said of an event now."""
    said = {name: getattr(event, name) for name in SAID}
    return EventVersion(recorded_at=now, event_id=event.id, version=event.version, fetch_id=fetch_id, **said)


def events_write(events: Iterable[MacroEvent]) -> None:
    """Bring the projection to what `events` say."""
    MacroEvent.objects.bulk_create(
        events,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[*SAID, "version", "waived"],
    )


def _incomplete(parsed: Parsed[EventRecord]) -> str:
    """Why a calendar is not to be relied on, "" where it is."""
    if parsed.errors:
        first = parsed.errors[0]
        return f"{len(parsed.errors)} of {parsed.read} rows refused; line {first.line}: {first.message}"
    return "" if parsed.records else "the file holds no event"


def _why(name: str) -> str:
    return name[:ERROR_LENGTH]


def _fetch(reading: CalendarReading, sha256: str, now: datetime) -> CalendarFetch:
    return CalendarFetch(
        recorded_at=now,
        source=reading.source,
        ok=reading.ok,
        sha256=sha256,
        rows=reading.read,
        added=reading.added,
        changed=reading.changed,
        unchanged=reading.unchanged,
        removed=reading.removed,
        rejected=reading.rejected,
        error=reading.error[:ERROR_LENGTH],
    )


def _renew(source: str, now: datetime, known_until: datetime | None) -> None:
    """The calendar is as old as its oldest required source, and reaches as far as the shortest of them.

    Without sources it is as old as the last good reading. A required source that was never good keeps it as it is.
    """
    notes: dict[str, Any] = {"good_at": now} | ({"known_until": known_until} if known_until else {})
    CalendarSource.objects.filter(name=source).update(**notes)
    required = list(CalendarSource.objects.filter(enabled=True, required=True).values_list("good_at", "known_until"))
    if not required:
        last = MacroEvent.objects.aggregate(last=Max("start_at"))["last"]
        Desk.objects.update_or_create(id=1, defaults={"calendar_at": now, "calendar_until": last})
        return
    ages = [good_at for good_at, _until in required if good_at is not None]
    reaches = [until for _good_at, until in required if until is not None]
    if len(ages) == len(required):
        until = min(reaches) if len(reaches) == len(required) else None
        Desk.objects.update_or_create(id=1, defaults={"calendar_at": min(ages), "calendar_until": until})


def _reading(source: str, content: Content, plan: _Plan) -> CalendarReading:
    return CalendarReading(
        source,
        ok=not content.error,
        read=len(content.records) + len(content.errors),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        removed=len(plan.dropped),
        rejected=len(content.errors),
        errors=content.errors,
        notes=content.notes,
        error=content.error,
    )


def _plan(source: str, records: Iterable[EventRecord], whole_at: datetime | None) -> _Plan:
    """What `records` change; with `whole_at` also which events after it they no longer name."""
    said, repeated = _said(source, records)
    known = MacroEvent.objects.in_bulk(list(said))
    plan = _Plan(unchanged=repeated)
    for event in said.values():
        before = known.get(event.id)
        if before is None:
            plan.added.append(event)
        elif all(getattr(before, name) == getattr(event, name) for name in SAID):
            plan.unchanged += 1
        else:
            event.version = before.version + 1
            event.waived = before.waived and _still_waived(before, event)
            plan.changed.append(event)
    if whole_at is not None:
        plan.dropped += [_dropped(event) for event in _unnamed(source, said, whole_at)]
        plan.dropped += _left_behind(plan.changed, known, said, whole_at)
    return plan


def _still_waived(before: MacroEvent, after: MacroEvent) -> bool:
    """Two persons opened the window of the event as it stood: another time or a greater impact is another matter."""
    return (before.start_at, before.end_at) == (after.start_at, after.end_at) and after.impact <= before.impact


def _unnamed(source: str, said: dict[uuid.UUID, MacroEvent], now: datetime) -> list[MacroEvent]:
    coming = MacroEvent.objects.filter(
        Q(start_at__gt=now) | Q(end_at__gt=now), source=source, status=EventStatus.LISTED, by_staff=False
    )
    return [event for event in coming if event.id not in said]


def _dropped(event: MacroEvent) -> MacroEvent:
    event.status, event.version = EventStatus.DROPPED, event.version + 1
    return event


def _left_behind(
    moved: Iterable[MacroEvent], known: dict[uuid.UUID, MacroEvent], said: dict[uuid.UUID, MacroEvent], now: datetime
) -> list[MacroEvent]:
    """Where an event moved from, while that time is still to come: it stays closed until staff open it."""
    left: dict[uuid.UUID, MacroEvent] = {}
    for event in moved:
        before = known[event.id]
        gone = before.start_at is not None and before.start_at != event.start_at and before.start_at > now
        key = event_key(event.source, before.event_type, before.currency, before.start_at)
        if gone and key not in said:
            kept = {name: getattr(before, name) for name in SAID} | {"uid": "", "status": EventStatus.DROPPED}
            left[key] = MacroEvent(id=key, **kept)
    there = set(MacroEvent.objects.filter(id__in=list(left)).values_list("id", flat=True))
    return [event for key, event in left.items() if key not in there]


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
        id=event_key(source, record.event_type, currency, record.start_at, record.uid),
        start_at=record.start_at,
        end_at=record.end_at,
        event_type=record.event_type,
        currency=currency,
        # Up: an impact just above a limit must not come to lie on it.
        impact=record.impact.quantize(IMPACT_STEP, rounding=ROUND_CEILING),
        cluster_ref=record.cluster_ref or "",
        status=EventStatus.CANCELLED if record.cancelled else EventStatus.LISTED,
        uid=record.uid,
        source=source,
    )
