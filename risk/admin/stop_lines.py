"""Stops in force of single clients, algorithms and instruments, as lines above a page."""

from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString

from mia_site.ops.sentences import sentence_told
from risk.admin.kill_menu import target_words
from risk.admin.shared import state_badge
from risk.models import Account, ScopedStop
from risk.models.state import Scope
from risk.stop_targets import StopTarget

LINES = 10


def stop_words(row: ScopedStop) -> str:
    """What the stop singles out, in the reader's language."""
    return target_words(StopTarget(Scope(row.scope), row.account.code if row.account else "", row.key))


def stop_lines(account: Account | None = None) -> list[dict[str, Any]]:
    """The newest stops in force, those that concern `account` where one is given."""
    rows = ScopedStop.objects.select_related("account").order_by("-state_since")
    if account is not None:
        rows = rows.filter(Q(account=None) | Q(account=account))
    return [_line(row) for row in rows[:LINES]]


def _line(row: ScopedStop) -> dict[str, SafeString | str | int]:
    return {
        "pk": row.pk,
        "words": stop_words(row),
        "state": state_badge(row.state),
        "reason": sentence_told(row.state_reason),
    }
