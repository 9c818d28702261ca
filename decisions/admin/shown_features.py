"""The most important features of a decision: what came, and how far from where it usually lies."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from decisions.models import Decision, DecisionFeatures
from mia_site.audit.admin.rendering import EMPTY, number, percent
from risk.models import FeatureSet
from risk.rules.drift import MOST_SCALES

TOP_FEATURES = 10
WARN_FROM, BAD_FROM = 2.0, 3.0
"""Deviations in scales: of usual values one in twenty lies beyond the first, one in four hundred beyond the second."""


@dataclass(frozen=True, slots=True)
class ShownFeature:
    """One of the most important features: its share of the set's importance, the value sent, and its deviation with the
    width (per cent of the most there is) and tone of its bar; "" where none was measured."""

    place: int
    name: str
    share: str
    value: str
    missing: bool
    deviation: str = ""
    width: int = 0
    tone: str = "good"


def top_features(decision: Decision) -> list[ShownFeature]:
    """The most important features, with the values while the vector is kept; [] where none came."""
    features = (decision.judged_on or {}).get("features") or {}
    told = {str(item["name"]): item for item in features.get("top") or ()}
    stored = DecisionFeatures.objects.select_related("feature_set").filter(pk=decision.pk).first()
    if stored is not None:
        rows = feature_rows(stored.feature_set, bytes(stored.vector))
    else:
        rows = [_told_row(place, item) for place, item in enumerate(told.values(), 1)]
    return [_with_bar(row, told.get(row.name)) for row in rows]


def feature_rows(features: FeatureSet, vector: bytes) -> list[ShownFeature]:
    """The head of a packed little-endian float64 vector, in the set's order (most important first); NaN is missing."""
    total = math.fsum(features.importances) or 1.0
    count = min(TOP_FEATURES, len(vector) // 8, len(features.names))
    values = struct.unpack_from(f"<{count}d", vector)
    return [
        ShownFeature(
            place=place,
            name=features.names[place - 1],
            share=percent(features.importances[place - 1] / total, 2),
            value=EMPTY if math.isnan(value) else number(value, 6),
            missing=math.isnan(value),
        )
        for place, value in enumerate(values, 1)
    ]


def _told_row(place: int, told: Mapping[str, Any]) -> ShownFeature:
    """What was kept with the verdict: the vector was never stored, or erased."""
    share, missing = percent(told["share"], 2), bool(told["missing"])
    return ShownFeature(place=place, name=str(told["name"]), share=share, value=EMPTY, missing=missing)


def _with_bar(row: ShownFeature, told: Mapping[str, Any] | None) -> ShownFeature:
    scales = None if told is None else told["deviation"]
    if scales is None:
        return row
    tone = "bad" if scales >= BAD_FROM else "warn" if scales >= WARN_FROM else "good"
    return replace(row, deviation=number(scales, 2), width=round(100 * scales / MOST_SCALES), tone=tone)
