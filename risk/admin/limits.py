"""Limits: every version with what it changed, a form to propose, and a second person's yes or no."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.filters import FlagFilter, RecordedDayFilter
from mia_site.audit.admin.rendering import EMPTY, badge, moment, table
from mia_site.audit.models import Entry
from risk.admin.acting import ReasonForm, act_view
from risk.admin.limits_sources import limits_text, sources_table
from risk.admin.limits_status import Version, is_open, status_badge
from risk.admin.limits_steps import step_context, step_view
from risk.admin.shared import AccountFilter, ReasonMixin, WhoMixin
from risk.admin.switches import refusal
from risk.inputs import InputError
from risk.limits_document import document_read
from risk.loosenings import policy_of
from risk.models import Account, AccountState, Desk, LimitsApproval, LimitsStep, LimitsVersion
from risk.risk_controller import limits_decide, limits_submit
from risk.roles import APPROVE_LIMITS, PROPOSE_LIMITS
from risk.rules.limits import LimitsError
from risk.rules.loosening import SECOND_PERSON, Loosening, Way

DOCUMENT_LENGTH = 20_000
DIRECTION_TONES = {"tightens": "good", "loosens": "bad", "neutral": "plain"}
DIRECTION_WORDS = {
    "tightens": gettext_lazy("tightens"),
    "loosens": gettext_lazy("loosens"),
    "neutral": gettext_lazy("neutral"),
}


WAY_WORDS = {
    Way.NEXT_SESSION: gettext_lazy("takes effect with the next session, unless it is withdrawn"),
    Way.BREAK_GLASS: gettext_lazy("break-glass: at once, and another person reviews it in time or it is taken back"),
}


class LimitsForm(forms.Form):
    """A limits document, why it is proposed, and which way of the desk's policy a loosening takes."""

    document = forms.CharField(
        label=gettext_lazy("Limits (YAML)"),
        max_length=DOCUMENT_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 26, "spellcheck": "false"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    way = forms.ChoiceField(
        label=gettext_lazy("What loosens"), required=False, widget=UnfoldAdminRadioSelectWidget(),
    )  # fmt: skip

    def __init__(self, *args: Any, policy: Loosening, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [(way.value, words) for way, words in WAY_WORDS.items() if policy.allows(way)]
        field = self.fields["way"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("waits for a second person")), *allowed]
        if not allowed:
            del self.fields["way"]

    def clean_way(self) -> Way | None:
        return Way(self.cleaned_data["way"]) if self.cleaned_data["way"] else None

    def clean_document(self) -> dict[str, Any]:
        try:
            return document_read(self.cleaned_data["document"])
        except InputError as error:
            raise forms.ValidationError(refusal(error)) from error


def propose_view(
    page: ModelAdmin[Any], request: HttpRequest, *, account: Account, state: AccountState, back: str
) -> HttpResponseBase:
    """The form to propose limits: in force at once where they are the first or tighten, else for a second person."""
    if not request.user.has_perm(PROPOSE_LIMITS):
        raise PermissionDenied
    start = {"document": limits_text(state.limits) if state.limits else ""}
    desk = Desk.objects.select_related("limits").filter(id=1).first()
    form = LimitsForm(request.POST or None, initial=start, policy=SECOND_PERSON if desk is None else policy_of(desk))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            done = limits_submit(
                account.code, given["document"], actor=request_actor(request), reason=given["reason"],
                way=given.get("way"),
            )  # fmt: skip
        except (LimitsError, InputError) as error:
            form.add_error("document", refusal(error))
        else:
            messages.success(request, _submitted(done.version, applied=done.applied, changed=done.changed))
            return HttpResponseRedirect(back)
    context = {
        **page.admin_site.each_context(request),
        "title": _("Propose limits: %(account)s") % {"account": account},
        "form": form,
        "back": back,
        "opts": page.opts,
    }
    return TemplateResponse(request, "admin/desk/limits_propose.html", context)


def _submitted(version: LimitsVersion, *, applied: bool, changed: bool) -> str:
    told = {"version": version.version}
    if not changed:
        return _("Nothing new: these are the limits of v%(version)s.") % told
    if version.review_by is not None:
        until = {"until": moment(version.review_by)}
        return _("Limits v%(version)s are in force: another person must review them until %(until)s.") % (told | until)
    if applied:
        return _("Limits v%(version)s are in force.") % told
    if version.effective_at is not None:
        at = {"at": moment(version.effective_at)}
        return _("Limits v%(version)s take effect at %(at)s, unless they are withdrawn.") % (told | at)
    return _("Limits v%(version)s are proposed: a second person must approve them.") % told


@admin.register(LimitsVersion)
class LimitsVersionAdmin(WhoMixin, ReasonMixin, FactAdmin):
    who_column = "proposer"
    list_display = ("name", "account", "status", "who", "reason_shown", "recorded_at")
    list_filter = (("account", AccountFilter), ("recorded_at", RecordedDayFilter))
    list_select_related = ("account", "approval", "step")
    empty_words = gettext_lazy(
        "No account has limits yet, so every opening is blocked. They are proposed on an account's page."
    )
    search_fields = ("account__code__exact",)
    search_help_text = gettext_lazy("Account")
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        ("account", "version"), ("status", "recorded_at"), ("way", "effective_at"), "who", "reason_shown",
        "changes_shown", "sources", "document",
    )  # fmt: skip
    change_form_outer_before_template = "admin/desk/limits_decide_links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account", "approval", "step")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.decide_view)
        mine = [path("<uuid:object_id>/decide/", view, name="risk_limitsversion_decide")]
        step = path(
            "<uuid:object_id>/step/", self.admin_site.admin_view(self.step_view), name="risk_limitsversion_step"
        )
        return [*mine, step, *super().get_urls()]

    def step_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """Withdraws a version that waits, or reviews one that is in force by break-glass."""
        version = self.get_object(request, str(object_id))
        if version is None:
            raise Http404
        return step_view(
            self, request, version, shown=changes_table(version),
            title=_("Limits v%(version)s of %(account)s") % {"version": version.version, "account": version.account},
            back=reverse("admin:risk_limitsversion_change", args=[object_id]),
        )  # fmt: skip

    def decide_view(self, request: HttpRequest, object_id: Any) -> HttpResponseBase:
        """A second person approves or rejects, with a reason."""
        version = self.get_object(request, str(object_id))
        if version is None:
            raise Http404
        title = _("Decide on limits v%(version)s of %(account)s")
        return decision_view(
            self, request, version, decide=limits_decide,
            title=title % {"version": version.version, "account": version.account},
            back=reverse("admin:risk_limitsversion_change", args=[object_id]),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {**super().page_context(request, obj), **step_context(request, obj)}

    def journal_of(self, obj: models.Model) -> QuerySet[Entry]:
        approval = LimitsApproval.objects.filter(limits_id=obj.pk).values_list("pk", flat=True)
        step = LimitsStep.objects.filter(limits_id=obj.pk).values_list("pk", flat=True)
        return Entry.objects.filter(Q(pk=obj.pk) | Q(pk__in=[*approval, *step]))

    @admin.display(description=gettext_lazy("version"))
    def name(self, row: LimitsVersion) -> str:
        return f"v{row.version}"

    @admin.display(description=gettext_lazy("proposed by"))
    def who(self, row: Any) -> str:
        return super().who(row)

    @admin.display(description=gettext_lazy("status"))
    def status(self, row: LimitsVersion) -> SafeString:
        return status_badge(row)

    @admin.display(description=gettext_lazy("changes"))
    def changes_shown(self, row: LimitsVersion) -> SafeString | str:
        return changes_table(row)

    @admin.display(description=gettext_lazy("limits"))
    def document(self, row: LimitsVersion) -> SafeString:
        return format_html('<pre class="desk-json">{}</pre>', limits_text(row))

    @admin.display(description=gettext_lazy("where the values come from"))
    def sources(self, row: LimitsVersion) -> SafeString:
        return sources_table(row)


def decision_view(
    page: ModelAdmin[Any],
    request: HttpRequest,
    version: Version,
    *,
    decide: Callable[..., Any],
    title: str,
    back: str,
) -> HttpResponseBase:
    """A second person approves or rejects a version, with a reason; `decide` is the service."""

    def apply(given: dict[str, Any], button: str) -> str:
        approve = button == "approve"
        decide(version, approve=approve, actor=request_actor(request), reason=given["reason"])
        text = _("Limits v%(version)s are in force.") if approve else _("Limits v%(version)s are rejected.")
        return text % {"version": version.version}

    return act_view(
        page, request, permission=APPROVE_LIMITS, title=title, form=ReasonForm(request.POST or None), back=back,
        buttons=(("approve", _("Approve"), "primary"), ("reject", _("Reject"), "danger")),
        apply=apply, shown=changes_table(version), closed=_closed(version, request),
    )  # fmt: skip


def _closed(version: Version, request: HttpRequest) -> str:
    if not is_open(version):
        return _("This version is decided already.")
    if version.proposer == str(request_actor(request)):
        return _("You proposed this version: another person must decide on it.")
    return ""


def changes_table(version: Version) -> SafeString | str:
    rows = [
        (change["path"], change.get("old") or EMPTY, change.get("new") or EMPTY, _direction(change["direction"]))
        for change in version.changes
    ]
    return table((_("field"), _("before"), _("after"), _("effect")), rows)


def _direction(word: str) -> SafeString:
    return badge(DIRECTION_WORDS.get(word, word), DIRECTION_TONES.get(word, "plain"))


@admin.register(LimitsApproval)
class LimitsApprovalAdmin(WhoMixin, FactAdmin):
    who_column = "approver"
    list_display = ("recorded_at", "account", "limits", "answer", "who", "reason")
    list_filter = (("recorded_at", RecordedDayFilter), ("approved", FlagFilter))
    list_select_related = ("account", "limits")
    sortable_by = ()
    ordering = ("-id",)
    fields = (("account", "limits"), ("answer", "who"), "reason", "recorded_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("account", "limits")

    @admin.display(description=gettext_lazy("answer"))
    def answer(self, row: LimitsApproval) -> SafeString:
        return badge(_("approved"), "good") if row.approved else badge(_("rejected"), "bad")
