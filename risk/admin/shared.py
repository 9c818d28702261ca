"""What several pages of the risk app use: filters, badges, sentences of reasons."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.filters import select_of
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import EMPTY, badge
from mia_site.ops.sentences import sentence_told
from risk.models import Account
from risk.models.columns import STATES, Origin
from risk.rules.codes import ReasonCode
from risk.rules.facts import TradingState
from risk.rules.messages import MESSAGES

STATE_TONES = {TradingState.ACTIVE: "good", TradingState.REDUCE_ONLY: "warn", TradingState.HALTED: "bad"}
STATE_WORDS = dict(STATES)
EFFECT_WORDS = {
    "opens": gettext_lazy("opens"),
    "reduces": gettext_lazy("reduces"),
    "neutral": gettext_lazy("neutral"),
}
WORDS = {"after", "reason", "scope"}
"""Evidence that is a word or a sentence of the desk itself."""


def accounts_known() -> list[tuple[int, str]]:
    return list(Account.objects.order_by("code").values_list("pk", "code"))


AccountFilter = select_of(accounts_known)


def state_badge(state: str) -> SafeString:
    """A trading state by word and colour."""
    return badge(STATE_WORDS.get(state, state), STATE_TONES.get(TradingState(state), "plain") if state else "plain")


def origin_badge(origin: str) -> SafeString:
    return badge(Origin(origin).label, "plain" if origin == Origin.LIVE else "info")


def reason_sentence(reason: Mapping[str, Any]) -> str:
    """A recorded reason as a sentence in the reader's language; as it was recorded where no template fits."""
    try:
        figures = reason.get("evidence", {})
        words = {name: sentence_told(str(figures[name])) for name in WORDS & figures.keys()}
        return _(MESSAGES[ReasonCode(reason["code"])]) % {**figures, **words}
    except (KeyError, ValueError, TypeError):
        return str(reason.get("message", reason.get("code", "")))


class OriginMixin:
    """A column that tells live records from imported history."""

    @admin.display(description=gettext_lazy("origin"))
    def origin_shown(self, row: Any) -> SafeString:
        return origin_badge(row.origin)


class WhoMixin:
    """A column of who acted, by name: those of a whole list are read in one query."""

    who_column = "actor"

    def page_prepare(self, rows: Iterable[Any]) -> None:
        names = actor_names(getattr(row, self.who_column) for row in rows)
        for row in rows:
            row.who_shown = names[getattr(row, self.who_column)]

    @admin.display(description=gettext_lazy("by"))
    def who(self, row: Any) -> str:
        actor: str = getattr(row, self.who_column)
        return str(getattr(row, "who_shown", "")) or actor_names([actor])[actor]


class ReasonMixin:
    """A column of reasons, among them those that the desk itself gave."""

    @admin.display(description=gettext_lazy("reason"))
    def reason_shown(self, row: Any) -> str:
        return sentence_told(row.reason) or EMPTY
