"""What ``/readyz`` looks at that belongs to no app: database, schema, disk, triggers, broker, worker, beat.

Essential is only what the gate needs in order to record (DESIGN 4.12): requests never need Redis, so a desk without
workers is degraded, not down.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import redis
from django.conf import settings
from django.db import Error, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mia_site.ops import heartbeat
from mia_site.ops.append_only import missing_triggers
from mia_site.ops.registry import gauge_register, health_register
from mia_site.ops.schema_guard import schema_state

MIN_FREE_BYTES = 32 * 1024 * 1024
LOCK_MILLISECONDS = 500
"""As long as the gate itself would wait for the write lock before it blocks."""

_schema_is_current = False


def health_checks_register() -> None:
    """Called once the apps are ready."""
    health_register("database", check_database, essential=True)
    health_register("disk", check_disk, essential=True)
    health_register("schema", check_schema, essential=True)
    health_register("triggers", check_triggers)
    health_register("broker", check_broker)
    health_register("worker", check_worker)
    health_register("beat", check_beat)
    gauge_register("mia_pulse_age_seconds", "Seconds since the last sign of life", pulse_ages, labels=("process",))
    gauge_register("mia_queue_length", "Tasks that wait in the broker", queue_length)


def check_database() -> str:
    """Takes the write lock as the gate does, and lets go of it without a change."""
    if connection.vendor == "sqlite":
        return _check_sqlite()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean")
        row = cursor.fetchone()
    return _("the database is read-only") if row and row[0] else ""


def _check_sqlite() -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (usual,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_MILLISECONDS:d}")
        try:
            with transaction.atomic():
                transaction.set_rollback(True)
        except Error as error:
            return str(error)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual:d}")
    return ""


def check_disk() -> str:
    """Free space where the data are: a full disk loses the next decision."""
    free = shutil.disk_usage(Path(settings.DATA_DIR)).free
    if free >= MIN_FREE_BYTES:
        return ""
    return _("only %(free)d MB are free in %(where)s") % {"free": free // 2**20, "where": settings.DATA_DIR}


def check_schema() -> str:
    """Every migration of this code is applied. Asked until it is so, then never again by this process."""
    global _schema_is_current  # noqa: PLW0603 - one answer per process
    if _schema_is_current:
        return ""
    pending = schema_state(connection).pending
    _schema_is_current = not pending
    if _schema_is_current:
        return ""
    count = len(pending)
    sentence = ngettext("%(count)d migration is not applied", "%(count)d migrations are not applied", count)
    return sentence % {"count": count}


def check_triggers() -> str:
    """The database still holds the rule that facts are append-only."""
    missing = missing_triggers(connection)
    return _("append-only triggers are missing: %(names)s") % {"names": ", ".join(missing)} if missing else ""


def check_broker() -> str:
    """The Redis-protocol server answers."""
    try:
        heartbeat.broker().ping()
    except redis.RedisError as error:
        return _("the broker does not answer (%(error)s): tasks wait") % {"error": type(error).__name__}
    return ""


def check_worker() -> str:
    """A worker took a task lately."""
    return _pulse_late("worker")


def check_beat() -> str:
    """Beat sent a task lately."""
    return _pulse_late("beat")


def _pulse_late(process: str) -> str:
    try:
        age = next(pulse.age for pulse in heartbeat.pulses() if pulse.process == process)
    except redis.RedisError:
        return _("unknown while the broker does not answer")
    if age is None:
        return _("no sign of life yet")
    if age <= heartbeat.LATE_SECONDS:
        return ""
    return _("no sign of life for %(seconds)d s") % {"seconds": age}


def pulse_ages() -> Mapping[tuple[str, ...], float]:
    """For `/metrics`; a process that never showed is left out."""
    return {(pulse.process,): pulse.age for pulse in heartbeat.pulses() if pulse.age is not None}


def queue_length() -> Mapping[tuple[str, ...], float]:
    """For `/metrics`."""
    return {(): float(heartbeat.broker().llen("celery"))}
