"""The risk app's share of `import_mia`: from parsed records to facts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mia_site.ops.clock import database_now
from risk.calendar_import import calendar_import
from risk.history_import import penalties_import, snapshots_import
from risk.import_job import ImportJob, Tally
from risk.limits_import import limits_import
from risk.models import CalendarFetch
from risk.reference_import import clusters_import, feature_reference_import, features_import
from risk.sources.records import Kind, Parsed

SOURCE_CHARS = 64
JUST_READ = timedelta(hours=1)

_IMPORTS: Mapping[Kind, Callable[[Sequence[Any], ImportJob], Tally]] = {
    Kind.FEATURE_IMPORTANCE: features_import,
    Kind.FEATURE_REFERENCE: feature_reference_import,
    Kind.MARKET_MEMORY: clusters_import,
    Kind.MARKET_CONFIG: lambda records, job: limits_import(records[0], job) if records else Tally(),
    Kind.PENALTY_LOG: penalties_import,
    Kind.RISK_SNAPSHOT: snapshots_import,
}
KINDS = frozenset({*_IMPORTS, Kind.MACRO_EVENTS})
"""What `risk_import` imports."""
ACCOUNT_KINDS = frozenset({Kind.MARKET_CONFIG, Kind.PENALTY_LOG, Kind.RISK_SNAPSHOT})
"""What of it belongs to an account."""


def risk_import(parsed: Parsed[Any], data: bytes, sha256: str, job: ImportJob) -> Tally:
    """Imports the parsed file; `data` are its bytes. Raises `ImportRefused`, and what the database raises."""
    if parsed.kind is Kind.MACRO_EVENTS:
        return _calendar(data, sha256, job)
    return _IMPORTS[parsed.kind](parsed.records, job)


def _calendar(data: bytes, sha256: str, job: ImportJob) -> Tally:
    """Reads a calendar; what was read whole within the hour is not read again, since even that is a fact."""
    source = job.name[-SOURCE_CHARS:]
    plan = calendar_import(source, data, name=job.name, actor=job.actor, dry_run=True)
    just_read = CalendarFetch.objects.filter(
        source=source, sha256=sha256, ok=True, recorded_at__gt=database_now() - JUST_READ
    )
    again = not plan.added and not plan.changed and just_read.exists()
    if not again and not job.dry_run:
        plan = calendar_import(source, data, name=job.name, actor=job.actor)
    notes = [f"{plan.changed} of the events were known and have changed"] if plan.changed else []
    if again:
        notes.append("read within the last hour: the calendar is fresh")
    return Tally(imported=plan.added + plan.changed, unchanged=plan.unchanged, notes=notes)
