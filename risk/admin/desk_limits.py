"""The desk's own drawdown: its rules with a second person's yes or no, and the sums they were measured on."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin
from mia_site.audit.admin.filters import RecordedDayFilter
from mia_site.audit.admin.rendering import badge, number
from risk.admin.account_page import limits_yaml
from risk.admin.limits import changes_table, decision_view
from risk.admin.limits_status import status_badge
from risk.admin.limits_steps import step_context, step_view
from risk.admin.shared import ReasonMixin, WhoMixin
from risk.models import DeskLimitsApproval, DeskLimitsVersion, DeskPoint
from risk.risk_controller import desk_limits_decide


@admin.register(DeskLimitsVersion)
class DeskLimitsVersionAdmin(WhoMixin, ReasonMixin, FactAdmin):
    who_column = "proposer"
    list_display = ("name", "status", "who", "reason_shown", "recorded_at")
    list_filter = (("recorded_at", RecordedDayFilter),)
    empty_words = gettext_lazy("The desk sets no limits for all accounts yet. They are proposed on the desk's page.")
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        ("version", "status"), ("who", "recorded_at"), ("way", "effective_at"), "reason_shown", "changes_shown",
        "document", "seq",
    )  # fmt: skip
    change_form_outer_before_template = "admin/desk/desk_limits_links.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("approval", "step")

    def get_urls(self) -> list[Any]:
        views = (("decide", self.decide_view), ("step", self.step_view))
        mine = [
            path(f"<uuid:object_id>/{name}/", self.admin_site.admin_view(view), name=f"risk_desklimitsversion_{name}")
            for name, view in views
        ]
        return [*mine, *super().get_urls()]

    def step_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """Withdraws a version that waits, or reviews one that is in force by break-glass."""
        version = self.get_object(request, str(object_id))
        if version is None:
            raise Http404
        return step_view(
            self, request, version, shown=changes_table(version),
            title=_("v%(version)s of the desk's limits") % {"version": version.version},
            back=reverse("admin:risk_desklimitsversion_change", args=[object_id]),
        )  # fmt: skip

    def decide_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """A second person approves or rejects, with a reason."""
        version = self.get_object(request, str(object_id))
        if version is None:
            raise Http404
        return decision_view(
            self, request, version, decide=desk_limits_decide,
            title=_("Decide on v%(version)s of the desk's limits") % {"version": version.version},
            back=reverse("admin:risk_desklimitsversion_change", args=[object_id]),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {**super().page_context(request, obj), **step_context(request, obj)}

    @admin.display(description=gettext_lazy("version"))
    def name(self, row: DeskLimitsVersion) -> str:
        return f"v{row.version}"

    @admin.display(description=gettext_lazy("proposed by"))
    def who(self, row: Any) -> str:
        return super().who(row)

    @admin.display(description=gettext_lazy("status"))
    def status(self, row: DeskLimitsVersion) -> SafeString:
        return status_badge(row)

    @admin.display(description=gettext_lazy("changes"))
    def changes_shown(self, row: DeskLimitsVersion) -> SafeString | str:
        return changes_table(row)

    @admin.display(description=gettext_lazy("limits"))
    def document(self, row: DeskLimitsVersion) -> SafeString:
        return format_html('<pre class="desk-json">{}</pre>', limits_yaml(row.body))


@admin.register(DeskLimitsApproval)
class DeskLimitsApprovalAdmin(WhoMixin, FactAdmin):
    who_column = "approver"
    list_display = ("recorded_at", "limits", "answer", "who", "reason")
    list_filter = (("recorded_at", RecordedDayFilter),)
    list_select_related = ("limits",)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("limits", "answer"), ("who", "seq"), "reason", "recorded_at")

    @admin.display(description=gettext_lazy("answer"))
    def answer(self, row: DeskLimitsApproval) -> SafeString:
        return badge(_("approved"), "good") if row.approved else badge(_("rejected"), "bad")


@admin.register(DeskPoint)
class DeskPointAdmin(FactAdmin):
    list_display = ("recorded_at", "equity_of_all", "cash_flow", "account", "seq")
    list_filter = (("recorded_at", RecordedDayFilter),)
    list_select_related = ("account",)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("equity_of_all", "cash_flow"), ("account", "seq"), "recorded_at")

    @admin.display(description=gettext_lazy("Equity of all accounts"))
    def equity_of_all(self, row: DeskPoint) -> str:
        return number(row.equity, 2)
