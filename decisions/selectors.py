"""Reads of the decisions app."""

import math
import struct

from decisions.models import Decision, DecisionFeatures
from risk.selectors.features import feature_set


def features_of(decision: Decision) -> dict[str, float]:
    """The features that came with the decision, in the set's order (largest importance first); {} without any."""
    row = DecisionFeatures.objects.filter(id=decision.id).first()
    if row is None:
        return {}
    loaded = feature_set(row.feature_set_id)
    values = struct.unpack(f"<{len(loaded.names)}d", bytes(row.vector))
    return {name: value for name, value in zip(loaded.names, values, strict=True) if not math.isnan(value)}
