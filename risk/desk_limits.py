"""The desk's own document as law: tightening takes effect at once, loosening by the policy in force."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from risk.desk_equity import EQUITY_FIELDS, desk_settle, desk_start
from risk.inheritance import accounts_follow, accounts_loosened
from risk.inputs import reason_check
from risk.limits_law import change_plain, version_open_check
from risk.locking import desk_lock
from risk.loosenings import limits_alert, version_announce, way_columns
from risk.models import Desk, DeskLimitsApproval, DeskLimitsVersion
from risk.rules.desk_limits import DeskLimits, desk_limits_diff, desk_limits_dump, desk_limits_parse
from risk.rules.limits import Direction, SessionHours
from risk.rules.loosening import Way
from risk.rules.track import measured_by
from risk.selectors.desk import desk_limits_of
from risk.written import Written

DESK_CODE = "DESK"
"""How alerts name the desk where an account's code would stand."""


class DeskLimitsSubmitted(NamedTuple):
    """The version now in force or proposed; `changed` is False where the document says nothing new."""

    version: DeskLimitsVersion
    applied: bool
    changed: bool


def desk_limits_submit(
    document: Mapping[str, Any], *, actor: Actor, reason: str, way: Way | None = None
) -> DeskLimitsSubmitted:
    """Applies the desk's document at once if it only tightens (rules where there were none do), else proposes it, or
    takes the `way` that the policy in force allows to a person alone. What other defaults change for an account that
    inherits them loosens, or tightens, the desk's document too.

    Raises `LimitsError` (field, value, expected) and `InputError` for an empty reason or a way that is not allowed.
    """
    reason = reason_check(reason)
    new = desk_limits_parse(document)
    with transaction.atomic():
        desk = desk_lock(exclusive=True)
        old = desk_limits_of(desk)
        newest = DeskLimitsVersion.objects.order_by("-version").first()
        if desk.limits is not None and old == new:
            return DeskLimitsSubmitted(desk.limits, True, changed=False)
        changes = desk_limits_diff(old, new)
        loosens = any(change.direction is Direction.LOOSENS for change in changes)
        loosens = loosens or (_other_defaults(old, new) and accounts_loosened(new.accounts))
        now = database_now()
        columns: dict[str, Any] = {"applied": True}
        if loosens:
            columns = way_columns(desk, way, SessionHours.GLOBEX, actor=actor, now=now)
        version = DeskLimitsVersion(
            version=(newest.version if newest else 0) + 1, seq=desk.seq, body=desk_limits_dump(new),
            changes=[change_plain(change) for change in changes], proposer=str(actor), reason=reason, recorded_at=now,
            **columns,
        )  # fmt: skip
        Written(facts=[version]).record(actor=actor, account="", why=reason)
        if version.applied:
            desk_limits_enforce(desk, version, actor=actor)
        version_announce(version, DESK_CODE, loosens=loosens)
    return DeskLimitsSubmitted(version, version.applied, changed=True)


def desk_limits_decide(version: DeskLimitsVersion, *, approve: bool, actor: Actor, reason: str) -> DeskLimitsApproval:
    """A second person's yes or no to a proposed version. Raises `InputError` where it is not open, is older than what
    is in force, or was proposed by the same actor."""
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock(exclusive=True)
        version = DeskLimitsVersion.objects.get(id=version.id)
        version_open_check(version, desk.limits, actor)
        now = database_now()
        approval = DeskLimitsApproval(
            seq=desk.seq, limits=version, approved=approve, approver=str(actor), reason=reason, recorded_at=now
        )
        Written(facts=[approval]).record(actor=actor, account="", why=reason)
        if approve:
            desk_limits_enforce(desk, version, actor=actor)
        limits_alert(
            "limits_approved" if approve else "limits_rejected", version, DESK_CODE, priority=2,
            told={"actor": str(actor), "reason": reason},
        )  # fmt: skip
    return approval


def desk_limits_enforce(desk: Desk, version: DeskLimitsVersion, *, actor: Actor) -> None:
    """Puts a recorded version in force in the locked desk and judges it then and there."""
    old, new = desk_limits_of(desk), desk_limits_parse(version.body)
    desk.limits = version
    if _other_defaults(old, new):
        accounts_follow(version, new.accounts, actor=actor)
    desk_rules_take(desk, old, new)
    now = database_now()
    desk_settle(desk, new, now)
    desk.save(update_fields=["limits", *EQUITY_FIELDS])
    desk_start(desk, new, actor=actor, now=now).record(actor=actor, account="", why=version.reason)


def _other_defaults(old: DeskLimits | None, new: DeskLimits) -> bool:
    """Whether accounts inherit something else than before."""
    return new.accounts != ({} if old is None else old.accounts)


def desk_rules_take(desk: Desk, old: DeskLimits | None, new: DeskLimits) -> None:
    """The desk's marks (unsaved) under other rules. What measures something else than before begins anew: a sum over
    other accounts, or from another day's reset, has no history to measure."""
    same = old is not None and (old.currency, old.zone) == (new.currency, new.zone)
    before = {rule.name: measured_by(rule) for rule in old.limits.drawdown} if old is not None and same else {}
    kept = {rule.name for rule in new.limits.drawdown if before.get(rule.name) == measured_by(rule)}
    desk.marks = {name: values for name, values in desk.marks.items() if name in kept}
