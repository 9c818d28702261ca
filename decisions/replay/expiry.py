"""How long a replay is kept."""

from datetime import datetime, timedelta

from django.conf import settings

from decisions.models import LimitsReplay


def replays_expire(now: datetime) -> int:
    """Deletes replays that are as old as alerts may get; returns how many."""
    oldest = now - timedelta(days=settings.MIA_ALERT_DAYS)
    return LimitsReplay.objects.filter(created_at__lt=oldest).delete()[0]
