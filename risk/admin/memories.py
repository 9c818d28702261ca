"""Pages of proposed memories: what happened around an event, and what staff said to it."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin
from mia_site.audit.admin.filters import RecordedDayFilter
from risk.admin.shared import AccountFilter
from risk.models import MemoryProposal, MemoryRuling


@admin.register(MemoryProposal)
class MemoryProposalAdmin(FactAdmin):
    list_display = ("recorded_at", "account", "event_type", "at", "confidence")
    list_select_related = ("account",)
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    search_fields = ("event_type__exact",)
    search_help_text = gettext_lazy("Event type, exactly")
    sortable_by = ()
    ordering = ("-id",)
    column_styles = {"features": "pairs"}
    fields = (("event_type", "at"), ("account", "confidence"), "features", ("event_id", "recorded_at"))


@admin.register(MemoryRuling)
class MemoryRulingAdmin(FactAdmin):
    list_display = ("recorded_at", "proposal", "accepted", "actor", "reason")
    list_select_related = ("proposal",)
    list_filter = (("recorded_at", RecordedDayFilter),)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("proposal", "accepted"), "reason", ("actor", "cluster_id"), "recorded_at")
