"""Learning where the model's features usually lie: medians and quartiles over the vectors of recorded decisions.

Memory stays bounded: of more decisions than `SAMPLE_MOST` every n-th of the window is taken, evenly and always the
same, so that whoever looks first confirms what was shown.
"""

import math
import statistics
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from decisions.models import Decision, DecisionFeatures
from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from risk.feature_references import SET_NEEDED, Learned, feature_reference_record
from risk.inputs import InputError
from risk.models import Desk, FeatureReference, FeatureSet
from risk.rules.coverage import coverage
from risk.rules.messages import gettext_noop
from risk.sources.records import FeatureStatistics

SAMPLE_MOST = 10_000
LEAST_VALUES = 30
"""Fewer values of a feature say too little of where it lies."""
CHUNK = 500
SOURCE = "decisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the decisions of a window teach: of `found` with features of the set, `used` were read; `covered` is the
    share of the importance whose features have enough values."""

    features: FeatureSet
    since: datetime
    until: datetime
    found: int
    used: int
    statistics: tuple[FeatureStatistics, ...]
    covered: Decimal


def features_learn(since: datetime, until: datetime) -> Lesson:
    """Statistics of the set in use over the decisions dated from `since` up to `until`; nothing is recorded.

    Raises `InputError` without a set in use, and for a window that is empty or not over.
    """
    desk = Desk.objects.select_related("feature_set").filter(id=1).first()
    if desk is None or desk.feature_set is None:
        raise InputError("feature_set", None, SET_NEEDED)
    if not since < until <= database_now():
        expected = gettext_noop("a moment after the first one, and not in the future")
        raise InputError("until", until.isoformat(), expected)
    features = desk.feature_set
    told = Decision.objects.filter(feature_set=features, at__gte=since, at__lt=until)
    found = told.count()
    columns, used = _columns(features, _sampled(told.order_by("at", "id").values_list("pk", flat=True), found))
    rows = tuple(_statistics(features.names, columns))
    known = {row.name for row in rows}
    return Lesson(
        features=features, since=since, until=until, found=found, used=used, statistics=rows,
        covered=coverage(features.importances, [name in known for name in features.names]),
    )  # fmt: skip


def lesson_record(lesson: Lesson, *, actor: Actor, reason: str) -> FeatureReference:
    """Puts what was learned in force as a new reference. Raises `InputError`."""
    learned = Learned(
        source=SOURCE, set_id=lesson.features.id, since=lesson.since, until=lesson.until, decisions=lesson.used
    )
    return feature_reference_record(lesson.statistics, learned, actor=actor, reason=reason)


def _sampled(ids: QuerySet[Decision, UUID], found: int) -> Iterator[list[UUID]]:
    """Every n-th of the ids, in portions."""
    every = islice(ids.iterator(chunk_size=CHUNK), 0, None, max(1, math.ceil(found / SAMPLE_MOST)))
    while portion := list(islice(every, CHUNK)):
        yield portion


def _columns(features: FeatureSet, portions: Iterator[list[UUID]]) -> tuple[list["array[float]"], int]:
    """The finite values of each feature, in the set's order, and how many vectors they come from."""
    columns, used = [array("d") for _ in features.names], 0
    packed = struct.Struct(f"<{len(columns)}d")
    for portion in portions:
        rows = DecisionFeatures.objects.filter(pk__in=portion, feature_set=features).values_list("vector", flat=True)
        for vector in rows:
            used += 1
            for column, value in zip(columns, packed.unpack(bytes(vector)), strict=True):
                if math.isfinite(value):
                    column.append(value)
    return columns, used


def _statistics(names: Sequence[str], columns: Sequence["array[float]"]) -> Iterator[FeatureStatistics]:
    for name, column in zip(names, columns, strict=True):
        if len(column) >= LEAST_VALUES:
            low, middle, high = statistics.quantiles(column, n=4, method="inclusive")
            yield FeatureStatistics(name, middle, high - low, len(column))
