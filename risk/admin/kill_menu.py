"""The kill switch as a menu: one click opens it, a second one stops; what the page is about stands first."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from risk.admin.switches import HALT_PRESETS
from risk.models import Account, AccountState, Client, ScopedStop
from risk.models.columns import STATES
from risk.models.state import Scope
from risk.roles import HALT
from risk.rules.facts import TradingState
from risk.stop_targets import StopTarget

ACCOUNTS_SHOWN = 50
MOST_KEY = 64


def menu_context(context: Any) -> dict[str, Any]:
    """What `kill_menu.html` shows. `context` is the page's own."""
    request = context.get("request")
    if request is None or not request.user.has_perm(HALT):
        return {}
    running = _running()
    offered = [StopTarget(Scope.DESK), *(StopTarget(Scope.ACCOUNT, code) for code in running[:ACCOUNTS_SHOWN])]
    chosen = dict.fromkeys([*_subjects(context, request), *offered])
    return {
        "targets": [(target.code, target_words(target)) for target in chosen],
        "presets": [(preset, _(preset)) for preset in HALT_PRESETS],
        "states": [(value, label) for value, label in reversed(STATES) if value != TradingState.ACTIVE],
        "more": len(running) > ACCOUNTS_SHOWN,
        "next": request.get_full_path(),
    }


def target_words(target: StopTarget) -> str:
    """What is stopped, in the reader's language."""
    where = f" ({target.account})" if target.account and target.scope is not Scope.ACCOUNT else ""
    words = {
        Scope.DESK: _("the whole desk"),
        Scope.ACCOUNT: _("account %(name)s"),
        Scope.CLIENT: _("API client %(name)s"),
        Scope.ALGORITHM: _("algorithm %(name)s"),
        Scope.INSTRUMENT: _("instrument %(name)s"),
    }[target.scope]
    return words % {"name": target.key or target.account} + where


def _subjects(context: Mapping[str, Any], request: HttpRequest) -> Iterator[StopTarget]:
    """What the page is about: the account of what it shows, or that its list is filtered by, and what that names."""
    shown = context.get("original") or context.get("object") or context.get("row")
    account = _account(shown) or _filtered(request)
    if isinstance(shown, ScopedStop):
        yield StopTarget(Scope(shown.scope), account.code if account else "", shown.key)
    elif account is not None:
        yield StopTarget(Scope.ACCOUNT, account.code)
    client = shown if isinstance(shown, Client) else getattr(shown, "client", None)
    if isinstance(client, Client):
        yield StopTarget(Scope.CLIENT, client.account.code, client.name)
    for scope in (Scope.ALGORITHM, Scope.INSTRUMENT):
        key = getattr(shown, scope.value, None)
        if account is not None and isinstance(key, str) and 0 < len(key) <= MOST_KEY:
            yield StopTarget(scope, account.code, key)


def _account(shown: Any) -> Account | None:
    found = shown if isinstance(shown, Account) else getattr(shown, "account", None)
    return found if isinstance(found, Account) else None


def _filtered(request: HttpRequest) -> Account | None:
    number = request.GET.get("account__exact", "")
    return Account.objects.filter(pk=int(number)).first() if re.fullmatch(r"[0-9]{1,18}", number) else None


def _running() -> list[str]:
    """The first accounts that are not halted yet, and one more where there are more: those are in the list."""
    running = AccountState.objects.exclude(state=TradingState.HALTED).order_by("account__code")
    return list(running.values_list("account__code", flat=True)[: ACCOUNTS_SHOWN + 1])
