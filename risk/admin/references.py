"""Pages of what the gate refers to: market memory, feature sets, imports."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin
from mia_site.audit.admin.filters import DayRangeFilter
from mia_site.audit.admin.rendering import number, table
from risk.models import Cluster, FeatureSet, ImportRun


@admin.register(Cluster)
class ClusterAdmin(FactAdmin):
    list_display = ("at", "event_type", "confidence", "vix_es_correlation", "source_id")
    list_filter = (("at", DayRangeFilter),)
    empty_words = gettext_lazy(
        "The market memory is empty. manage.py import_mia fills it, and proposals that are accepted."
    )
    search_fields = ("event_type__exact", "source_id__exact")
    search_help_text = gettext_lazy("Event type or id in the source")
    sortable_by = ("at",)
    column_styles = {"features": "pairs", "content": "short"}
    fields = (
        ("event_type", "at"), ("confidence", "vix_es_correlation"), "features", ("source_id", "content"), "recorded_at",
    )  # fmt: skip


@admin.register(FeatureSet)
class FeatureSetAdmin(FactAdmin):
    list_display = ("version", "count", "source", "content", "recorded_at")
    empty_words = gettext_lazy("No feature set is known. manage.py import_mia feature_importance.csv brings one.")
    sortable_by = ("version",)
    column_styles = {"content": "short"}
    export_leave_out = ()
    fields = (("version", "count"), ("source", "recorded_at"), "content", "features_shown")

    @admin.display(description=gettext_lazy("features by importance"))
    def features_shown(self, row: FeatureSet) -> SafeString:
        rows = (
            (place, name, number(share, 6))
            for place, (name, share) in enumerate(zip(row.names, row.importances, strict=False), 1)
        )
        return table(("#", _("feature"), _("importance")), rows)


@admin.register(ImportRun)
class ImportRunAdmin(FactAdmin):
    list_display = ("recorded_at", "name", "file_kind", "account", "read", "imported", "unchanged", "rejected")
    list_select_related = ("account",)
    search_fields = ("pk__exact",)
    sortable_by = ()
    column_styles = {"sha256": "short"}
    fields = (
        ("name", "file_kind"), ("account", "timezone"), ("read", "imported"), ("unchanged", "rejected"), "notes",
        "sha256", "recorded_at",
    )  # fmt: skip

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-id",)
