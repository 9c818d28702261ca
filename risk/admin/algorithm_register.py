"""Pages of the register of algorithms: register one, approve or reject it in twos, withdraw it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.filters import RecordedDayFilter, SelectFilter
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import badge, number
from risk.admin.acting import ReasonForm, act_view
from risk.admin.shared import WhoMixin
from risk.algorithm_register import OWNER_LENGTH, algorithm_decide, algorithm_register, algorithm_withdraw
from risk.models import AlgorithmEntry, AlgorithmRuling
from risk.models.algorithm_register import RegisterAction
from risk.roles import APPROVE_ALGORITHMS, REGISTER_ALGORITHMS
from risk.selectors.algorithm_register import ruling_last

TONES = {RegisterAction.APPROVED: "good", RegisterAction.REJECTED: "plain", RegisterAction.WITHDRAWN: "bad"}


class RegisterForm(ReasonForm):
    """An algorithm, who answers for it, and what it may do at most."""

    algorithm = forms.CharField(
        label=gettext_lazy("Algorithm"), max_length=64, widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("As bots send it, with its version: another version is another name."),
    )  # fmt: skip
    owner = forms.CharField(
        label=gettext_lazy("Owner"), max_length=OWNER_LENGTH, widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Who answers for it."),
    )  # fmt: skip
    max_quantity = forms.DecimalField(
        label=gettext_lazy("Largest opening"), required=False, max_digits=15, decimal_places=4,
        widget=UnfoldAdminTextInputWidget(), help_text=gettext_lazy("Empty: the account's limit alone."),
    )  # fmt: skip
    max_openings_per_hour = forms.IntegerField(
        label=gettext_lazy("Openings an hour, on each account"), required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Empty: the account's limit alone."),
    )  # fmt: skip
    field_order = ("algorithm", "owner", "max_quantity", "max_openings_per_hour")


@admin.register(AlgorithmEntry)
class AlgorithmEntryAdmin(WhoMixin, FactAdmin):
    who_column = "proposer"
    list_display = ("recorded_at", "key", "version", "owner", "status", "max_quantity", "max_openings_per_hour", "who")
    list_filter = (("recorded_at", RecordedDayFilter),)
    empty_words = gettext_lazy("No algorithm is registered yet.")
    search_fields = ("key__startswith",)
    search_help_text = gettext_lazy("Algorithm (its beginning)")
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        ("key", "version"), ("owner", "status"), ("max_quantity", "max_openings_per_hour"), "reason", "rulings_shown",
        ("who", "recorded_at"),
    )  # fmt: skip
    list_before_template = "admin/desk/links.html"
    change_form_outer_before_template = "admin/desk/links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("rulings")

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        mine = [
            path("register/", guard(self.register_view), name="risk_algorithmentry_register"),
            path("<uuid:object_id>/decide/", guard(self.decide_view), name="risk_algorithmentry_decide"),
            path("<uuid:object_id>/withdraw/", guard(self.withdraw_view), name="risk_algorithmentry_withdraw"),
        ]
        return [*mine, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        links = []
        if request.user.has_perm(REGISTER_ALGORITHMS):
            url = reverse("admin:risk_algorithmentry_register")
            links.append({"url": url, "words": _("Register an algorithm"), "look": "primary"})
        return super().changelist_view(request, {**(extra_context or {}), "links": links})

    def register_view(self, request: HttpRequest) -> HttpResponseBase:
        """Registers an algorithm: it counts once a second person approves it."""
        return act_view(
            self, request, permission=REGISTER_ALGORITHMS, title=_("Register an algorithm"),
            form=RegisterForm(request.POST or None), back=reverse("admin:risk_algorithmentry_changelist"),
            buttons=[("register", _("Register: a second person approves"), "primary")],
            apply=lambda given, _button: _said(algorithm_register(actor=request_actor(request), **given)),
        )  # fmt: skip

    def decide_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """A second person approves the entry or rejects it."""
        entry = self._entry(request, object_id)
        return act_view(
            self, request, permission=APPROVE_ALGORITHMS, form=ReasonForm(request.POST or None),
            title=_("Decide on the algorithm %(algorithm)s") % {"algorithm": entry}, facts=entry_facts(entry),
            buttons=[("approve", _("Approve"), "primary"), ("reject", _("Reject"), "danger")], back=_page(entry),
            closed="" if _last(entry) is None else _("This is decided already."),
            apply=lambda given, button: algorithm_decide(
                entry, approve=button == "approve", actor=request_actor(request), **given
            ),
        )  # fmt: skip

    def withdraw_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """Takes the entry back: the algorithm opens nothing more where the register is asked."""
        entry = self._entry(request, object_id)
        return act_view(
            self, request, permission=REGISTER_ALGORITHMS, form=ReasonForm(request.POST or None),
            title=_("Withdraw the algorithm %(algorithm)s") % {"algorithm": entry}, facts=entry_facts(entry),
            buttons=[("withdraw", _("Withdraw"), "danger")], back=_page(entry),
            closed="" if _withdrawable(entry) else _("This is decided already."),
            apply=lambda given, _button: algorithm_withdraw(entry, actor=request_actor(request), **given),
        )  # fmt: skip

    def _entry(self, request: HttpRequest, object_id: Any) -> AlgorithmEntry:
        entry = self.get_object(request, str(object_id))
        if entry is None:
            raise Http404
        return entry  # type: ignore[no-any-return]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if _last(obj) is None and request.user.has_perm(APPROVE_ALGORITHMS):
            url = reverse("admin:risk_algorithmentry_decide", args=[obj.pk])
            links.append({"url": url, "words": _("Approve or reject"), "look": "primary"})
        if _withdrawable(obj) and request.user.has_perm(REGISTER_ALGORITHMS):
            url = reverse("admin:risk_algorithmentry_withdraw", args=[obj.pk])
            links.append({"url": url, "words": _("Withdraw"), "look": "danger"})
        return {**super().page_context(request, obj), "links": links}

    @admin.display(description=gettext_lazy("registered by"))
    def who(self, row: Any) -> str:
        return super().who(row)

    @admin.display(description=gettext_lazy("status"))
    def status(self, row: AlgorithmEntry) -> SafeString:
        last = _last(row)
        if last is None:
            return badge(_("waits for somebody"), "warn")
        return badge(last.get_action_display(), TONES[RegisterAction(last.action)])

    @admin.display(description=gettext_lazy("what was said to it"))
    def rulings_shown(self, row: AlgorithmEntry) -> str:
        rulings = sorted(row.rulings.all(), key=lambda ruling: ruling.recorded_at)
        names = actor_names(ruling.actor for ruling in rulings)
        return "; ".join(f"{each.get_action_display()}: {each.reason} ({names[each.actor]})" for each in rulings) or "-"


@admin.register(AlgorithmRuling)
class AlgorithmRulingAdmin(FactAdmin):
    list_display = ("recorded_at", "entry", "action", "actor", "reason")
    list_select_related = ("entry",)
    list_filter = (("action", SelectFilter), ("recorded_at", RecordedDayFilter))
    sortable_by = ()
    ordering = ("-id",)
    fields = (("entry", "action"), "reason", "actor", "recorded_at")


def entry_facts(entry: AlgorithmEntry) -> list[tuple[Any, Any]]:
    """What a second person approves."""
    proposer = actor_names([entry.proposer])[entry.proposer]
    return [
        (_("algorithm"), entry.key), (_("owner"), entry.owner), (_("registered by"), proposer),
        (_("largest opening"), _("no cap") if entry.max_quantity is None else number(entry.max_quantity)),
        (_("openings an hour"), entry.max_openings_per_hour or _("no cap")), (_("reason"), entry.reason),
    ]  # fmt: skip


def _last(entry: AlgorithmEntry) -> AlgorithmRuling | None:
    return ruling_last(entry.rulings.all())


def _withdrawable(entry: AlgorithmEntry) -> bool:
    last = _last(entry)
    return last is None or last.action == RegisterAction.APPROVED


def _page(entry: AlgorithmEntry) -> str:
    return reverse("admin:risk_algorithmentry_change", args=[entry.pk])


def _said(entry: AlgorithmEntry) -> str:
    return _("%(algorithm)s is registered and waits for a second person.") % {"algorithm": entry}
