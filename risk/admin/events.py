"""Pages of the macro calendar."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin, JournalAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import DayRangeFilter, FlagFilter, RecordedDayFilter
from mia_site.audit.admin.rendering import badge, number
from mia_site.audit.models import Entry
from risk.admin.windows import event_links
from risk.models import CalendarFetch, CalendarSource, EventVersion, MacroEvent, WindowAnnouncement

HIGH = Decimal("0.7")


def impact_badge(impact: Decimal) -> SafeString:
    """The impact, and whether it is high (above 0.7)."""
    return badge(_("%(impact)s high") % {"impact": number(impact)}, "bad") if impact > HIGH else badge(number(impact))


class ImpactMixin:
    @admin.display(description=gettext_lazy("impact"))
    def impact_shown(self, row: Any) -> SafeString:
        return impact_badge(row.impact)


@admin.register(MacroEvent)
class MacroEventAdmin(ImpactMixin, ReadOnlyAdmin):
    list_display = ("start_at", "event_type", "currency", "impact_shown", "status", "waived", "source", "version")
    list_filter = (("start_at", DayRangeFilter),)
    empty_words = gettext_lazy(
        "No event is known. A calendar source brings them, or manage.py import_mia macro_events.csv."
    )
    search_fields = ("event_type__exact",)
    search_help_text = gettext_lazy("Event type, exactly")
    sortable_by = ("start_at",)
    ordering = ("-start_at",)
    column_styles = {"waived": "flag", "by_staff": "flag"}
    fields = (
        ("event_type", "start_at"), ("currency", "impact_shown"), ("status", "end_at"), ("by_staff", "waived"),
        ("source", "cluster_ref"), ("version", "uid"), "id",
    )  # fmt: skip

    change_form_outer_before_template = "admin/desk/links.html"

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {**super().page_context(request, obj), "links": event_links(request, obj)}

    def journal_of(self, obj: models.Model) -> QuerySet[Entry]:
        """An event's story is that of its versions."""
        versions = EventVersion.objects.filter(event_id=obj.pk).values_list("pk", flat=True)
        return Entry.objects.filter(pk__in=list(versions))


@admin.register(EventVersion)
class EventVersionAdmin(ImpactMixin, FactAdmin):
    list_display = ("recorded_at", "event_type", "start_at", "currency", "impact_shown", "version", "source")
    list_filter = (("recorded_at", RecordedDayFilter),)
    search_fields = ("event_id__exact",)
    search_help_text = gettext_lazy("Id of the event")
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        ("event_type", "start_at"), ("currency", "impact_shown"), ("source", "cluster_ref"), ("version", "event_id"),
        ("status", "end_at"), ("by_staff", "uid"), ("fetch_id", "recorded_at"),
    )  # fmt: skip


@admin.register(CalendarFetch)
class CalendarFetchAdmin(FactAdmin):
    list_display = (
        "recorded_at", "source", "ok", "rows", "added", "changed", "unchanged", "removed", "rejected", "error",
    )  # fmt: skip
    list_filter = (("ok", FlagFilter), ("recorded_at", RecordedDayFilter))
    sortable_by = ()
    ordering = ("-id",)
    column_styles = {"sha256": "short"}
    fields = (
        ("source", "ok"), ("rows", "added"), ("changed", "unchanged"), ("removed", "rejected"), "error",
        ("sha256", "recorded_at"),
    )  # fmt: skip


@admin.register(WindowAnnouncement)
class WindowAnnouncementAdmin(ReadOnlyAdmin):
    list_display = ("opens_at", "closes_at", "events", "opened_at", "closed_at")
    sortable_by = ()
    ordering = ("-pk",)
    fields = ("events", ("opens_at", "closes_at"), ("opened_at", "closed_at"), "window")


class CalendarSourceForm(forms.ModelForm[CalendarSource]):
    """A source that can be read as it is described."""

    class Meta:
        model = CalendarSource
        fields = (
            "name", "dialect", "url", "path", "zone", "currencies", "columns", "impacts", "times", "every_minutes",
            "required", "enabled",
        )  # fmt: skip
        help_texts: ClassVar[dict[str, Any]] = {
            "url": gettext_lazy("An address or a file on the desk's machine, one of the two."),
            "zone": gettext_lazy("Of times that are written without one, for example America/New_York."),
            "currencies": gettext_lazy("Only events of these, for example USD, EUR; none: all."),
            "columns": gettext_lazy('For example {"date": "When", "event": "What"}; docs/calendar.md has the keys.'),
            "impacts": gettext_lazy('Words of an event\'s name, 0 to 1, for example {"payrolls": 0.9}.'),
            "times": gettext_lazy('Of releases that have a date alone, for example {"retail sales": "08:30"}.'),
        }

    def clean_columns(self) -> Any:
        return self.cleaned_data["columns"] or {}

    def clean_impacts(self) -> Any:
        return self.cleaned_data["impacts"] or {}

    def clean_times(self) -> Any:
        return self.cleaned_data["times"] or {}


@admin.register(CalendarSource)
class CalendarSourceAdmin(JournalAdmin):
    form = CalendarSourceForm
    list_display = ("name", "place_shown", "dialect", "enabled", "required", "good_at", "known_until", "next_at")
    fields = (
        ("name", "dialect"), ("url", "path"), ("zone", "currencies"), ("columns", "impacts"), "times",
        ("every_minutes", "required", "enabled"), ("good_at", "known_until", "next_at"),
    )  # fmt: skip
    readonly_fields = ("good_at", "known_until", "next_at")
    empty_words = gettext_lazy("No source is read: without one the calendar grows old, and openings are blocked.")

    @admin.display(description=gettext_lazy("file or address"))
    def place_shown(self, row: CalendarSource) -> str:
        return row.place
