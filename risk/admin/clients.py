"""API clients: made by `manage.py create_client`, which shows the token once; here their tokens can be revoked."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase, HttpResponseNotAllowed
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from knox.models import get_token_model

from mia_site.audit.admin.base import ReadOnlyAdmin, request_actor
from mia_site.audit.admin.names import actor_names_register
from mia_site.audit.admin.rendering import moment, mono, table
from risk.accounts import client_halt_right, tokens_revoke
from risk.admin.acting import ReasonForm, act_view
from risk.models import Client
from risk.roles import REVOKE_TOKENS

with suppress(NotRegistered):  # knox's own page would show and delete tokens without a journal entry
    admin.site.unregister(get_token_model())


def _names(ids: Iterable[str]) -> Mapping[str, str]:
    numbers = [int(number) for number in ids if number.isdigit()]
    return {str(pk): name for pk, name in Client.objects.filter(pk__in=numbers).values_list("pk", "name")}


actor_names_register("client", _names)


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "can_halt", "created_at", "tokens")
    list_select_related = ("account",)
    search_fields = ("name__startswith", "account__code__exact")
    search_help_text = gettext_lazy("Name or account")
    column_styles = {"can_halt": "flag"}
    fields = (("name", "account"), ("can_halt", "created_at"), "tokens_shown")
    change_form_outer_before_template = "admin/desk/client_actions.html"
    list_before_template = "admin/desk/client_note.html"

    def get_urls(self) -> list[Any]:
        views = (("revoke", self.revoke_view), ("halt-right", self.halt_right_view))
        mine = [
            path(f"<int:object_id>/{name}/", self.admin_site.admin_view(view), name=f"risk_client_{name}")
            for name, view in views
        ]
        return [*mine, *super().get_urls()]

    def halt_right_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Gives the right to stop trading, or takes it away, with a reason."""
        client = Client.objects.select_related("account").filter(pk=object_id).first()
        if client is None:
            raise Http404
        words = _("Take the right to stop trading away") if client.can_halt else _("Give the right to stop trading")
        return act_view(
            self, request, permission=REVOKE_TOKENS, title=words, form=ReasonForm(request.POST or None),
            back=reverse("admin:risk_client_change", args=[object_id]), buttons=[("change", words, "primary")],
            facts=[(_("name"), client.name), (_("account"), client.account.code)],
            apply=lambda given, _button: client_halt_right(
                client, can_halt=not client.can_halt, actor=request_actor(request), reason=given["reason"]
            ),
        )  # fmt: skip

    def revoke_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Revokes every token of the client; journalled with who and why."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(REVOKE_TOKENS):
            raise PermissionDenied
        client = Client.objects.select_related("account", "user").filter(pk=object_id).first()
        if client is None:
            raise Http404
        reason = request.POST.get("reason", "").strip()[:2000]
        count = tokens_revoke(client, actor=request_actor(request), reason=reason)
        text = ngettext("%(count)d token is revoked.", "%(count)d tokens are revoked.", count)
        messages.success(request, text % {"count": count})
        return HttpResponseRedirect(reverse("admin:risk_client_change", args=[object_id]))

    def page_prepare(self, rows: Iterable[Any]) -> None:
        users = [row.user_id for row in rows]
        found: dict[int, int] = {}
        for user_id in get_token_model().objects.filter(user_id__in=users).values_list("user_id", flat=True):
            found[user_id] = found.get(user_id, 0) + 1
        for row in rows:
            row.token_count = found.get(row.user_id, 0)

    @admin.display(description=gettext_lazy("tokens"))
    def tokens(self, row: Any) -> int:
        return int(row.token_count)

    @admin.display(description=gettext_lazy("tokens"))
    def tokens_shown(self, row: Client) -> SafeString | str:
        tokens = get_token_model().objects.filter(Q(user_id=row.user_id)).order_by("created")
        lines = [(mono(token.token_key + "…"), moment(token.created), moment(token.expiry)) for token in tokens]
        if not lines:
            return _("none: this client cannot ask anything")
        return table((_("begins with"), _("issued"), _("expires")), lines)
