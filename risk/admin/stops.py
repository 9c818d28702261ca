"""Stops in force of single clients, algorithms and instruments; and the kill switch that every page carries."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase, HttpResponseNotAllowed
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from mia_site.audit.admin.base import ReadOnlyAdmin, request_actor
from mia_site.audit.admin.filters import SelectFilter
from mia_site.audit.admin.rendering import badge
from mia_site.ops.sentences import sentence_told
from risk.admin.acting import act_view
from risk.admin.kill_menu import target_words
from risk.admin.shared import AccountFilter, ReasonMixin, state_badge
from risk.admin.stop_lines import stop_words
from risk.admin.switches import HALT_PRESETS, SwitchForm, refusal, switch_view
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import ScopedStop
from risk.models.state import KEY_LENGTH, Scope
from risk.risk_controller import scope_resume
from risk.roles import HALT, RESUME
from risk.rules.facts import StopScope, TradingState
from risk.scoped_stops import StopPlace
from risk.stop_targets import StopTarget, target_halt, target_parse


class StopForm(SwitchForm):
    """The whole kill switch: what, where, how hard, why, until when."""

    scope = forms.ChoiceField(label=gettext_lazy("Scope"), choices=Scope.choices, widget=UnfoldAdminSelectWidget())
    key = forms.CharField(
        label=gettext_lazy("Client, algorithm or instrument"),
        required=False,
        max_length=KEY_LENGTH,
        widget=UnfoldAdminTextInputWidget(),
    )
    account = forms.CharField(
        label=gettext_lazy("Account"), required=False, max_length=32, widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("An algorithm or instrument without an account is stopped on the whole desk."),
    )  # fmt: skip
    until = forms.DateTimeField(
        label=gettext_lazy("Until (UTC)"), required=False,
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )  # fmt: skip
    field_order = ("scope", "key", "account")


@admin.register(ScopedStop)
class ScopedStopAdmin(ReasonMixin, ReadOnlyAdmin):
    list_display = ("scope_shown", "key", "where", "state_shown", "state_since", "reason_shown", "state_until")
    list_filter = (("account", AccountFilter), ("scope", SelectFilter), ("state", SelectFilter))
    list_select_related = ("account",)
    empty_words = gettext_lazy("No client, algorithm or instrument is stopped.")
    search_fields = ("key__startswith",)
    fields = (
        ("scope_shown", "key"), "where", ("state_shown", "state_since"), "reason_shown", "state_until",
    )  # fmt: skip
    change_form_outer_before_template = "admin/desk/stop_actions.html"

    def get_urls(self) -> list[Any]:
        views = (
            ("kill/", self.kill_view, "kill"), ("halt/", self.halt_view, "halt"),
            ("<int:object_id>/resume/", self.resume_view, "resume"),
        )  # fmt: skip
        mine = [
            path(route, self.admin_site.admin_view(view), name=f"risk_scopedstop_{name}") for route, view, name in views
        ]
        return [*mine, *super().get_urls()]

    def kill_view(self, request: HttpRequest) -> HttpResponseBase:
        """The second click of the menu: stops at once, with a reason from the list, and leads back."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(HALT):
            raise PermissionDenied
        try:
            target = target_parse(request.POST.get("target", ""))
            target_halt(target, reason=_preset(request), actor=request_actor(request), state=_state(request))
        except (InputError, AccountUnknown) as error:
            messages.error(request, refusal(error) if isinstance(error, InputError) else _("There is no such account."))
        else:
            told = {"what": target_words(target)}
            messages.success(request, _("Stopped: %(what)s. It is recorded with your reason.") % told)
        return HttpResponseRedirect(_back(request))

    def halt_view(self, request: HttpRequest) -> HttpResponseBase:
        """The same with words of one's own, an end, and any scope."""
        form = StopForm(
            request.POST or None, states=[TradingState.HALTED, TradingState.REDUCE_ONLY], presets=HALT_PRESETS
        )  # fmt: skip

        def apply(given: dict[str, Any], _button: str) -> None:
            target = StopTarget(Scope(given["scope"]), given["account"].strip().upper(), given["key"])
            try:
                target_halt(
                    target, reason=given["reason"], actor=request_actor(request), state=TradingState(given["state"]),
                    until=given["until"],
                )  # fmt: skip
            except AccountUnknown as error:
                raise InputError("account", error.code, gettext_noop("the code of an account")) from error

        return act_view(
            self, request, permission=HALT, title=_("Stop trading"), form=form, apply=apply, back=_list(),
            buttons=[("stop", _("Stop trading"), "danger")],
        )  # fmt: skip

    def resume_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Lifts one stop, with a reason."""
        row = ScopedStop.objects.select_related("account").filter(pk=object_id).first()
        if row is None:
            raise Http404
        place = StopPlace(StopScope(row.scope), row.key, row.account.code if row.account else None)
        return switch_view(
            self, request, row=row, halt=False, permission=RESUME, back=_list(),
            title=_("Resume trading: %(account)s") % {"account": stop_words(row)},
            apply=lambda **given: scope_resume(place, actor=request_actor(request), **given),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {"state_badge": state_badge(obj.state), "state_reason": sentence_told(obj.state_reason)}

    @admin.display(description=gettext_lazy("reason"))
    def reason_shown(self, row: Any) -> str:
        return sentence_told(row.state_reason)

    @admin.display(description=gettext_lazy("scope"))
    def scope_shown(self, row: ScopedStop) -> str:
        return row.get_scope_display()

    @admin.display(description=gettext_lazy("account"))
    def where(self, row: ScopedStop) -> Any:
        return row.account or badge(_("desk"), "info")

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, row: ScopedStop) -> SafeString:
        return state_badge(row.state)


def _preset(request: HttpRequest) -> str:
    preset = request.POST.get("preset", "")
    if preset not in HALT_PRESETS:
        raise InputError("preset", preset[:64], gettext_noop("a reason of the list"))
    return preset


def _state(request: HttpRequest) -> TradingState:
    state = request.POST.get("state", TradingState.HALTED.value)
    if state not in set(TradingState):
        raise InputError("state", state[:16], "REDUCE_ONLY or HALTED")
    return TradingState(state)


def _list() -> str:
    return reverse("admin:risk_scopedstop_changelist")


def _back(request: HttpRequest) -> str:
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if safe else _list()
