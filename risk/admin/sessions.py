"""Pages of the trading sessions: the table that the gate reads, and what staff know better."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import JournalAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import DayRangeFilter
from risk.models import SessionOverride, TradingSession


@admin.register(TradingSession)
class TradingSessionAdmin(ReadOnlyAdmin):
    list_display = ("day", "hours", "opens_at", "closes_at", "source")
    list_filter = (("opens_at", DayRangeFilter),)
    sortable_by = ("opens_at",)
    ordering = ("-opens_at",)
    fields = (("day", "hours"), ("opens_at", "closes_at"), "source")


@admin.register(SessionOverride)
class SessionOverrideAdmin(JournalAdmin):
    """Counts from the next `refresh_sessions` on, within the hour."""

    list_display = ("day", "hours", "closed", "opens_at", "closes_at", "source")
    fields = (("day", "hours"), "closed", "opens_at", "closes_at", "source")
    empty_words = gettext_lazy("No day has other hours than the exchange's calendar says.")
    search_fields = ("source",)
    search_help_text = gettext_lazy("Where it was published")

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-day", "hours")
