"""Limits in force, parsed once per version (a version never changes); and which versions ever were, by what."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

import structlog
from django.db.models import Q

from risk.models import (
    AccountState,
    DeskLimitsApproval,
    DeskLimitsStep,
    DeskLimitsVersion,
    LimitsApproval,
    LimitsStep,
    LimitsVersion,
)
from risk.models.limits import Step
from risk.rules.limits import Limits, LimitsError, limits_parse

log = structlog.get_logger(__name__)
Version = LimitsVersion | DeskLimitsVersion
V = TypeVar("V", LimitsVersion, DeskLimitsVersion)
Putting = LimitsVersion | LimitsApproval | LimitsStep | DeskLimitsVersion | DeskLimitsApproval | DeskLimitsStep
OPEN = Q(approval=None, step=None)
WAITING = OPEN & Q(applied=False)
"""Versions that wait: for a second person, or for their time."""
UNREVIEWED = OPEN & Q(applied=True, review_by__isnull=False)
"""Versions in force by break-glass that nobody reviewed yet."""


class LimitsUnreadable(RuntimeError):
    """The limits in force are not written as this release reads them."""


@lru_cache(maxsize=16_384)
def _parsed(version: LimitsVersion) -> Limits:
    """By the row, which is known by its key: read with the account's state it costs no query."""
    try:
        return limits_parse(version.body)
    except LimitsError as error:
        raise LimitsUnreadable(f"limits version {version.version}: {error}") from error


def limits_of(state: AccountState) -> Limits | None:
    """The limits in force for the account, or None where none were ever set. Raises `LimitsUnreadable`."""
    return None if state.limits is None else _parsed(state.limits)


def limits_readable(state: AccountState) -> Limits | None:
    """As `limits_of`, and None where they cannot be read: the gate then blocks openings, and lets exits pass."""
    return None if state.limits is None else version_readable(state.limits)


def version_readable(version: LimitsVersion) -> Limits | None:
    """What the version says; None where this release cannot read it."""
    try:
        return _parsed(version)
    except LimitsUnreadable as error:
        log.warning("limits_unreadable", version=str(version.id), error=str(error))
        return None


def enforced_by(version: Version) -> Putting | None:
    """The fact that put the version in force: itself, a second person's yes, or its time. None: it never was."""
    approval, step = getattr(version, "approval", None), getattr(version, "step", None)
    if version.applied:
        return version
    if approval is not None and approval.approved:
        return approval  # type: ignore[no-any-return]
    return step if step is not None and step.step == Step.TAKEN else None


def version_before(version: V, known: Iterable[V]) -> V | None:
    """The version that was in force when `version` came: the newest of `known` that is older and ever was."""
    older = (other for other in known if other.version < version.version and enforced_by(other) is not None)
    return max(older, key=lambda other: other.version, default=None)
