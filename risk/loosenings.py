"""Loosening by the desk's policy: which way one person may take, and what that writes into a version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.inputs import InputError
from risk.models import Desk, LimitsVersion
from risk.rules.limits import SessionHours
from risk.rules.loosening import SECOND_PERSON, Loosening, Way
from risk.rules.sentences import PERSON_NEEDED, SESSION_UNKNOWN, WAY_NOT_ALLOWED
from risk.selectors.desk import desk_limits_readable
from risk.selectors.limits import Version
from risk.selectors.sessions import session_next


def policy_of(desk: Desk) -> Loosening:
    """The desk's policy; a second person where there is no document, or none that this release can read."""
    limits = desk_limits_readable(desk)
    return SECOND_PERSON if limits is None else limits.loosening


def way_check(desk: Desk, way: Way, actor: Actor) -> Loosening:
    """The policy, where it lets `actor` take this way alone. Raises `InputError`; nobody takes one without a name."""
    policy = policy_of(desk)
    if not policy.allows(way):
        raise InputError("way", way.value, WAY_NOT_ALLOWED)
    if actor.kind != "user":
        raise InputError("way", str(actor), PERSON_NEEDED)
    return policy


def way_columns(desk: Desk, way: Way | None, hours: SessionHours, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The columns of a version that loosens. Raises `InputError` where the policy, or an unknown session, forbids."""
    if way is None:
        return {"applied": False}
    policy = way_check(desk, way, actor)
    if way is Way.BREAK_GLASS:
        return {"applied": True, "way": way.value, "review_by": policy.review_by(now)}
    opens = session_next(hours, now)
    if opens is None:
        raise InputError("way", way.value, SESSION_UNKNOWN)
    return {"applied": False, "way": way.value, "effective_at": opens}


def version_announce(version: Version, account: str, *, loosens: bool) -> None:
    """Tells of a new version; `account` is its code, or how alerts name the desk."""
    params: dict[str, str | int] = {"actor": version.proposer, "reason": version.reason}
    code, priority = _announcement(version, loosens)
    if version.effective_at is not None:
        params["at"] = version.effective_at.isoformat()
    if version.review_by is not None:
        params["until"] = version.review_by.isoformat()
    limits_alert(code, version, account, priority=priority, told=params)


def _announcement(version: Version, loosens: bool) -> tuple[str, int]:
    if not loosens:
        return "limits_applied", 2
    ways = {Way.BREAK_GLASS.value: ("limits_broken_glass", 5), Way.NEXT_SESSION.value: ("limits_delayed", 3)}
    return ways.get(version.way or "", ("limits_proposed", 3))


def limits_alert(code: str, version: Version, account: str, *, priority: int, told: Mapping[str, str | int]) -> None:
    """An alert about a version, once for each thing that becomes of it."""
    params = {"version": version.version, **told}
    if isinstance(version, LimitsVersion):
        alert_raise(code, priority=priority, account=account, params=params, dedup_key=str(version.id))
    else:
        alert_raise(code, priority=priority, params={"account": account, **params}, dedup_key=str(version.id))
