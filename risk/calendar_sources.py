"""Write service of the calendar's sources: each is read when it is due, and what came of it is a fact."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from mia_site.audit.actors import worker_actor
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.retry import with_retries
from mia_site.ops.timings import timed
from risk.calendar_fetch import Fetched, FetchRefused, calendar_fetch
from risk.calendar_import import CalendarReading, Content, content_apply, content_parse, content_unchanged
from risk.models import CalendarSource
from risk.sources.bounds import MAX_FILE_BYTES
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.records import SourceError

SLACK = timedelta(minutes=1)
"""A source that is due within the minute is read now: the schedule that calls us is not exact to the second."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a source answered."""

    content: Content | None
    etag: str = ""
    later: float | None = None


@timed("calendar_refresh")
def calendar_refresh(*, sleep: Callable[[float], None] | None = None) -> tuple[CalendarReading, ...]:
    """Read every enabled source that is due: 64 MB of a file, 16 MB of an address, 3 tries with pauses of 2 and 4
    seconds.

    One that cannot be read whole is recorded as a failed fetch and raises the alert
    `calendar_refresh_failed`; the others go on. A source that no longer names its future events raises
    `calendar_events_dropped`; they stay. Raises what the database raises.
    """
    due = Q(next_at=None) | Q(next_at__lte=database_now() + SLACK)
    sources = CalendarSource.objects.filter(due, enabled=True)
    return tuple(_refresh(source, sleep) for source in sources if _claim(source))


def settings_of(source: CalendarSource) -> CalendarSettings:
    """How the source is read. Raises `SourceError` where it is described by what cannot be."""
    try:
        return CalendarSettings(
            dialect=source.dialect,
            zone=ZoneInfo(source.zone) if source.zone else None,
            currencies=frozenset(source.currencies.replace(",", " ").split()),
            columns={str(key): str(name) for key, name in source.columns.items()},
            impacts={str(word): _share(impact) for word, impact in source.impacts.items()},
            times={str(word): time.fromisoformat(at) for word, at in source.times.items()},
        )
    except (ValueError, TypeError, AttributeError, InvalidOperation, OSError, LookupError) as error:
        raise SourceError(f"the source is not described well: {error}") from error


def _share(raw: object) -> Decimal:
    impact = Decimal(str(raw))
    if not (impact.is_finite() and 0 <= impact <= 1):
        raise ValueError(f"an impact from 0 to 1 was expected, not {raw}")
    return impact


def _claim(source: CalendarSource) -> bool:
    """Whether this worker reads the source now: the one whose update changes the row does."""
    now = database_now()
    mine = CalendarSource.objects.filter(pk=source.pk, next_at=source.next_at)
    return bool(mine.update(next_at=now + timedelta(minutes=source.every_minutes)))


def _refresh(source: CalendarSource, sleep: Callable[[float], None] | None) -> CalendarReading:
    told = _read(source, sleep)
    with transaction.atomic():
        actor = worker_actor("risk.tasks.refresh_calendar")
        if told.content is None:
            reading = content_unchanged(source.name, name=source.place, actor=actor)
        else:
            reading = content_apply(source.name, told.content, name=source.place, actor=actor, whole=True)
        _remember(source, reading, told, database_now())
        _alerts(source, reading)
    return reading


def _read(source: CalendarSource, sleep: Callable[[float], None] | None) -> _Told:
    try:
        how = settings_of(source)
        known = source.etag if source.read_as == _fingerprint(source) else ""
        fetched = with_retries(lambda: _bytes(source, known), retry_on=OSError, sleep=sleep)
        if fetched.data is None:
            return _Told(None, fetched.etag)
        return _Told(content_parse(fetched.data, how), fetched.etag)
    except FetchRefused as error:
        return _Told(Content(error=str(error)), later=error.retry_after)
    except (OSError, SourceError) as error:
        return _Told(Content(error=str(error)))


def _bytes(source: CalendarSource, etag: str) -> Fetched:
    return calendar_fetch(source.url, etag=etag) if source.url else Fetched(_file_bytes(Path(source.path)), "")


def _file_bytes(path: Path) -> bytes:
    """The whole file; a pipe or a device is refused, since reading it might never end."""
    if not path.is_file():
        path.stat()  # says why, where there is nothing
        raise OSError(f"{path} is not a regular file")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise SourceError(f"the file has {size:,} bytes: at most {MAX_FILE_BYTES:,} are read, split it")
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _fingerprint(source: CalendarSource) -> str:
    """An ETag is good only for the place and the reading that it was given for."""
    how = (
        source.place, source.dialect, source.zone, source.currencies, source.columns, source.impacts, source.times
    )  # fmt: skip
    return hashlib.sha256(repr(how).encode()).hexdigest()


def _remember(source: CalendarSource, reading: CalendarReading, told: _Told, now: datetime) -> None:
    """A failed source is due again at once, or when its server allows; only a good answer's ETag is kept."""
    if reading.ok:
        notes: dict[str, object] = {"etag": told.etag, "read_as": _fingerprint(source)}
    else:
        notes = {"etag": "", "next_at": now + timedelta(seconds=told.later or 0)}
    CalendarSource.objects.filter(pk=source.pk).update(**notes)


def _alerts(source: CalendarSource, reading: CalendarReading) -> None:
    if not reading.ok:
        params = {"source": source.name, "file": source.place, "error": reading.error}
        alert_raise("calendar_refresh_failed", priority=3, params=params, dedup_key=source.name)
    if reading.removed:
        told: dict[str, str | int] = {"source": source.name, "count": reading.removed}
        alert_raise("calendar_events_dropped", priority=3, params=told, dedup_key=source.name)
