"""What was done by break-glass and waits for another person's review, as lines above a page."""

from itertools import chain
from typing import Any

from django.db.models import Model, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from mia_site.audit.admin.rendering import moment
from risk.admin.kill_menu import target_words
from risk.models import Account, DeskLimitsVersion, LimitsVersion, StateChange
from risk.models.state import Scope
from risk.selectors.limits import UNREVIEWED
from risk.stop_targets import StopTarget

LINES = 10


def review_lines(account: Account | None = None) -> list[dict[str, Any]]:
    """The reviews that are due first; with `account`, its own and the desk's."""
    mine = Q() if account is None else Q(account=account)
    limits = LimitsVersion.objects.filter(UNREVIEWED & mine).select_related("account")
    desk = DeskLimitsVersion.objects.filter(UNREVIEWED)
    resumes = open_resumes().filter(Q() if account is None else mine | Q(account=None)).select_related("account")
    rows: list[Any] = [*chain(limits[:LINES], desk[:LINES], resumes[:LINES])]
    return [_line(row) for row in sorted(rows, key=lambda row: row.review_by)[:LINES]]


def open_resumes() -> Any:
    """Resumes by break-glass that nobody reviewed."""
    return StateChange.objects.filter(review_by__isnull=False, review=None).order_by("review_by")


def _line(row: Model) -> dict[str, Any]:
    at = {"at": moment(row.review_by)}  # type: ignore[attr-defined]
    return {
        "url": reverse(f"admin:risk_{row._meta.model_name}_change", args=[row.pk]),
        "words": _("%(what)s, until %(at)s") % (at | {"what": _words(row)}),
    }


def _words(row: Model) -> str:
    if isinstance(row, LimitsVersion):
        return _("limits v%(version)s of %(account)s") % {"version": row.version, "account": row.account}
    if isinstance(row, StateChange):
        code = row.account.code if row.account else ""
        return _("resume: %(what)s") % {"what": target_words(StopTarget(Scope(row.scope), code, row.key or ""))}
    return _("limits %(version)s of the desk") % {"version": row}
