"""Other limits tried on what happened: asked for here, made by a worker, looked at as it comes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from decisions.admin.replay_page import replay_context, share
from decisions.mia_export import export_journal
from decisions.models import LimitsReplay
from decisions.replay.job import replay_open
from decisions.replay.run import WHAT
from mia_site.audit.admin.base import ReadOnlyAdmin, request_actor
from mia_site.audit.admin.exporting import CONTENT
from mia_site.audit.admin.rendering import EMPTY, badge, moment
from risk.admin.account_page import limits_yaml
from risk.admin.acting import moment_field
from risk.admin.shared import AccountFilter, WhoMixin
from risk.admin.switches import refusal
from risk.export import Period
from risk.inputs import InputError
from risk.limits_document import document_read
from risk.models import Account, AccountState
from risk.rules.limits import Limits, LimitsError, limits_parse

DOCUMENT_LENGTH = 20_000


class ReplayForm(forms.Form):
    """Which account, which limits, from when, until when."""

    account = forms.ModelChoiceField(
        Account.objects.order_by("code"), label=gettext_lazy("Account"), widget=UnfoldAdminSelectWidget()
    )
    since = moment_field(gettext_lazy("From (UTC; none: since the account has limits)"), required=False)
    until = moment_field(gettext_lazy("Until (UTC; none: now)"), required=False)
    document = forms.CharField(
        label=gettext_lazy("Limits (YAML)"), max_length=DOCUMENT_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 26, "spellcheck": "false"}),
    )  # fmt: skip

    def clean_document(self) -> Limits:
        try:
            return limits_parse(document_read(self.cleaned_data["document"]))
        except (InputError, LimitsError) as error:
            raise forms.ValidationError(refusal(error)) from error

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since >= until:
            raise forms.ValidationError(_("The end must be after the beginning."))


@admin.register(LimitsReplay)
class LimitsReplayAdmin(WhoMixin, ReadOnlyAdmin):
    list_display = ("asked", "account", "period", "standing", "who")
    list_filter = (("account", AccountFilter),)
    list_select_related = ("account",)
    list_before_template = "admin/desk/replays.html"
    empty_words = gettext_lazy(
        "Nobody has tried other limits yet. Recorded equity and decisions are replayed under them, beside what "
        "happened; nothing of the account changes."
    )
    sortable_by = ()
    ordering = ("-id",)
    export_leave_out = ("progress", "table")
    fields = (("account", "standing"), ("asked", "who"), ("period", "finished_at"), "document")
    change_form_outer_before_template = "admin/desk/replay.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account")

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        mine = [
            path("ask/", guard(self.ask_view), name="decisions_limitsreplay_ask"),
            path("<int:object_id>/table/", guard(self.table_view), name="decisions_limitsreplay_table"),
        ]
        return [*mine, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        told = {"may_ask": self.has_export_permission(request)}
        return super().changelist_view(request, (extra_context or {}) | told)

    def ask_view(self, request: HttpRequest) -> HttpResponseBase:
        """The form: the limits in force of `?account=`, to be changed."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        form = ReplayForm(request.POST or None, initial=_start(request.GET.get("account", "")))
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            run = replay_open(
                account=given["account"], limits=given["document"], period=Period(given["since"], given["until"]),
                actor=request_actor(request),
            )  # fmt: skip
            return HttpResponseRedirect(reverse("admin:decisions_limitsreplay_change", args=[run.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try other limits"),
            "form": form,
            "codes": list(Account.objects.order_by("code").values_list("code", flat=True)),
            "back": reverse("admin:decisions_limitsreplay_changelist"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/desk/replay_ask.html", context)

    def table_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """What would have been otherwise, as CSV."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        run = LimitsReplay.objects.select_related("account").filter(pk=object_id).first()
        if run is None:
            raise Http404
        period = Period(run.since, run.until)
        export_journal(run.account, actor=request_actor(request), what=WHAT, period=period)
        response = HttpResponse(run.table, content_type=CONTENT["csv"])
        response["Content-Disposition"] = f'attachment; filename="limits_replay_{run.pk}.csv"'
        return response

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return replay_context(obj) | {"may_download": self.has_export_permission(request)}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().render_change_form(request, context, *args, **kwargs)
        obj = kwargs.get("obj")
        if obj is not None and obj.finished_at is None:
            response["Refresh"] = "2"  # the progress bar moves by itself
        return response

    @admin.display(description=gettext_lazy("asked (UTC)"))
    def asked(self, row: LimitsReplay) -> str:
        return moment(row.created_at)

    @admin.display(description=gettext_lazy("period (UTC)"))
    def period(self, row: LimitsReplay) -> str:
        if row.since is None and row.until is None:
            return _("all that is recorded")
        begin, end = (moment(at) if at else "…" for at in (row.since, row.until))
        return f"{begin} - {end}"

    @admin.display(description=gettext_lazy("status"))
    def standing(self, row: LimitsReplay) -> SafeString:
        if row.error:
            return badge(_("failed"), "bad")
        return badge(_("done"), "good") if row.finished_at else badge(f"{share(row)} %", "info")

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: Any) -> str:
        return super().who(row) or EMPTY

    @admin.display(description=gettext_lazy("limits"))
    def document(self, row: LimitsReplay) -> SafeString:
        return format_html('<pre class="desk-json">{}</pre>', limits_yaml(row.limits))


def _start(code: str) -> dict[str, Any]:
    states = AccountState.objects.select_related("account", "limits").order_by("account__code")
    state = states.filter(account__code=code).first() or states.first()
    if state is None:
        return {}
    return {"account": state.account, "document": limits_yaml(state.limits.body) if state.limits else ""}
