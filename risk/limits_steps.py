"""What becomes of a loosening that took another way than a second person's yes: withdrawn, taken at its time, or
reviewed; and where nobody reviewed it in time, the stricter limits come back (fail closed)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import structlog
from django.db import transaction
from django.db.models import Q

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise_outside
from mia_site.ops.clock import database_now
from risk.desk_limits import DESK_CODE, desk_limits_enforce
from risk.inputs import InputError, reason_check
from risk.limits_law import change_plain, limits_enforce, version_waits_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.loosenings import limits_alert
from risk.models import DeskLimitsStep, DeskLimitsVersion, LimitsStep, LimitsVersion
from risk.models.limits import Step
from risk.rules.desk_limits import desk_limits_diff, desk_limits_dump, desk_limits_parse
from risk.rules.limits import Change, limits_diff, limits_dump, limits_parse
from risk.rules.limits_own import own_after
from risk.rules.sentences import (
    NOT_REVIEWED,
    NOTHING_TO_REVIEW,
    OVERTAKEN,
    PUT_BACK,
    REVIEWER_NEEDED,
    SESSION_BEGAN,
)
from risk.rules.stricter import desk_limits_stricter, limits_stricter
from risk.selectors.desk import account_defaults
from risk.selectors.limits import UNREVIEWED, WAITING, Version, version_before
from risk.written import Written

log = structlog.get_logger(__name__)
ALERTS = {
    Step.TAKEN: ("limits_taken", 3),
    Step.WITHDRAWN: ("limits_withdrawn", 2),
    Step.KEPT: ("limits_kept", 2),
    Step.REVOKED: ("limits_revoked", 3),
    Step.LAPSED: ("limits_lapsed", 5),
}


class _Ground(Protocol):
    """What limits hold for, locked: an account, or the desk."""

    code: str
    """How alerts name it."""
    journal: str
    """How the journal names it: an account's code, "" for the desk."""
    now: datetime

    def in_force(self) -> Version | None: ...

    def step(self, **columns: Any) -> LimitsStep | DeskLimitsStep:
        """A step (unsaved)."""

    def enforce(self, version: Any, *, actor: Actor) -> Written:
        """Puts a recorded version in force; what that stops is in what it returns."""

    def stricter(self, version: Any, *, actor: Actor, reason: str) -> Version | None:
        """A new version (unsaved), limit by limit the stricter of the one before `version` and the one in force; None
        where that is in force already."""

    def save(self) -> None: ...


class _AccountGround:
    """One account, under its lock."""

    def __init__(self, version: LimitsVersion) -> None:
        self.desk = desk_lock()
        self.state = account_lock(version.account.code)
        self.code = self.journal = version.account.code
        self.seq, self.now = seq_take(self.state)

    def in_force(self) -> LimitsVersion | None:
        return self.state.limits

    def step(self, **columns: Any) -> LimitsStep:
        return LimitsStep(account=self.state.account, seq=self.seq, recorded_at=self.now, **columns)

    def enforce(self, version: LimitsVersion, *, actor: Actor) -> Written:
        return limits_enforce(self.state, version, actor=actor, seq=self.seq, now=self.now)

    def stricter(self, version: LimitsVersion, *, actor: Actor, reason: str) -> LimitsVersion | None:
        known = list(_known(LimitsVersion).filter(account=self.state.account))
        before, in_force = version_before(version, known), self.state.limits
        assert before is not None and in_force is not None  # a version that loosens came after another
        now = limits_parse(in_force.body)
        merged = limits_stricter(limits_parse(before.body), now)
        if merged == now:
            return None
        return LimitsVersion(
            account=self.state.account, seq=self.seq, body=limits_dump(merged), desk_limits=self.desk.limits,
            own=own_after(limits_dump(merged), in_force.own, account_defaults(self.desk)),
            **_columns(known, limits_diff(now, merged), actor, reason, self.now),
        )  # fmt: skip

    def save(self) -> None:
        self.state.save()


class _DeskGround:
    """The whole desk, under its exclusive lock."""

    code, journal = DESK_CODE, ""

    def __init__(self) -> None:
        self.desk = desk_lock(exclusive=True)
        self.now = database_now()

    def in_force(self) -> DeskLimitsVersion | None:
        return self.desk.limits

    def step(self, **columns: Any) -> DeskLimitsStep:
        return DeskLimitsStep(seq=self.desk.seq, recorded_at=self.now, **columns)

    def enforce(self, version: DeskLimitsVersion, *, actor: Actor) -> Written:
        desk_limits_enforce(self.desk, version, actor=actor)
        return Written()

    def stricter(self, version: DeskLimitsVersion, *, actor: Actor, reason: str) -> DeskLimitsVersion | None:
        known = list(_known(DeskLimitsVersion))
        before, in_force = version_before(version, known), self.desk.limits
        assert before is not None and in_force is not None  # a policy that allows break-glass came before
        now = desk_limits_parse(in_force.body)
        merged = desk_limits_stricter(desk_limits_parse(before.body), now)
        if merged == now:
            return None
        return DeskLimitsVersion(
            seq=self.desk.seq, body=desk_limits_dump(merged),
            **_columns(known, desk_limits_diff(now, merged), actor, reason, self.now),
        )  # fmt: skip

    def save(self) -> None:
        """Putting in force has saved it."""


def _known(model: Any) -> Any:
    return model.objects.select_related("approval", "step")


def _columns(
    known: Iterable[Version], changes: Iterable[Change], actor: Actor, reason: str, now: datetime
) -> dict[str, Any]:
    return {
        "version": max(version.version for version in known) + 1, "changes": [change_plain(each) for each in changes],
        "proposer": str(actor), "reason": reason[:2000], "applied": True, "recorded_at": now,
    }  # fmt: skip


def limits_withdraw(version: Version, *, actor: Actor, reason: str) -> LimitsStep | DeskLimitsStep:
    """Takes back a version that waits, for a second person or for its time. Raises `InputError` where it does not."""
    reason = reason_check(reason)
    with transaction.atomic():
        ground, version = _lock(version)
        version_waits_check(version, ground.in_force())
        return _take(ground, version, Step.WITHDRAWN, actor=actor, reason=reason)


def limits_review(version: Version, *, keep: bool, actor: Actor, reason: str) -> LimitsStep | DeskLimitsStep:
    """Another person keeps what was loosened by break-glass, or revokes it; who broke the glass may only revoke.

    Raises `InputError`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        ground, version = _lock(version)
        if version.review_by is None or hasattr(version, "step"):
            raise InputError("version", version.version, NOTHING_TO_REVIEW)
        if keep and version.proposer == str(actor):
            raise InputError("reviewer", str(actor), REVIEWER_NEEDED)
        if keep:
            return _take(ground, version, Step.KEPT, actor=actor, reason=reason)
        told = PUT_BACK % {"version": version.version, "reason": reason}
        return _take(ground, version, Step.REVOKED, actor=actor, reason=reason, put_back=told)


def limits_due(*, actor: Actor) -> int:
    """Takes the versions whose time has come in force, and puts the stricter limits back where nobody reviewed a
    break-glass in time. Returns how many; one's trouble leaves the others alone."""
    now, done = database_now(), 0
    for model in (LimitsVersion, DeskLimitsVersion):
        due = model.objects.filter(WAITING & Q(effective_at__lte=now) | UNREVIEWED & Q(review_by__lte=now))
        for version in due.order_by("recorded_at", "id"):
            try:
                done += _due(version, actor)
            except Exception as error:
                log.exception("limits_due_failed", version=str(version.id))
                _failure_alert(version, error)
    return done


def _failure_alert(version: Version, error: Exception) -> None:
    account = version.account.code if isinstance(version, LimitsVersion) else DESK_CODE
    told: dict[str, str | int] = {
        "account": account, "version": version.version, "error": f"{type(error).__name__}: {error}",
    }  # fmt: skip
    alert_raise_outside("limits_due_failed", priority=4, params=told, dedup_key=str(version.id))


def _due(version: Version, actor: Actor) -> bool:
    with transaction.atomic():
        ground, version = _lock(version)
        in_force = ground.in_force()
        if hasattr(version, "step") or hasattr(version, "approval"):
            return False  # decided while the lock was waited for
        if version.review_by is not None:
            told = NOT_REVIEWED % {"version": version.version, "until": version.review_by.isoformat()}
            _take(ground, version, Step.LAPSED, actor=actor, reason=told, put_back=told)
        elif in_force is not None and in_force.version > version.version:
            told = OVERTAKEN % {"version": in_force.version}
            _take(ground, version, Step.WITHDRAWN, actor=actor, reason=told)
        else:
            _take(ground, version, Step.TAKEN, actor=actor, reason=SESSION_BEGAN)
    return True


def _lock(version: Version) -> tuple[_Ground, Version]:
    """What the version holds for, locked; and the version as it stands then."""
    ground: _Ground = _AccountGround(version) if isinstance(version, LimitsVersion) else _DeskGround()
    return ground, _known(type(version)).get(id=version.id)


def _take(
    ground: _Ground, version: Version, step: Step, *, actor: Actor, reason: str, put_back: str = ""
) -> LimitsStep | DeskLimitsStep:
    """Records the step, and what it puts in force: the version itself, or, with the reason `put_back`, the stricter
    limits."""
    fact = ground.step(limits=version, step=step.value, actor=str(actor), reason=reason[:2000])
    enforced = version if step is Step.TAKEN else None
    if put_back:
        enforced = ground.stricter(version, actor=actor, reason=put_back)
    new = [] if enforced is None or enforced is version else [enforced]
    Written(facts=[fact, *new]).record(actor=actor, account=ground.journal, why=reason)
    if enforced is not None:
        ground.enforce(enforced, actor=actor).record(actor=actor, account=ground.journal, why=reason)
    ground.save()
    code, priority = ALERTS[step]
    told = {"actor": str(actor), "reason": reason}
    if version.review_by is not None:
        told["until"] = version.review_by.isoformat()
    limits_alert(code, version, ground.code, priority=priority, told=told)
    return fact
