"""Celery application. The beat schedule is one table: task name -> period in seconds."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_process_init

from mia_site.ops.supervisor.launch import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mia_site.settings")

PERIODS: dict[str, float] = {
    "mia_site.ops.heartbeat.pulse": 10.0,
    "mia_site.ops.tasks.deliver_alerts": 5.0,
    "mia_site.ops.tasks.expire_work_rows": 600.0,
    "mia_site.audit.tasks.seal_pending": 2.0,
    "mia_site.audit.tasks.check_clocks": 60.0,
    "mia_site.audit.tasks.post_checkpoints": 60.0,
    "mia_site.audit.tasks.journal_login_failures": 60.0,
    "mia_site.audit.tasks.verify_audit": 60.0,
    "risk.tasks.check_drawdown": 60.0,
    "risk.tasks.check_calendar": 60.0,
    "risk.tasks.refresh_calendar": 900.0,
    "risk.tasks.refresh_sessions": 86_400.0,
    "decisions.tasks.export_daily": 3600.0,
    "decisions.tasks.propose_memory": 900.0,
    "decisions.tasks.replay_limits": 5.0,
}

app = Celery("mia_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    # A run that no worker took within its period is dropped: the next one does its work.
    name: {"task": name, "schedule": period, "options": {"expires": max(period, 10.0)}}
    for name, period in PERIODS.items()
}


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery would configure the root logger itself; it writes as the rest of the desk does."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def _end_with_the_worker(**_: Any) -> None:
    """A pool process must not outlive its worker: it would go on with a task that another one takes over."""
    die_with_parent()


@beat_init.connect
def _run_at_once(**_: Any) -> None:
    """A desk that starts or comes back does not wait a period: openings are blocked until its accounts are checked."""
    for name in PERIODS:
        app.send_task(name, expires=60)
