"""One page for one act with a reason: a form, a service, a refusal in the reader's language."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from risk.admin.switches import refusal
from risk.inputs import InputError

Button = tuple[str, Any, str]
"""Name of the field that it sends, its words, its look."""


def moment_field(label: Any, *, required: bool = True) -> forms.DateTimeField:
    """A time in UTC, as pages of the desk show times."""
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-05-13 14:30"})
    return forms.DateTimeField(label=label, widget=widget, required=required)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


def act_view(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    *,
    permission: str,
    title: str,
    form: forms.Form,
    buttons: Sequence[Button],
    apply: Callable[[dict[str, Any], str], Any],
    back: str,
    facts: Sequence[tuple[Any, Any]] = (),
    shown: SafeString | str = "",
    closed: str = "",
) -> HttpResponseBase:
    """The page, or what became of it. `apply(given, button)` calls the service and may return what to
    say then; `closed` says why nobody can act.

    `facts` and `shown` (a table) are what the act is about.
    """
    if not request.user.has_perm(permission):
        raise PermissionDenied
    names = [name for name, _words, _look in buttons]
    pressed = names[0] if len(names) == 1 else next((name for name in names if name in request.POST), "")
    if request.method == "POST" and pressed and not closed and form.is_valid():
        try:
            told = apply(form.cleaned_data, pressed)
        except InputError as error:
            _refused(form, error)
        else:
            messages.success(request, told if isinstance(told, str) else _("Done, and recorded with your reason."))
            return HttpResponseRedirect(back)
    return _page(
        admin, request, title=title, form=form, buttons=buttons, back=back, facts=facts, shown=shown, closed=closed
    )


def preview_view(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    *,
    permission: str,
    title: str,
    form: forms.Form,
    button: Button,
    preview: Callable[[dict[str, Any]], SafeString],
    apply: Callable[[dict[str, Any], str], Any],
    back: str,
) -> HttpResponseBase:
    """As `act_view`, for an act that is offered only once `preview(given)` has shown what it would do."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    look: Button = ("preview", _("Show what it would be"), "default")
    if request.method == "POST" and button[0] in request.POST:
        return act_view(
            admin, request, permission=permission, title=title, form=form, buttons=[look, button], apply=apply,
            back=back,
        )  # fmt: skip
    shown = SafeString("")
    if request.method == "POST" and form.is_valid():
        try:
            shown = preview(form.cleaned_data)
        except InputError as error:
            _refused(form, error)
    buttons = [look, button] if shown else [look]
    return _page(admin, request, title=title, form=form, buttons=buttons, back=back, shown=shown)


def _refused(form: forms.Form, error: InputError) -> None:
    form.add_error(error.field if error.field in form.fields else None, refusal(error))


def _page(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    *,
    title: str,
    form: forms.Form,
    buttons: Sequence[Button],
    back: str,
    facts: Sequence[tuple[Any, Any]] = (),
    shown: SafeString | str = "",
    closed: str = "",
) -> TemplateResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "form": form,
        "facts": facts,
        "shown": shown,
        "buttons": [{"name": name, "words": words, "look": look} for name, words, look in buttons],
        "closed": closed,
        "back": back,
        "opts": admin.opts,
    }
    return TemplateResponse(request, "admin/desk/act.html", context)
