"""Write service of the references of features: each is a new version, in force from when it is recorded."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from mia_site.audit.actors import Actor
from mia_site.audit.canonical import canonical_bytes
from mia_site.audit.journal import facts_record
from mia_site.ops.clock import database_now
from risk.inputs import InputError, reason_check
from risk.locking import desk_lock
from risk.models import Desk, FeatureReference, FeatureSet
from risk.rules.coverage import coverage
from risk.rules.drift import IQR_OF_SCALE
from risk.rules.messages import gettext_noop, number
from risk.sources.records import FeatureStatistics

LEAST_COVERED = Decimal("0.9")
"""The share of the set's importance that a reference must know: a drift of the rest would be judged unseen."""
SET_NEEDED = gettext_noop("a feature set in use: import a feature_importance.csv first")
LARGEST = 1e15
"""A median or range beyond is no usable figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Where statistics come from: a file, or decisions from `since` up to `until`, and of which feature set."""

    source: str
    set_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    decisions: int | None = None


def feature_reference_record(
    statistics: Iterable[FeatureStatistics], learned: Learned, *, actor: Actor, reason: str
) -> FeatureReference:
    """Puts a new reference of the set in use in force; one that says the same as that in force is it.

    Features that the set does not have are left out. Raises `InputError` without a set, where another set is in use
    than `learned.set_id`, and where it would know less than nine tenths of the importance.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock(exclusive=True)
        told = {row.name: row for row in statistics if _usable(row)}
        features = _set_in_use(desk, learned)
        _covered(features, told)
        columns = _columns(features, told)
        content = hashlib.sha256(canonical_bytes([features.content, columns])).hexdigest()
        known = desk.feature_reference
        if known is not None and known.content == content:
            return known
        reference = FeatureReference(
            version=(FeatureReference.objects.aggregate(last=Max("version"))["last"] or 0) + 1,
            feature_set=features, since=learned.since, until=learned.until, decisions=learned.decisions,
            source=learned.source[:200], content=content, actor=str(actor), reason=reason,
            recorded_at=database_now(), **columns,
        )  # fmt: skip
        facts_record([reference], actor=actor, why=reason)
        desk.feature_reference = reference
        desk.save(update_fields=["feature_reference"])
    return reference


def _usable(row: FeatureStatistics) -> bool:
    return abs(row.median) <= LARGEST and 0 <= row.iqr <= LARGEST


def _set_in_use(desk: Desk, learned: Learned) -> FeatureSet:
    features = desk.feature_set
    if features is None:
        raise InputError("feature_set", None, SET_NEEDED)
    if learned.set_id not in (None, features.id):
        expected = gettext_noop("the set that the statistics were learned for, still in use")
        raise InputError("feature_set", str(features), expected)
    return features


def _covered(features: FeatureSet, told: Mapping[str, FeatureStatistics]) -> None:
    share = coverage(features.importances, [name in told for name in features.names])
    if share < LEAST_COVERED:
        expected = gettext_noop("features that hold at least 0.9 of the importance of the set in use")
        raise InputError("features", number(share), expected)


def _columns(features: FeatureSet, told: Mapping[str, FeatureStatistics]) -> dict[str, list[Any]]:
    rows = [told.get(name) for name in features.names]
    return {
        "centres": [None if row is None else row.median for row in rows],
        "scales": [None if row is None else row.iqr / IQR_OF_SCALE for row in rows],
        "counts": [None if row is None else row.count for row in rows],
    }
