"""What people do to windows, and what they did: close a time, hold a window longer, open one in twos."""

from datetime import UTC
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.filters import RecordedDayFilter
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import EMPTY, badge, moment
from mia_site.audit.models import Entry
from risk.admin.acting import ReasonForm, act_view, moment_field
from risk.admin.shared import WhoMixin
from risk.calendar_overrides import waiver_decide, window_add, window_extend, window_waive
from risk.models import MacroEvent, OverrideAction, WindowOverride, WindowRuling
from risk.roles import CHANGE_WINDOWS, RULE_WINDOWS

TONES = {OverrideAction.ADD: "bad", OverrideAction.EXTEND: "warn", OverrideAction.WAIVE: "info"}


class UntilForm(ReasonForm):
    """Until when a window is held."""

    ends_at = moment_field(gettext_lazy("Until (UTC)"))
    field_order = ("ends_at", "reason")


class AddForm(ReasonForm):
    """A time that nobody published."""

    title = forms.CharField(label=gettext_lazy("What for"), max_length=200, widget=UnfoldAdminTextInputWidget())
    starts_at = moment_field(gettext_lazy("From (UTC)"))
    ends_at = moment_field(gettext_lazy("Until (UTC)"))
    currency = forms.CharField(
        label=gettext_lazy("Currency (none: every instrument)"),
        max_length=3,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
    )
    field_order = ("title", "starts_at", "ends_at", "currency", "reason")


@admin.register(WindowOverride)
class WindowOverrideAdmin(WhoMixin, FactAdmin):
    who_column = "proposer"
    list_display = ("recorded_at", "action_shown", "event_type", "start_at", "end_at", "status", "who", "reason")
    list_select_related = ("ruling",)
    list_filter = (("recorded_at", RecordedDayFilter),)
    empty_words = gettext_lazy(
        "Nobody has closed, held or opened a window by hand. The week's page and an event's page do that."
    )
    search_fields = ("event_id__exact",)
    search_help_text = gettext_lazy("Id of the event")
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        ("action_shown", "status"), ("event_type", "start_at"), ("end_at", "currency"), "reason", ("who", "impact"),
        ("event_id", "made_event_id"), "recorded_at",
    )  # fmt: skip
    change_form_outer_before_template = "admin/desk/links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("ruling")

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        mine = [
            path("close/", guard(self.add_window_view), name="risk_windowoverride_close"),
            path("<uuid:event_id>/hold/", guard(self.extend_view), name="risk_windowoverride_hold"),
            path("<uuid:event_id>/open/", guard(self.waive_view), name="risk_windowoverride_open"),
            path("<uuid:object_id>/decide/", guard(self.decide_view), name="risk_windowoverride_decide"),
        ]
        return [*mine, *super().get_urls()]

    def add_window_view(self, request: HttpRequest) -> HttpResponseBase:
        """Closes a time at once."""
        return act_view(
            self, request, permission=CHANGE_WINDOWS, title=_("Close a time"), form=AddForm(request.POST or None),
            buttons=[("close", _("Close"), "danger")], back=reverse("admin:risk_windowoverride_changelist"),
            apply=lambda given, _button: window_add(actor=request_actor(request), **given),
        )  # fmt: skip

    def extend_view(self, request: HttpRequest, event_id: Any) -> HttpResponseBase:
        """Holds the window of an event longer, at once."""
        event = _event(event_id)
        return act_view(
            self, request, permission=CHANGE_WINDOWS, title=_("Hold the window longer"),
            form=UntilForm(request.POST or None), facts=event_facts(event), back=_event_page(event),
            buttons=[("hold", _("Hold"), "danger")],
            apply=lambda given, _button: window_extend(event_id=event.id, actor=request_actor(request), **given),
        )  # fmt: skip

    def waive_view(self, request: HttpRequest, event_id: Any) -> HttpResponseBase:
        """Asks for the window of an event to be opened: a second person decides."""
        event = _event(event_id)
        return act_view(
            self, request, permission=CHANGE_WINDOWS, title=_("Ask to open the window"),
            form=ReasonForm(request.POST or None), facts=event_facts(event), back=_event_page(event),
            buttons=[("ask", _("Ask a second person"), "primary")],
            apply=lambda given, _button: window_waive(event_id=event.id, actor=request_actor(request), **given),
        )  # fmt: skip

    def decide_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """A second person opens the window, or keeps it."""
        override = self.get_object(request, str(object_id))
        if override is None:
            raise Http404
        asked_by = actor_names([override.proposer])[override.proposer]
        facts = [(_("event"), override.event_type), (_("start"), moment(override.start_at)),
                 (_("asked by"), asked_by), (_("reason"), override.reason)]  # fmt: skip
        return act_view(
            self, request, permission=RULE_WINDOWS, title=_("Open the window?"), form=ReasonForm(request.POST or None),
            facts=facts, back=reverse("admin:risk_windowoverride_change", args=[object_id]),
            buttons=[("approve", _("Open it"), "primary"), ("reject", _("Keep it closed"), "danger")],
            closed=_closed(override, str(request_actor(request))),
            apply=lambda given, button: waiver_decide(
                override, approve=button == "approve", actor=request_actor(request), **given
            ),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if _is_open(obj) and request.user.has_perm(RULE_WINDOWS):
            url = reverse("admin:risk_windowoverride_decide", args=[obj.pk])
            links.append({"url": url, "words": _("Open or keep closed"), "look": "primary"})
        return {**super().page_context(request, obj), "links": links}

    def journal_of(self, obj: Any) -> QuerySet[Entry]:
        ruling = WindowRuling.objects.filter(override_id=obj.pk).values_list("pk", flat=True)
        return Entry.objects.filter(Q(pk=obj.pk) | Q(pk__in=list(ruling)))

    @admin.display(description=gettext_lazy("action"))
    def action_shown(self, row: WindowOverride) -> SafeString:
        return badge(row.get_action_display(), TONES.get(OverrideAction(row.action), "plain"))

    @admin.display(description=gettext_lazy("status"))
    def status(self, row: WindowOverride) -> SafeString:
        if row.action != OverrideAction.WAIVE:
            return badge(_("closed at once"), "bad")
        ruling = getattr(row, "ruling", None)
        if ruling is None:
            return badge(_("waits for a second person"), "warn")
        return badge(_("opened"), "good") if ruling.approved else badge(_("kept closed"), "bad")


@admin.register(WindowRuling)
class WindowRulingAdmin(FactAdmin):
    list_display = ("recorded_at", "override", "approved", "approver", "reason")
    list_select_related = ("override",)
    list_filter = (("recorded_at", RecordedDayFilter),)
    sortable_by = ()
    ordering = ("-id",)
    fields = (("override", "approved"), "reason", ("approver", "recorded_at"))


def event_links(request: HttpRequest, event: MacroEvent) -> list[dict[str, str]]:
    """What the reader may do to the window of an event."""
    if event.start_at is None or not request.user.has_perm(CHANGE_WINDOWS):
        return []
    hold = {
        "url": reverse("admin:risk_windowoverride_hold", args=[event.pk]), "words": _("Hold longer"), "look": "default",
    }  # fmt: skip
    ask = {
        "url": reverse("admin:risk_windowoverride_open", args=[event.pk]), "words": _("Ask to open"), "look": "default",
    }  # fmt: skip
    return [hold] if event.waived else [hold, ask]


def event_facts(event: MacroEvent) -> list[tuple[Any, Any]]:
    end = moment(event.end_at.astimezone(UTC)) if event.end_at else EMPTY
    return [(_("event"), event.event_type), (_("start"), moment(event.start_at)), (_("end"), end)]


def _event(event_id: Any) -> MacroEvent:
    event = MacroEvent.objects.filter(pk=event_id, start_at__isnull=False).first()
    if event is None:
        raise Http404
    return event


def _event_page(event: MacroEvent) -> str:
    return reverse("admin:risk_macroevent_change", args=[event.pk])


def _is_open(override: WindowOverride) -> bool:
    return override.action == OverrideAction.WAIVE and getattr(override, "ruling", None) is None


def _closed(override: WindowOverride, me: str) -> str:
    if not _is_open(override):
        return _("This is decided already.")
    return _("You asked for it: another person must decide.") if override.proposer == me else ""
