"""Outcomes and feature vectors."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.admin.shown_features import feature_rows
from decisions.models import Decision, DecisionFeatures, IdempotencyKey, OrderReport, Outcome, StreamCursor
from mia_site.audit.admin.base import FactAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import DayRangeFilter, RecordedDayFilter
from mia_site.audit.admin.rendering import link, short, table
from risk.admin.facts import AccountFactAdmin
from risk.admin.shared import AccountFilter, OriginMixin


class OfDecisionAdmin(AccountFactAdmin):
    """What was told of a decision, with its trade's name and the way to its page."""

    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    search_fields = ("account__code__exact", "decision_id__exact")
    search_help_text = gettext_lazy("Account or decision id")

    def page_prepare(self, rows: Iterable[Any]) -> None:
        ids = [row.decision_id for row in rows]
        trades = dict(Decision.objects.filter(pk__in=ids).values_list("pk", "trade_id"))
        for row in rows:
            row.trade_shown = trades.get(row.decision_id, "")

    @admin.display(description=gettext_lazy("trade"))
    def trade(self, row: Any) -> SafeString | str:
        name = getattr(row, "trade_shown", None)
        if name is None:
            name = Decision.objects.filter(pk=row.decision_id).values_list("trade_id", flat=True).first()
        return link(reverse("admin:decisions_decision_change", args=[row.decision_id]), name or row.decision_id)


@admin.register(Outcome)
class OutcomeAdmin(OriginMixin, OfDecisionAdmin):
    time_column = "closed_at"
    list_display = ("closed_at", "account", "trade", "pnl", "quantity", "exit_price", "final", "origin_shown")
    fields = (
        ("account", "trade"), ("pnl", "closed_at"), ("quantity", "exit_price"), ("final", "origin"),
        ("actor", "recorded_at"),
    )  # fmt: skip


@admin.register(OrderReport)
class OrderReportAdmin(OfDecisionAdmin):
    time_column = "at"
    list_display = ("at", "account", "trade", "status", "filled_quantity", "fill_price")
    fields = (
        ("account", "trade"), ("status", "at"), ("filled_quantity", "fill_price"), ("actor", "recorded_at"),
    )  # fmt: skip


@admin.register(DecisionFeatures)
class DecisionFeaturesAdmin(FactAdmin):
    list_display = ("recorded_at", "decision", "feature_set")
    list_select_related = ("feature_set",)
    list_filter = (("recorded_at", RecordedDayFilter),)
    search_fields = ("pk__exact",)
    search_help_text = gettext_lazy("Decision id")
    sortable_by = ()
    ordering = ("-id",)
    export_leave_out = ("salt",)
    fields = ("decision", ("feature_set", "recorded_at"), "top", "vector")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("feature_set")

    @admin.display(description=gettext_lazy("decision"))
    def decision(self, row: models.Model) -> SafeString:
        return link(reverse("admin:decisions_decision_change", args=[row.pk]), short(row.pk))

    @admin.display(description=gettext_lazy("most important features"))
    def top(self, row: DecisionFeatures) -> SafeString | str:
        found = feature_rows(row.feature_set, bytes(row.vector))
        rows = [(item.place, item.name, item.share, item.value) for item in found]
        return table(("#", _("feature"), _("share of importance"), _("value")), rows)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "client", "key", "decisions")
    list_select_related = ("client",)
    list_filter = (("created_at", DayRangeFilter),)
    search_fields = ("key__exact",)
    search_help_text = gettext_lazy("Key")
    sortable_by = ("created_at",)
    ordering = ("-created_at", "-pk")
    fields = (("client", "created_at"), "key", "decisions", "body_sha256")

    @admin.display(description=gettext_lazy("decisions"))
    def decisions(self, row: IdempotencyKey) -> SafeString:
        pages = ((reverse("admin:decisions_decision_change", args=[pk]), pk) for pk in row.decision_ids[:3])
        return format_html_join(" ", "{}", ((link(page, short(pk)),) for page, pk in pages))


@admin.register(StreamCursor)
class StreamCursorAdmin(ReadOnlyAdmin):
    list_display = ("client", "name", "committed", "updated_at")
    list_select_related = ("client",)
    sortable_by = ()
    ordering = ("-pk",)
