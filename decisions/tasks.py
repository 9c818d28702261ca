"""Periodic work of the decisions app."""

from pathlib import Path

import structlog
from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError

from decisions.daily_export import export_daily_step
from decisions.event_memory import memories_propose
from decisions.replay.job import replay_advance
from mia_site.audit.actors import worker_actor
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.retry import Deadline, with_retries
from mia_site.ops.timings import timed

log = structlog.get_logger(__name__)
STEP_SECONDS = 15
REPLAY_SECONDS = 4
"""Short, so that what else waits for a worker soon has one."""
NAME = "decisions.tasks.export_daily"


@shared_task(name=NAME, acks_late=True)
def export_daily() -> None:
    """Writes a step of yesterday's tree under `exports/` of the data directory; asks for another if there is
    more.
    """
    deadline = Deadline(STEP_SECONDS)
    try:
        more = with_retries(lambda: _step(deadline))
    except OSError as error:
        alert_raise("export_failed", priority=3, params={"error": str(error)}, dedup_key=str(error.errno))
        raise
    if more:
        try:
            export_daily.apply_async()
        except BrokerError as error:  # the next hour's run goes on
            log.warning("export_not_continued", error=str(error))


@timed("export_daily")
def _step(deadline: Deadline) -> bool:
    return export_daily_step(
        Path(settings.DATA_DIR) / "exports", now=database_now(), deadline=deadline, actor=worker_actor(NAME)
    )


@shared_task(name="decisions.tasks.replay_limits", acks_late=True, soft_time_limit=28, time_limit=30)
def replay_limits() -> None:
    """A step of a replay that somebody asked for, every five seconds and as long as there is more to do."""
    if replay_advance(database_now(), seconds=REPLAY_SECONDS):
        try:
            replay_limits.apply_async(expires=60)
        except BrokerError as error:  # the next beat goes on
            log.warning("replay_not_continued", error=str(error))


@shared_task(name="decisions.tasks.propose_memory", acks_late=True)
def propose_memory() -> None:
    """Offers what happened around events that are over as market memory."""
    memories_propose(database_now())
