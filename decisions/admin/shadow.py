"""The shadow report: the rows of the filters, and above them what they add up to."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.admin.charts import BAD, CHART_OPTIONS, GOOD, WARN
from decisions.admin.shared import verdict_badge
from decisions.models import Decision, ShadowRow
from decisions.shadow_export import report_csv
from decisions.shadow_report import ShadowLine, Span, shadow_lines, span_of
from mia_site.audit.admin.base import ReadOnlyAdmin, action
from mia_site.audit.admin.exporting import CONTENT
from mia_site.audit.admin.filters import DayRangeFilter, select_of
from mia_site.audit.admin.rendering import link, number, percent
from risk.admin.shared import AccountFilter
from risk.rules.limits import RuleName

TOTALS = "totals"
NAMES = {Span.DAY: "MONTH_DAY_FORMAT", Span.WEEK: "MONTH_DAY_FORMAT", Span.MONTH: "YEAR_MONTH_FORMAT"}


def _rules() -> list[tuple[str, str]]:
    return [(name.value, name.value) for name in RuleName]


@admin.register(ShadowRow)
class ShadowRowAdmin(ReadOnlyAdmin):
    list_display = ("at", "account", "rule", "trade", "would", "share_shown", "pnl", "closed_at")
    list_filter = (("account", AccountFilter), ("rule", select_of(_rules)), ("at", DayRangeFilter))
    list_select_related = ("account",)
    list_before_template = "admin/desk/shadow_report.html"
    empty_words = gettext_lazy(
        "No rule in shadow found fault with a decision. A rule is put in shadow by the limits: it then judges and is "
        "written down, and stops nothing."
    )
    sortable_by = ("at",)
    ordering = ("-at", "-pk")
    fields = (("account", "rule"), ("at", "trade"), ("outcome", "share_shown"), ("pnl", "closed_at"))
    actions_list = (
        {
            "title": gettext_lazy("Export"),
            "icon": "download",
            "items": ["export_csv", "export_json", "export_totals"],
        },
    )

    def page_prepare(self, rows: Sequence[Any]) -> None:
        trades = dict(Decision.objects.filter(pk__in={row.decision_id for row in rows}).values_list("pk", "trade_id"))
        for row in rows:
            row.trade_shown = trades.get(row.decision_id, "")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data |= report_context(response.context_data["cl"].queryset)
        return response

    @action(description=gettext_lazy("totals by day as CSV"), url_path="export/totals", permissions=["export"])
    def export_totals(self, request: HttpRequest) -> HttpResponseBase:
        return self._export(request, TOTALS)

    def export_rows(self, request: HttpRequest, rows: QuerySet[Any], kind: str) -> HttpResponseBase:
        if kind != TOTALS:
            return super().export_rows(request, rows, kind)
        response = HttpResponse(report_csv(shadow_lines(rows, Span.DAY)), content_type=CONTENT["csv"])
        response["Content-Disposition"] = 'attachment; filename="shadow_report.csv"'
        return response

    @admin.display(description=gettext_lazy("trade"))
    def trade(self, row: Any) -> SafeString:
        name = getattr(row, "trade_shown", None)
        if name is None:
            name = Decision.objects.filter(pk=row.decision_id).values_list("trade_id", flat=True).first()
        return link(reverse("admin:decisions_decision_change", args=[row.decision_id]), name or row.decision_id)

    @admin.display(description=gettext_lazy("would have been"))
    def would(self, row: ShadowRow) -> SafeString:
        return verdict_badge(row.outcome)

    @admin.display(description=gettext_lazy("share stopped"))
    def share_shown(self, row: ShadowRow) -> str:
        return percent(row.share)


def report_context(rows: "QuerySet[ShadowRow]") -> dict[str, Any]:
    """What the rows add up to: by account and rule, and over time."""
    span = span_of(rows)
    periods = _by_period(shadow_lines(rows, span))
    return {
        "shadow_lines": [{"line": line, "pnl": number(line.pnl, 2)} for line in shadow_lines(rows)],
        "stopped_chart": _stopped_chart(periods, span),
        "pnl_chart": _pnl_chart(periods, span),
        "chart_options": CHART_OPTIONS,
    }


Periods = dict[datetime, list[ShadowLine]]


def _by_period(lines: Sequence[ShadowLine]) -> Periods:
    periods: Periods = {}
    for line in lines:
        if line.period is not None:
            periods.setdefault(line.period, []).append(line)
    return periods


def _stopped_chart(periods: Periods, span: Span) -> str:
    blocked = [sum(line.blocked for line in lines) for lines in periods.values()]
    reduced = [sum(line.reduced for line in lines) for lines in periods.values()]
    if not any((*blocked, *reduced)):
        return ""
    return _chart(periods, span, (_("blocked"), blocked, BAD), (_("reduced"), reduced, WARN))


def _pnl_chart(periods: Periods, span: Span) -> str:
    """Losses that would have been spared above, profits that would have been missed below the line."""
    spared = [float(sum(-line.pnl for line in lines if line.pnl < 0)) for lines in periods.values()]
    missed = [float(sum(-line.pnl for line in lines if line.pnl > 0)) for lines in periods.values()]
    if not any((*spared, *missed)):
        return ""
    return _chart(periods, span, (_("losses spared"), spared, GOOD), (_("profits missed"), missed, BAD))


def _chart(periods: Periods, span: Span, *bars: tuple[str, Sequence[float], str]) -> str:
    return json.dumps(
        {
            "labels": [formats.date_format(at, NAMES[span]) for at in periods],
            "datasets": [{"label": name, "data": data, "backgroundColor": colour} for name, data, colour in bars],
        }
    )
