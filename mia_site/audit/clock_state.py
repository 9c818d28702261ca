"""What the last measurement of the clocks said, as entries carry it (RTS 25).

Entries take their time from the database. Each says whether the host's clock was synchronised when that was last
measured, and how far the database's clock was from it; `null` where nobody knows.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mia_site.audit.models import ClockState
from mia_site.ops.clock import database_now

STALE = timedelta(minutes=5)
KEEP_SECONDS = 30.0
UNKNOWN: dict[str, Any] = {"synchronised": None, "offset_ms": None}


@dataclass(slots=True)
class _Kept:
    mark: dict[str, Any]
    until: float


_kept: _Kept | None = None


def clock_mark() -> dict[str, Any]:
    """What an entry says of the clock; read from the database at most every 30 seconds of this process."""
    global _kept  # noqa: PLW0603 - one answer per process
    now = time.monotonic()
    if _kept is None or _kept.until < now:
        _kept = _Kept(_read(), now + KEEP_SECONDS)
    return _kept.mark


def clock_mark_forget() -> None:
    """The next entry reads the state again."""
    global _kept  # noqa: PLW0603 - see above
    _kept = None


def _read() -> dict[str, Any]:
    row = ClockState.objects.filter(id=1).first()
    if row is None or database_now() - row.at > STALE:
        return UNKNOWN
    return {"synchronised": row.synchronised, "offset_ms": row.database_offset_ms}


def reading_due(last_at: datetime | None, now: datetime, *, differs: bool) -> bool:
    """Whether a measurement is kept for good: the first, one that says something else, and one an hour."""
    return last_at is None or differs or now - last_at >= timedelta(hours=1)
