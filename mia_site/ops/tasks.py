"""Celery tasks of operations. All idempotent; a run that dies loses nothing, since the rows stay."""

import structlog
from celery import shared_task

from mia_site.ops.clock import database_now
from mia_site.ops.delivery import alerts_deliver
from mia_site.ops.registry import expiry_run
from mia_site.ops.retry import Deadline

log = structlog.get_logger(__name__)


@shared_task(name="mia_site.ops.tasks.deliver_alerts", soft_time_limit=28, time_limit=30)
def deliver_alerts() -> None:
    """Sends what is due; every few seconds."""
    done = alerts_deliver()
    if done.sent or done.failed:
        log.info("alerts_delivered", routed=done.routed, sent=done.sent, failed=done.failed)


@shared_task(name="mia_site.ops.tasks.expire_work_rows")
def expire_work_rows() -> None:
    """Deletes work rows past their time, in small transactions, for at most 20 s; the next run goes on."""
    now = database_now()
    deleted = expiry_run(now, Deadline(20))
    if any(deleted.values()):
        log.info("work_rows_expired", **deleted)
