"""What alerts and timings offer to the registries: health, gauges, expiry, checks of their settings."""

from datetime import datetime
from typing import Any

from celery.signals import worker_process_shutdown
from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from mia_site.ops import alerts, timings
from mia_site.ops.channels.webhook import url_problem
from mia_site.ops.delivery import deliveries_by_status, deliveries_late
from mia_site.ops.registry import expiry_register, gauge_register, health_register


def work_rows_register() -> None:
    """Called once the apps are ready."""
    health_register("alerts", deliveries_late)
    gauge_register(
        "mia_alert_deliveries", "Alert deliveries that are not done", deliveries_by_status, labels=("status",)
    )
    expiry_register("timings", _expire_timings)
    expiry_register("alerts", _expire_alerts)
    checks.register(check_alert_settings)
    worker_process_shutdown.connect(_write_what_is_left, dispatch_uid="work-rows")


def check_alert_settings(**_: Any) -> list[checks.CheckMessage]:
    """Destinations that can never work are found at the start, not by the first alert."""
    found: list[checks.CheckMessage] = []
    for number, url in enumerate(settings.MIA_ALERT_WEBHOOKS, 1):
        if problem := url_problem(url):
            found.append(checks.Error(f"MIA_ALERT_WEBHOOKS, address {number}: {problem}", id="ops.E001"))
    for address in settings.MIA_ALERT_EMAILS:
        try:
            validate_email(address)
        except ValidationError:
            found.append(checks.Error(f"MIA_ALERT_EMAILS: {address!r} is no address", id="ops.E002"))
    if settings.MIA_ALERT_LANGUAGE not in dict(settings.LANGUAGES):
        found.append(checks.Error(f"MIA_ALERT_LANGUAGE: {settings.MIA_ALERT_LANGUAGE!r}", id="ops.E003"))
    return found


def _expire_timings(now: datetime) -> int:
    return timings.timings_expire(now, days=settings.MIA_TIMINGS_DAYS)


def _expire_alerts(now: datetime) -> int:
    return alerts.alerts_expire(now, days=settings.MIA_ALERT_DAYS)


def _write_what_is_left(**_: Any) -> None:
    """A pool process of Celery ends without running what is registered for exit."""
    timings.writer.stop()
    alerts.outside.stop()
