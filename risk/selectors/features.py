"""Feature sets, loaded once per version (a version never changes)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from risk.models import FeatureReference, FeatureSet
from risk.rules.coverage import feature_view
from risk.rules.drift import Reference
from risk.rules.facts import FeatureView


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """A feature set in memory: `index` is each name's place in the packed vector, `shares` are the importances."""

    id: UUID
    version: int
    names: tuple[str, ...]
    index: Mapping[str, int]
    shares: tuple[float, ...]
    loaded_at: datetime


@lru_cache(maxsize=8)
def feature_set(set_id: UUID) -> LoadedSet:
    """The set with this id, from memory after the first time."""
    row = FeatureSet.objects.get(id=set_id)
    return LoadedSet(
        id=row.id,
        version=row.version,
        names=tuple(row.names),
        index={name: place for place, name in enumerate(row.names)},
        shares=tuple(row.importances),
        loaded_at=row.recorded_at,
    )


@lru_cache(maxsize=8)
def _reference(reference_id: UUID) -> tuple[UUID, Reference]:
    """The reference with this id and the set that it is of, from memory after the first time."""
    row = FeatureReference.objects.get(id=reference_id)
    return row.feature_set_id, Reference(version=str(row.version), centres=tuple(row.centres), scales=tuple(row.scales))


def reference_of(loaded: LoadedSet, reference_id: UUID | None) -> Reference | None:
    """The reference, where there is one of this very set: one of another set says nothing."""
    if reference_id is None:
        return None
    set_id, reference = _reference(reference_id)
    return reference if set_id == loaded.id else None


def feature_vector(loaded: LoadedSet, features: Mapping[str, float]) -> list[float]:
    """The features in the set's order, NaN where missing. Raises KeyError for a name the set does not know."""
    vector = [math.nan] * len(loaded.names)
    for name, value in features.items():
        vector[loaded.index[name]] = value
    return vector


def view_of(loaded: LoadedSet, vector: list[float], reference: Reference | None = None) -> FeatureView:
    """What the gate needs to know of a vector: its coverage, what is missing most, and how far it drifts."""
    view = feature_view(str(loaded.version), loaded.names, loaded.shares, vector, reference)
    return replace(view, loaded_at=loaded.loaded_at)
