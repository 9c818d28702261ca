"""Pages of the work rows of operations. They are here because the operations app knows no other, the journal's too."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase, HttpResponseNotAllowed
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from mia_site.audit.actors import Actor, ActorKind
from mia_site.audit.admin.base import ReadOnlyAdmin, request_actor
from mia_site.audit.admin.filters import DayRangeFilter, select_of
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import EMPTY, badge, number
from mia_site.audit.journal import change_record
from mia_site.ops.alert_texts import alert_codes
from mia_site.ops.alerts import alert_acknowledge, alert_text
from mia_site.ops.models import Alert, AlertDelivery, Timing
from mia_site.ops.signals import alert_acknowledged

PRIORITY_TONES = {1: "plain", 2: "plain", 3: "info", 4: "warn", 5: "bad"}
DELIVERY_TONES = {"pending": "info", "sent": "good", "failed": "bad"}


@receiver(alert_acknowledged, dispatch_uid="journal-acknowledgement")
def acknowledgement_record(alert: Alert, by: str, **_: Any) -> None:
    """Who saw an alert is part of the record, in the transaction that notes it."""
    kind, _colon, name = by.partition(":")
    change_record(
        alert,
        action="acknowledged",
        actor=Actor(cast("ActorKind", kind), name),
        account=alert.account,
        after={"code": alert.code, "priority": alert.priority, "raised_at": alert.created_at},
    )


def alert_sentences(alerts: Iterable[Alert]) -> dict[Any, str]:
    """What each alert says in the reader's language, with the names of those who acted; by primary key."""
    told = list(alerts)
    names = actor_names(str(alert.params["actor"]) for alert in told if "actor" in alert.params)
    return {alert.pk: _sentence(alert, names) for alert in told}


def _sentence(alert: Alert, names: Mapping[str, str]) -> str:
    actor = alert.params.get("actor")
    shown = {} if actor is None else {"actor": names[str(actor)]}
    return alert_text(alert, get_language() or "en", **shown)


def _priorities() -> list[tuple[int, str]]:
    return [(priority, str(priority)) for priority in PRIORITY_TONES]


def _codes() -> list[tuple[str, str]]:
    return [(code, code) for code in alert_codes()]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("rank", "sentence", "account", "created_at", "repeats", "sent_where", "seen")
    list_display_links = ("sentence",)
    list_filter = (
        ("priority", select_of(_priorities)),
        ("code", select_of(_codes)),
        ("created_at", DayRangeFilter),
    )
    empty_words = gettext_lazy("No alert was raised.")
    search_fields = ("account__exact", "code__exact")
    search_help_text = gettext_lazy("Account or code")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("rank", "code"), "sentence", ("account", "repeats"), ("created_at", "last_at"))}),
        (gettext_lazy("Sent"), {"fields": ("routed_at", "deliveries_shown")}),
        (gettext_lazy("Acknowledged"), {"fields": (("acknowledged_at", "acknowledged_by"),)}),
        (gettext_lazy("Figures"), {"fields": ("params", "dedup_key")}),
    )
    column_styles = {"params": "pairs"}
    change_form_outer_before_template = "admin/desk/alert_actions.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        deliveries = AlertDelivery.objects.order_by("channel", "target")
        return super().get_queryset(request).prefetch_related(Prefetch("deliveries", deliveries))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.acknowledge_view)
        return [path("<uuid:object_id>/acknowledge/", view, name="ops_alert_acknowledge"), *super().get_urls()]

    def acknowledge_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """Notes that the person has seen the alert; journalled with it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        alert = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, alert) or not request.user.has_perm("ops.change_alert"):
            raise PermissionDenied
        if alert is not None and alert_acknowledge(alert, by=str(request_actor(request))):
            messages.success(request, _("The alert is acknowledged."))
        else:
            messages.info(request, _("Somebody had acknowledged this alert before."))
        return HttpResponseRedirect(reverse("admin:ops_alert_change", args=[object_id]))

    def page_prepare(self, rows: Iterable[Any]) -> None:
        sentences = alert_sentences(rows)
        for row in rows:
            row.sentence_shown = sentences[row.pk]

    @admin.display(description=gettext_lazy("priority"))
    def rank(self, row: Alert) -> SafeString:
        return badge(row.priority, PRIORITY_TONES.get(row.priority, "plain"))

    @admin.display(description=gettext_lazy("alert"))
    def sentence(self, row: Any) -> str:
        return str(getattr(row, "sentence_shown", "")) or alert_sentences([row])[row.pk]

    @admin.display(description=gettext_lazy("sent"))
    def sent_where(self, row: Alert) -> Any:
        return _deliveries(row.deliveries.all(), with_errors=False)

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries_shown(self, row: Alert) -> Any:
        return _deliveries(row.deliveries.all(), with_errors=True)

    @admin.display(description=gettext_lazy("acknowledged"), boolean=True)
    def seen(self, row: Alert) -> bool:
        return row.acknowledged_at is not None


def _deliveries(rows: Iterable[AlertDelivery], *, with_errors: bool) -> Any:
    shown = [
        (
            badge(row.channel, DELIVERY_TONES.get(row.status, "plain")),
            format_html(" {} · {} · {} {}", row.target, row.get_status_display(), row.attempts, row.last_error)
            if with_errors
            else "",
        )
        for row in rows
    ]
    if not shown:
        return EMPTY
    return format_html_join("" if not with_errors else SafeString("<br>"), "{}{} ", shown)


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("sentence", "channel", "target", "status_shown", "attempts", "next_try_at", "sent_at", "last_error")
    list_filter = ("status",)
    list_select_related = ("alert",)
    sortable_by = ()
    ordering = ("-id",)
    fields = ("sentence", "channel", "target", "status", "attempts", "last_error", "next_try_at", "sent_at")

    def page_prepare(self, rows: Iterable[Any]) -> None:
        sentences = alert_sentences(row.alert for row in rows)
        for row in rows:
            row.sentence_shown = sentences[row.alert_id]

    @admin.display(description=gettext_lazy("alert"))
    def sentence(self, row: Any) -> str:
        return str(getattr(row, "sentence_shown", "")) or alert_sentences([row.alert])[row.alert_id]

    @admin.display(description=gettext_lazy("status"))
    def status_shown(self, row: AlertDelivery) -> SafeString:
        return badge(row.get_status_display(), DELIVERY_TONES.get(row.status, "plain"))


@admin.register(Timing)
class TimingAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "operation", "milliseconds", "success", "megabytes", "cpu_percent")
    list_filter = (("timestamp", DayRangeFilter),)
    search_fields = ("operation__exact",)
    search_help_text = gettext_lazy("Operation, for example check_drawdown")
    sortable_by = ("timestamp",)
    fields = ("timestamp", "operation", "latency", "success", "memory_usage_mb", "cpu_percent")

    @admin.display(description=gettext_lazy("latency (ms)"))
    def milliseconds(self, row: Timing) -> str:
        return number(row.latency * 1000, 2)

    @admin.display(description=gettext_lazy("memory (MB)"))
    def megabytes(self, row: Timing) -> str:
        return number(row.memory_usage_mb, 1)
