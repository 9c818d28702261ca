"""Pages of what people said about windows."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin
from mia_site.audit.admin.filters import RecordedDayFilter
from risk.models import WindowOverride, WindowRuling


@admin.register(WindowOverride)
class WindowOverrideAdmin(FactAdmin):
    list_display = ("recorded_at", "action", "event_type", "start_at", "end_at", "currency", "reason")
    list_filter = (("recorded_at", RecordedDayFilter),)
    search_fields = ("event_id__exact",)
    search_help_text = gettext_lazy("Id of the event")
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        ("action", "event_type"), ("start_at", "end_at"), ("currency", "impact"), "reason", ("proposer", "event_id"),
        ("made_event_id", "recorded_at"),
    )  # fmt: skip


@admin.register(WindowRuling)
class WindowRulingAdmin(FactAdmin):
    list_display = ("recorded_at", "override", "approved", "approver", "reason")
    list_select_related = ("override",)
    list_filter = (("recorded_at", RecordedDayFilter),)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("override", "approved"), "reason", ("approver", "recorded_at"))
