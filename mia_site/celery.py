"""Celery application. The beat schedule is one table: task name -> period in seconds."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mia_site.settings")

PERIODS: dict[str, float] = {
    "mia_site.ops.tasks.deliver_alerts": 5.0,
    "risk.tasks.check_drawdown": 60.0,
    "risk.tasks.check_calendar": 60.0,
    "risk.tasks.refresh_calendar": 900.0,
    "decisions.tasks.export_daily": 3600.0,
}

app = Celery("mia_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    # A run that no worker took within its period is dropped: the next one does its work.
    name: {"task": name, "schedule": period, "options": {"expires": max(period, 10.0)}}
    for name, period in PERIODS.items()
}
