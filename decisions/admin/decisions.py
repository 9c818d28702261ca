"""Decisions: find one, read why it was blocked, export what was found."""

from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from decisions.admin.decision_page import decision_context
from decisions.admin.shared import effect_word, verdict_badge
from decisions.admin.week import week_view
from decisions.export import decisions_csv, decisions_json
from decisions.models import Decision
from mia_site.audit.admin.base import FactAdmin
from mia_site.audit.admin.exporting import CONTENT
from mia_site.audit.admin.filters import DayRangeFilter, SelectFilter, select_of
from mia_site.audit.admin.rendering import EMPTY, mono, number
from risk.admin.shared import AccountFilter, OriginMixin
from risk.rules.codes import ReasonCode

LAST = "\U0010ffff"


def _codes() -> list[tuple[str, str]]:
    return [(code.value, code.value) for code in ReasonCode]


@admin.register(Decision)
class DecisionAdmin(OriginMixin, FactAdmin):
    list_display = (
        "at", "trade_id", "account", "asked", "verdict_shown", "effect_shown", "first_reason", "signal_score",
        "origin_shown",
    )  # fmt: skip
    list_display_links = ("at", "trade_id")
    list_filter = (
        ("account", AccountFilter),
        ("verdict", SelectFilter),
        ("reason_code", select_of(_codes)),
        ("origin", SelectFilter),
        ("at", DayRangeFilter),
    )
    list_select_related = ("account",)
    search_fields = ("trade_id",)
    search_help_text = gettext_lazy("Trade (its beginning) or decision id")
    sortable_by = ("at",)
    ordering = ("-at", "-id")
    change_form_outer_before_template = "admin/desk/decision.html"
    column_styles = {"judged_on": "pairs", "feature_commitment": "short"}
    fieldsets = (
        (
            gettext_lazy("The bot's question"),
            {
                "fields": (
                    ("trade_id", "decision"), ("instrument", "side"), ("quantity", "price"), ("order_type", "order_id"),
                    ("signal_score", "decided_at"), "regime_probs", "reason", ("algorithm", "model"), "trace_id",
                    "context",
                ),
            },
        ),
        (
            gettext_lazy("The answer"),
            {
                "fields": (
                    ("verdict", "effect_shown"), ("max_quantity", "trading_state"), ("valid_until", "retry_at"),
                    ("limits", "reason_code"),
                ),
            },
        ),
        (
            gettext_lazy("The record"),
            {
                "fields": (
                    ("account", "client"), ("actor", "seq"), ("origin", "mode"), ("at", "recorded_at"),
                    ("feature_set", "feature_commitment"), "id",
                ),
            },
        ),
    )  # fmt: skip

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.week_view)
        return [path("week/", view, name="decisions_decision_week"), *super().get_urls()]

    def week_view(self, request: HttpRequest) -> HttpResponseBase:
        """The calendar's week, with what it refused."""
        return week_view(self, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account", "client", "limits", "feature_set")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """By the beginning of the trade's name or by id; both find their rows in an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = trade_begins(term)
        if len(term.replace("-", "")) == 32 and not set(term.lower()) - set("0123456789abcdef-"):
            found |= Q(pk=term)
        return queryset.filter(found), False

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {**super().page_context(request, obj), **decision_context(obj)}

    def export_rows(self, request: HttpRequest, rows: QuerySet[Any], kind: str) -> HttpResponseBase:
        write = decisions_csv if kind == "csv" else decisions_json
        response = StreamingHttpResponse(write(rows.select_related(None)), content_type=CONTENT[kind])
        response["Content-Disposition"] = f'attachment; filename="decisions.{kind}"'
        return response

    @admin.display(description=gettext_lazy("asked"))
    def asked(self, row: Decision) -> str:
        side = "" if row.side == row.decision else row.side
        parts = (row.decision, side, number(row.quantity) if row.quantity is not None else "", row.instrument)
        return " ".join(part for part in parts if part)

    @admin.display(description=gettext_lazy("verdict"))
    def verdict_shown(self, row: Decision) -> SafeString:
        return verdict_badge(row.verdict)

    @admin.display(description=gettext_lazy("effect"))
    def effect_shown(self, row: Decision) -> str:
        return effect_word(row.effect)

    @admin.display(description=gettext_lazy("first reason"))
    def first_reason(self, row: Decision) -> Any:
        return mono(row.reason_code) if row.reason_code else EMPTY


def trade_begins(term: str) -> Q:
    """Trades whose name begins with `term`. As a range on SQLite, which has no index for a case-sensitive LIKE."""
    if connection.vendor == "sqlite":
        return Q(trade_id__gte=term, trade_id__lt=term + LAST)
    return Q(trade_id__startswith=term)
