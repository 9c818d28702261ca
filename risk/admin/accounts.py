"""Accounts: how each of them stands, and the switches that stop and resume it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import ReadOnlyAdmin, request_actor
from mia_site.audit.admin.rendering import EMPTY, age, number, percent
from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.admin.account_page import account_context
from risk.admin.limits import propose_view
from risk.admin.rulings import held_view, lift_view, peak_view
from risk.admin.shared import state_badge
from risk.admin.switches import switch_view
from risk.models import (
    Account,
    AccountState,
    HeldPoint,
    HeldRuling,
    LimitsApproval,
    LimitsVersion,
    PeakRebase,
    StateChange,
)
from risk.risk_controller import trading_halt, trading_resume
from risk.roles import HALT, RESUME

STORY = 200
"""How many of each kind of fact an account's history shows; the journal browser has the rest."""


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = (
        "code", "state_shown", "equity_shown", "drawdown_shown", "worst_shown", "limits_shown", "fresh", "owner",
    )  # fmt: skip
    list_select_related = ("state", "state__limits")
    empty_words = gettext_lazy("No account yet: manage.py create_account opens one.")
    search_fields = ("code__startswith",)
    search_help_text = gettext_lazy("Account")
    sortable_by = ("code",)
    fields = (("code", "currency"), ("initial_balance", "timezone"), ("owner", "created_at"))
    change_form_outer_before_template = "admin/desk/account.html"

    def get_urls(self) -> list[Any]:
        views = (
            ("halt", self.halt_view), ("resume", self.resume_view), ("propose", self.propose_view),
            ("held", self.held_view), ("lift", self.lift_view), ("peak", self.peak_view),
        )  # fmt: skip
        mine = [
            path(f"<int:object_id>/{name}/", self.admin_site.admin_view(view), name=f"risk_account_{name}")
            for name, view in views
        ]
        return [*mine, *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return account_context(obj)

    def halt_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Stops the account: reduce only or halted, with a reason."""
        account = self._account(object_id)
        return switch_view(
            self, request, row=self._state(account), halt=True, permission=HALT, back=_page(account),
            title=_("Stop trading: %(account)s") % {"account": account},
            apply=lambda **given: trading_halt(account=account.code, actor=request_actor(request), **given),
        )  # fmt: skip

    def resume_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Resumes the account, with a reason."""
        account = self._account(object_id)
        return switch_view(
            self, request, row=self._state(account), halt=False, permission=RESUME, back=_page(account),
            title=_("Resume trading: %(account)s") % {"account": account},
            apply=lambda **given: trading_resume(account=account.code, actor=request_actor(request), **given),
        )  # fmt: skip

    def propose_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """New limits: in force at once where they tighten, else proposed."""
        account = self._account(object_id)
        return propose_view(self, request, account=account, state=self._state(account), back=_page(account))

    def held_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Accepts or rejects the equity points that are held."""
        return self._ruling(held_view, request, object_id)

    def lift_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Lifts a penalty for losing trades."""
        return self._ruling(lift_view, request, object_id)

    def peak_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Moves the peak of a trailing rule down."""
        return self._ruling(peak_view, request, object_id)

    def _ruling(self, view: Callable[..., HttpResponseBase], request: HttpRequest, object_id: int) -> HttpResponseBase:
        account = self._account(object_id)
        return view(self, request, state=self._state(account), back=_page(account))

    def _account(self, object_id: int) -> Account:
        account = Account.objects.filter(pk=object_id).first()
        if account is None:
            raise Http404
        return account

    def _state(self, account: Account) -> AccountState:
        state = AccountState.objects.select_related("account", "limits").filter(account=account).first()
        if state is None:
            raise Http404
        return state

    def journal_of(self, obj: Any) -> QuerySet[Entry]:
        """The account itself, its stops and resumes, its limits and their approvals, what was ruled on it."""
        ids: list[Any] = []
        for model in (StateChange, LimitsVersion, LimitsApproval, HeldPoint, HeldRuling, PeakRebase):
            ids += model.objects.filter(account=obj).order_by("-recorded_at").values_list("pk", flat=True)[:STORY]
        return Entry.objects.filter(Q(object_type=obj._meta.label_lower, object_id=str(obj.pk)) | Q(pk__in=ids))

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, row: Account) -> SafeString | str:
        state = _state_of(row)
        return state_badge(state.state) if state else EMPTY

    @admin.display(description=gettext_lazy("equity"))
    def equity_shown(self, row: Account) -> str:
        state = _state_of(row)
        return number(state.equity, 2) if state and state.equity is not None else EMPTY

    @admin.display(description=gettext_lazy("drawdown"))
    def drawdown_shown(self, row: Account) -> str:
        state = _state_of(row)
        return percent(state.drawdown) if state else EMPTY

    @admin.display(description=gettext_lazy("worst drawdown"))
    def worst_shown(self, row: Account) -> str:
        state = _state_of(row)
        return percent(state.worst_drawdown) if state else EMPTY

    @admin.display(description=gettext_lazy("limits"))
    def limits_shown(self, row: Account) -> str:
        state = _state_of(row)
        return f"v{state.limits.version}" if state and state.limits else EMPTY

    @admin.display(description=gettext_lazy("age of equity"))
    def fresh(self, row: Account) -> str:
        state = _state_of(row)
        return age(state.equity_received_at, database_now()) if state else EMPTY


@admin.register(AccountState)
class AccountStateAdmin(ReadOnlyAdmin):
    """The projection as it is stored; the account's page shows it for people."""

    list_display = ("account", "state", "seq", "equity", "equity_at", "drawdown", "worst_drawdown", "positions_at")
    list_select_related = ("account",)
    search_fields = ("account__code__exact",)
    sortable_by = ()
    column_styles = {
        "drawdown": "percent", "worst_drawdown": "percent", "snapshot_worst": "percent", "positions": "pairs",
    }  # fmt: skip


def _page(account: Account) -> str:
    return reverse("admin:risk_account_change", args=[account.pk])


def _state_of(account: Account) -> AccountState | None:
    return getattr(account, "state", None)
