"""What the ledger's page shows: sizes and ages as figures, verifications and clocks as lines."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.rendering import EMPTY, age, badge, moment, number
from mia_site.audit.ledger_health import LedgerHealth
from mia_site.audit.models import ClockState, Verification


@dataclass(frozen=True, slots=True)
class VerificationLine:
    """The last run of one depth; `run` None where there never was one."""

    depth: str
    run: Verification | None
    outcome: SafeString
    when: str


def ledger_context(health: LedgerHealth) -> dict[str, Any]:
    """For `admin/desk/ledger.html`."""
    newest = health.newest
    return {
        "health": health,
        "size": number(newest.size if newest else 0),
        "sealed_at": moment(newest.sealed_at) if newest else "",
        "sealed_age": age(newest.sealed_at if newest else None, health.now),
        "waiting": number(health.waiting),
        "waiting_age": age(health.now - timedelta(seconds=health.waiting_seconds), health.now),
        "published": _published(health),
        "published_at": moment(health.published_at),
        "verifications": [_line(gettext_lazy("deep"), health.deep), _line(gettext_lazy("quick"), health.quick)],
        "clocks": clock_lines(health.clocks),
    }


def _published(health: LedgerHealth) -> SafeString:
    """What stands outside, against what is here: the same, behind (the next seal publishes), or ahead."""
    here = health.newest.size if health.newest else 0
    if health.published_size is None:
        return badge(_("nothing yet"), "plain" if not here else "warn")
    if health.published_size == here:
        return badge(_("up to date"), "good")
    if health.published_size < here:
        return badge(_("%(count)d leaves behind") % {"count": here - health.published_size}, "warn")
    return badge(_("ahead of this database"), "bad")


def _line(depth: Any, run: Verification | None) -> VerificationLine:
    if run is None:
        return VerificationLine(str(depth), None, badge(_("never"), "plain"), EMPTY)
    return VerificationLine(str(depth), run, outcome_badge(run), moment(run.finished_at))


def depth_word(run: Verification) -> str:
    """Quick or deep."""
    return str(gettext_lazy("deep") if run.deep else gettext_lazy("quick"))


def outcome_badge(run: Verification) -> SafeString:
    """Broken as soon as something was found; whole only once it is finished."""
    if run.count:
        return badge(gettext_lazy("broken"), "bad")
    return badge(gettext_lazy("whole"), "good") if run.finished_at else badge(gettext_lazy("under way"), "info")


def clock_lines(state: ClockState | None) -> list[tuple[str, Any]]:
    """The last measurement of the clocks; empty where none was made."""
    if state is None:
        return []
    words = {True: badge(_("yes"), "good"), False: badge(_("no"), "bad"), None: badge(_("unknown"), "plain")}
    return [
        (_("host synchronised"), words[state.synchronised]),
        (_("database from host"), _milliseconds(state.database_offset_ms)),
        (_("broker from host"), _milliseconds(state.broker_offset_ms)),
        (_("within the limit"), words[state.within_limit]),
        (_("measured (UTC)"), moment(state.at)),
    ]


def _milliseconds(value: float | None) -> str:
    return EMPTY if value is None else f"{number(value, 1)} ms"
