"""Limits as law: immutable versions. Tightening takes effect at once, loosening by the desk's policy."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_noop

from mia_site.audit.actors import Actor
from risk.history import tracks_replay
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.loosenings import limits_alert, version_announce, way_columns
from risk.models import AccountState, Desk, LimitsApproval, LimitsVersion
from risk.rules.drawdown import PointError
from risk.rules.limits import Limits, limits_diff, limits_dump, limits_parse, tightens
from risk.rules.limits_own import document_over, own_part
from risk.rules.loosening import Way
from risk.rules.sentences import NEWER_VERSION
from risk.rules.track import rules_fresh, track_dump
from risk.selectors.desk import account_defaults
from risk.selectors.limits import WAITING, Version, limits_readable, version_readable
from risk.tracks import equity_judge
from risk.written import Written


class LimitsSubmitted(NamedTuple):
    """The version now in force or proposed; `changed` is False where the document says nothing new."""

    version: LimitsVersion
    applied: bool
    changed: bool


def limits_submit(
    account: str, document: Mapping[str, Any], *, actor: Actor, reason: str, way: Way | None = None
) -> LimitsSubmitted:
    """Applies limits at once if none exist or they only tighten, else proposes them for a second person.

    `document` is what the account sets itself; what it leaves out it inherits from the desk's defaults for accounts.
    `way`: the one that a loosening takes instead, where the desk's policy allows it to a person alone. A document equal
    to the limits in force, or to the newest open proposal, adds nothing.
    Raises `LimitsError` (field, value, expected), `InputError` for an empty reason or a way that is not allowed,
    `AccountUnknown`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock()
        state = account_lock(account)
        told = _told(desk, document)
        newest = LimitsVersion.objects.filter(account=state.account).order_by("-version").first()
        known = _known(state, newest, told, way)
        if known is not None:
            return LimitsSubmitted(known, known.id == state.limits_id, changed=False)
        return _version_add(desk, state, newest, told, actor=actor, reason=reason, way=way)


class _Told(NamedTuple):
    """A document as it counts: its own part, and the limits and complete body that the desk's defaults make of it."""

    own: dict[str, Any]
    limits: Limits
    body: dict[str, Any]
    inherits: bool

    def said_by(self, version: LimitsVersion) -> bool:
        """Whether `version` says the same. Of one that does not tell its own part, all is the account's own; that
        matters only where there is a desk to inherit from."""
        if version_readable(version) != self.limits:
            return False
        if version.own is None:
            return not self.inherits or self.own == self.body
        return bool(version.own == self.own)


def _told(desk: Desk, document: Mapping[str, Any]) -> _Told:
    defaults = account_defaults(desk)
    limits = limits_parse(document_over(document, defaults))
    body = limits_dump(limits)
    return _Told(own_part(document, body), limits, body, inherits=bool(defaults))


def _known(state: AccountState, newest: LimitsVersion | None, told: _Told, way: Way | None) -> LimitsVersion | None:
    """The version that says the same already, and waits in no other way. Limits are compared, not documents: an older
    one lacks newer sections."""
    if state.limits is not None and told.said_by(state.limits):
        return state.limits
    waits = newest is not None and LimitsVersion.objects.filter(WAITING, id=newest.id).exists()
    if newest is not None and waits and way in (None, newest.way) and told.said_by(newest):
        return newest
    return None


def _version_add(
    desk: Desk,
    state: AccountState,
    newest: LimitsVersion | None,
    told: _Told,
    *,
    actor: Actor,
    reason: str,
    way: Way | None,
) -> LimitsSubmitted:
    seq, now = seq_take(state)
    old = limits_readable(state)
    # What cannot be read may have been tighter.
    loosens = state.limits is not None and (old is None or not tightens(old, told.limits))
    columns: dict[str, Any] = {"applied": True}
    if loosens:
        columns = way_columns(desk, way, (old or told.limits).session.hours, actor=actor, now=now)
    changes = [] if old is None else [change_plain(change) for change in limits_diff(old, told.limits)]
    version = LimitsVersion(
        account=state.account, version=(newest.version if newest else 0) + 1, seq=seq, body=told.body, own=told.own,
        desk_limits=desk.limits, changes=changes, proposer=str(actor), reason=reason, recorded_at=now, **columns,
    )  # fmt: skip
    written = Written(facts=[version])
    if version.applied:
        written.add(limits_enforce(state, version, actor=actor, seq=seq, now=now))
    written.record(actor=actor, account=state.account.code, why=reason)
    state.save()
    version_announce(version, state.account.code, loosens=loosens)
    return LimitsSubmitted(version, version.applied, changed=True)


def change_plain(change: Any) -> dict[str, str]:
    """A change as it is stored with its version."""
    return {
        "path": change.path,
        "old": _text(change.old),
        "new": _text(change.new),
        "direction": str(change.direction),
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def limits_enforce(state: AccountState, version: LimitsVersion, *, actor: Actor, seq: int, now: datetime) -> Written:
    """Puts a version in force (state unsaved) and judges the account by it then and there."""
    old, new = limits_readable(state), limits_parse(version.body)
    state.limits = version
    marks_refresh(state, new, rules_fresh(state.marks, old, new))
    return equity_judge(state, new, actor=actor, seq=seq, now=now)


def marks_refresh(state: AccountState, limits: Limits, fresh: set[str], *, before: int | None = None) -> None:
    """The marks (unsaved) under other limits: the `fresh` rules start from history (`seq` below `before`), so that no
    peak is forgotten. Raises `InputError` where the history cannot be measured."""
    rules = [rule for rule in limits.drawdown if rule.name in fresh]
    try:
        tracks = tracks_replay(state.account, rules, limits.confirmation, before=before)
    except PointError as error:
        told = f"rules that can measure the account's history ({error})"
        raise InputError("drawdown", ", ".join(sorted(fresh)), told) from error
    kept = {rule.name: state.marks[rule.name] for rule in limits.drawdown if rule.name not in fresh}
    state.marks = kept | {name: track_dump(track) for name, track in tracks.items()}


def limits_decide(version: LimitsVersion, *, approve: bool, actor: Actor, reason: str) -> LimitsApproval:
    """A second person's yes or no to a proposed version. Raises `InputError` where the version is not open, is older
    than what is in force, or was proposed by the same actor."""
    reason = reason_check(reason)
    with transaction.atomic():
        desk_lock()
        state = account_lock(version.account.code)
        version = LimitsVersion.objects.select_related("account").get(id=version.id)
        version_open_check(version, state.limits, actor)
        seq, now = seq_take(state)
        approval = LimitsApproval(
            account=state.account, seq=seq, limits=version, approved=approve, approver=str(actor), reason=reason,
            recorded_at=now,
        )  # fmt: skip
        written = Written(facts=[approval])
        if approve:
            written.add(limits_enforce(state, version, actor=actor, seq=seq, now=now))
        state.save()
        written.record(actor=actor, account=state.account.code, why=reason)
        limits_alert(
            "limits_approved" if approve else "limits_rejected", version, state.account.code, priority=2,
            told={"actor": str(actor), "reason": reason},
        )  # fmt: skip
    return approval


def version_waits_check(version: Version, in_force: Version | None) -> None:
    """Raises `InputError` unless the version still waits and is not overtaken."""
    if version.applied or hasattr(version, "approval") or hasattr(version, "step"):
        raise InputError("version", version.version, gettext_noop("a version that is still proposed"))
    if in_force is not None and version.version < in_force.version:
        raise InputError("version", version.version, NEWER_VERSION % {"version": in_force.version})


def version_open_check(version: Version, in_force: Version | None, actor: Actor) -> None:
    """Raises `InputError` unless `actor` may decide on the version: proposed by another, and not overtaken."""
    version_waits_check(version, in_force)
    if version.proposer == str(actor):
        raise InputError(
            "approver", str(actor), gettext_noop("a second person: who proposes a loosening does not approve it")
        )
