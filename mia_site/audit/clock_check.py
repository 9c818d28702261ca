"""The drift check: measures the clocks, keeps what it found, alerts past the limit."""

from django.conf import settings
from django.db import transaction

from mia_site.audit.actors import worker_actor
from mia_site.audit.clock_state import reading_due
from mia_site.audit.journal import facts_record
from mia_site.audit.models import ClockReading, ClockState
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.clock_drift import Clocks, clocks_measure

ACTOR = worker_actor("mia_site.audit.tasks.check_clocks")


def clocks_check() -> Clocks:
    """Once a minute: entries from now on carry what is measured here."""
    clocks = clocks_measure()
    now = database_now()
    within = clocks.synchronised is not False and clocks.worst_ms() <= settings.MIA_CLOCK_LIMIT_MS
    columns = {
        "synchronised": clocks.synchronised,
        "database_offset_ms": clocks.database_offset_ms,
        "broker_offset_ms": clocks.broker_offset_ms,
        "within_limit": within,
    }
    with transaction.atomic():
        ClockState.objects.update_or_create(id=1, defaults={**columns, "at": now})
        last = ClockReading.objects.order_by("-id").first()
        differs = last is not None and (last.synchronised, last.within_limit) != (clocks.synchronised, within)
        kept = reading_due(last.recorded_at if last else None, now, differs=differs)
        if kept:
            facts_record([ClockReading(recorded_at=now, **columns)], actor=ACTOR)
    if clocks.worst_ms() > settings.MIA_CLOCK_LIMIT_MS:
        alert_raise(
            "clock_drift", priority=4,
            params={"offset": f"{clocks.worst_ms():.0f}", "limit": settings.MIA_CLOCK_LIMIT_MS},
        )  # fmt: skip
    elif clocks.synchronised is False and kept:  # news once an hour, not once a minute
        alert_raise("clock_unsynchronised", priority=3)
    return clocks
