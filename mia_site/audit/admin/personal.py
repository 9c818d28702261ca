"""What is kept of people beside the entries, and how an administrator erases it, with a reason."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mia_site.audit.admin.base import ReadOnlyAdmin, action, request_actor
from mia_site.audit.admin.entries import ERASE_PERSONAL
from mia_site.audit.admin.rendering import link, moment, pairs
from mia_site.audit.journal import personal_erase
from mia_site.audit.models import Entry, LoginFailure, PersonalData
from mia_site.ops.ids import uuid7_time

AT_ONCE = 1_000


@admin.register(PersonalData)
class PersonalDataAdmin(ReadOnlyAdmin):
    list_display = ("at", "entry_id", "told")
    list_display_links = ("entry_id",)
    search_fields = ("entry_id__exact", "data__user_name__exact", "data__address__exact")
    search_help_text = gettext_lazy("User name, address or entry id")
    sortable_by = ()
    ordering = ("-entry_id",)
    actions = ("erase",)
    fields = ("entry", "told")
    export_leave_out = ("salt",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """This one row may be deleted, by those who may, so that people can be forgotten."""
        if not request.user.has_perm(ERASE_PERSONAL):
            return {}
        return {name: self.get_action(name) for name in self.actions}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.erase_view)
        return [path("erase/", view, name="audit_personaldata_erase"), *super().get_urls()]

    @action(description=gettext_lazy("Erase…"))
    def erase(self, request: HttpRequest, queryset: QuerySet[PersonalData]) -> HttpResponseBase:
        """Asks for the reason first."""
        return self._ask(request, list(queryset.values_list("entry_id", flat=True)[:AT_ONCE]))

    def erase_view(self, request: HttpRequest) -> HttpResponseBase:
        """GET asks for the reason, POST erases. Entry ids come as `entry`, one or more."""
        if not request.user.has_perm(ERASE_PERSONAL):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        ids, reason = _ids(given.getlist("entry")), given.get("reason", "").strip()
        if request.method != "POST" or not reason:
            return self._ask(request, ids, missing=request.method == "POST")
        count = personal_erase(ids, actor=request_actor(request), why=reason[:2000])
        told = ngettext(
            "Personal data of %(count)d entry is erased.", "Personal data of %(count)d entries is erased.", count
        )
        messages.success(request, told % {"count": count})
        return HttpResponseRedirect(reverse("admin:audit_personaldata_changelist"))

    def _ask(self, request: HttpRequest, ids: Sequence[UUID], *, missing: bool = False) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Erase personal data"),
            "opts": self.opts,
            "entries": Entry.objects.filter(pk__in=ids).order_by("-id"),
            "missing": missing,
            "back": reverse("admin:audit_personaldata_changelist"),
        }
        return TemplateResponse(request, "admin/desk/erase.html", context)

    @admin.display(description=gettext_lazy("when (UTC)"))
    def at(self, row: PersonalData) -> str:
        return moment(uuid7_time(row.entry_id))

    @admin.display(description=gettext_lazy("entry"))
    def entry(self, row: PersonalData) -> SafeString:
        return link(reverse("admin:audit_entry_change", args=[row.entry_id]), row.entry_id)

    @admin.display(description=gettext_lazy("personal data"))
    def told(self, row: PersonalData) -> SafeString:
        return pairs(row.data)


def _ids(texts: Sequence[str]) -> list[UUID]:
    """The ids that are ids."""
    found = []
    for text in texts[:AT_ONCE]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnlyAdmin):
    list_display = ("window", "address", "count")
    empty_words = gettext_lazy("No login has failed.")
    sortable_by = ()
    ordering = ("-window",)
