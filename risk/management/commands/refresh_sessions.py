"""The trading sessions of the coming year, computed now."""

from typing import Any

from django.core.management.base import BaseCommand

from mia_site.ops.clock import database_now
from risk.sessions import sessions_refresh


class Command(BaseCommand):
    help = "Compute the trading sessions that the gate reads, from two months ago to a year ahead."

    def handle(self, *args: Any, **options: Any) -> None:
        count = sessions_refresh(database_now())
        self.stdout.write(self.style.SUCCESS(f"{count} sessions"))
