"""Pages of the account's facts: equity, positions, snapshots, penalties, states; and the projection of admissions."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import DayRangeFilter, FlagFilter, RecordedDayFilter, SelectFilter
from mia_site.audit.admin.rendering import EMPTY, badge
from mia_site.audit.models import Entry
from risk.admin.resume_reviews import resume_review_view, resume_unreviewed
from risk.admin.shared import EFFECT_WORDS, AccountFilter, OriginMixin, ReasonMixin, WhoMixin, state_badge
from risk.models import (
    Admission,
    EquityBatch,
    EquityPoint,
    HeldPoint,
    HeldRuling,
    PeakRebase,
    Penalty,
    PositionReport,
    Snapshot,
    StateChange,
)
from risk.models.state import Cause
from risk.rules.losses import LOSSES, TRADE_LOSS

SNAPSHOT_CAUSES = {**dict(Cause.choices), "check": gettext_lazy("regular check"), "imported": gettext_lazy("imported")}
PENALTY_KINDS = {
    "drawdown": gettext_lazy("drawdown"),
    LOSSES: gettext_lazy("losses in a row"),
    TRADE_LOSS: gettext_lazy("loss of one trade"),
    "lifted": gettext_lazy("lifted"),
    "imported": gettext_lazy("imported"),
}


class AccountFactAdmin(FactAdmin):
    """A fact of one account, newest first: by its own time within an account, by recording else (both indexed)."""

    list_select_related = ("account",)
    search_fields = ("account__code__exact", "pk__exact")
    search_help_text = gettext_lazy("Account or id")
    sortable_by = ()
    time_column = "at"

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        within = request.GET.get("account__exact")
        return (f"-{self.time_column}", "-id") if within else ("-id",)


@admin.register(EquityBatch)
class EquityBatchAdmin(OriginMixin, AccountFactAdmin):
    time_column = "seq"
    list_display = ("recorded_at", "account", "count", "digest", "seq", "origin_shown")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    column_styles = {"digest": "short"}
    fields = (("account", "recorded_at"), ("count", "seq"), "digest", "origin")


@admin.register(EquityPoint)
class EquityPointAdmin(OriginMixin, AccountFactAdmin):
    list_display = ("at", "account", "equity", "balance", "open_pnl", "cash_flow", "late", "origin_shown")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    column_styles = {"late": "flag"}
    fields = (
        ("account", "at"), ("equity", "balance"), ("open_pnl", "cash_flow"), ("late", "origin"),
        ("batch_id", "ordinal"), ("seq", "recorded_at"),
    )  # fmt: skip

    def entry_of(self, obj: models.Model) -> Entry | None:
        """A point is committed to by the entry of its batch."""
        assert isinstance(obj, EquityPoint)
        return Entry.objects.filter(pk=obj.batch_id).first()


@admin.register(PositionReport)
class PositionReportAdmin(AccountFactAdmin):
    list_display = ("at", "account", "positions_shown", "seq", "recorded_at")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    column_styles = {"positions": "pairs"}
    fields = (("account", "at"), "positions", ("seq", "recorded_at"))

    @admin.display(description=gettext_lazy("positions"))
    def positions_shown(self, row: PositionReport) -> str:
        return ", ".join(f"{name} {quantity}" for name, quantity in row.positions.items()) or EMPTY


@admin.register(Snapshot)
class SnapshotAdmin(OriginMixin, AccountFactAdmin):
    list_display = (
        "at", "account", "drawdown", "limit", "overtrade_risk_score", "penalty_active", "cause", "origin_shown",
    )  # fmt: skip
    list_filter = (("account", AccountFilter), ("penalty_active", FlagFilter), ("at", DayRangeFilter))
    column_styles = {
        "drawdown": "percent", "limit": "percent", "penalty_active": "alarm", "cause": SNAPSHOT_CAUSES,
    }  # fmt: skip
    fields = (
        ("account", "at"), ("drawdown", "limit"), ("overtrade_risk_score", "penalty_active"), ("cause", "origin"),
        "evidence", ("seq", "recorded_at"),
    )  # fmt: skip


@admin.register(Penalty)
class PenaltyAdmin(ReasonMixin, OriginMixin, AccountFactAdmin):
    list_display = (
        "at", "account", "penalty_active", "penalty_kind", "value", "overtrade_risk_score", "reason_shown",
        "expires_at", "origin_shown",
    )  # fmt: skip
    list_filter = (("account", AccountFilter), ("penalty_active", FlagFilter), ("at", DayRangeFilter))
    column_styles = {"penalty_active": "alarm", "penalty_kind": PENALTY_KINDS}
    fields = (
        ("account", "at"), ("penalty_active", "penalty_kind"), ("value", "overtrade_risk_score"), "reason_shown",
        ("expires_at", "snapshot_id"), ("origin", "seq"), "recorded_at",
    )  # fmt: skip


@admin.register(StateChange)
class StateChangeAdmin(WhoMixin, ReasonMixin, AccountFactAdmin):
    time_column = "recorded_at"
    list_display = (
        "recorded_at",
        "scope_shown",
        "key",
        "from_shown",
        "to_shown",
        "cause",
        "reason_shown",
        "who",
        "until",
    )
    list_filter = (("account", AccountFilter), ("to_state", SelectFilter), ("recorded_at", RecordedDayFilter))
    fields = (
        ("scope_shown", "recorded_at"), ("scope", "key"), ("from_shown", "to_shown"), "reason_shown", ("cause", "who"),
        ("until", "review_by"), "evidence", "seq",
    )  # fmt: skip
    change_form_outer_before_template = "admin/desk/resume_review_link.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.review_view)
        return [path("<uuid:object_id>/review/", view, name="risk_statechange_review"), *super().get_urls()]

    def review_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """Another person's review of a resume by break-glass."""
        change = self.get_object(request, str(object_id))
        if change is None:
            raise Http404
        return resume_review_view(self, request, change)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {**super().page_context(request, obj), "unreviewed": resume_unreviewed(obj)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account")

    @admin.display(description=gettext_lazy("account"))
    def scope_shown(self, row: StateChange) -> Any:
        return row.account or badge(row.get_scope_display(), "info")

    @admin.display(description=gettext_lazy("from"))
    def from_shown(self, row: StateChange) -> SafeString:
        return state_badge(row.from_state)

    @admin.display(description=gettext_lazy("to"))
    def to_shown(self, row: StateChange) -> SafeString:
        return state_badge(row.to_state)

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: Any) -> str:
        return super().who(row)


class RuledAdmin(WhoMixin, AccountFactAdmin):
    """A fact of an account that a person recorded with a reason."""

    time_column = "recorded_at"
    list_filter: ClassVar[Any] = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: Any) -> str:
        return super().who(row)


@admin.register(HeldPoint)
class HeldPointAdmin(AccountFactAdmin):
    time_column = "recorded_at"
    list_display = ("recorded_at", "account", "at", "equity", "previous", "move", "ruling_shown")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    empty_words = gettext_lazy("No equity was ever held: every point was believed.")
    column_styles = {"move": "percent", "limit": "percent"}
    fields = (
        ("account", "at"), ("equity", "previous"), ("move", "limit"), ("cash_flow", "ruling_shown"),
        ("point_id", "ordinal"), ("seq", "recorded_at"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account", "ruling")

    @admin.display(description=gettext_lazy("ruling"))
    def ruling_shown(self, row: HeldPoint) -> SafeString:
        ruling = getattr(row, "ruling", None)
        if ruling is None:
            return badge(_("held"), "warn")
        return badge(_("accepted"), "good") if ruling.accepted else badge(_("rejected"), "plain")


@admin.register(HeldRuling)
class HeldRulingAdmin(RuledAdmin):
    list_display = ("recorded_at", "account", "held", "accepted", "reason", "who")
    fields = (("account", "held"), ("accepted", "who"), "reason", ("seq", "recorded_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account", "held")


@admin.register(PeakRebase)
class PeakRebaseAdmin(RuledAdmin):
    list_display = ("recorded_at", "account", "rule", "before", "reference", "reason", "who")
    fields = (("account", "rule"), ("before", "reference"), "reason", ("who", "seq"), "recorded_at")


@admin.register(Admission)
class AdmissionAdmin(ReadOnlyAdmin):
    list_display = ("at", "account", "effect", "instrument", "side", "quantity", "algorithm", "seq")
    list_filter = (("account", AccountFilter),)
    list_select_related = ("account",)
    search_fields = ("account__code__exact", "pk__exact")
    sortable_by = ()
    ordering = ("-id",)
    column_styles = {"effect": EFFECT_WORDS}
    fields = (("account", "at"), ("effect", "instrument"), ("side", "quantity"), "algorithm", ("seq", "id"))
