"""What is kept with a verdict of the features that it was judged on: figures, never their values."""

from typing import Any

from risk.rules.facts import FeatureView, TopFeature

SHARE_PLACES, DEVIATION_PLACES = 6, 3


def features_told(view: FeatureView) -> dict[str, Any]:
    """The set, its coverage and drift, and the ten most influential features, as JSON values."""
    return {
        "set": view.set_version,
        "coverage": float(view.coverage),
        "present": view.present,
        "count": view.count,
        "missing_top": list(view.missing_top),
        "reference": view.reference,
        "drift": None if view.drift is None else float(view.drift),
        "top": [_top_told(feature) for feature in view.top],
    }


def _top_told(feature: TopFeature) -> dict[str, Any]:
    """A feature's share of the importance, and how many scales it lies off (None: missing, or no reference)."""
    return {
        "name": feature.name,
        "share": round(feature.share, SHARE_PLACES),
        "deviation": None if feature.deviation is None else round(feature.deviation, DEVIATION_PLACES),
        "missing": feature.missing,
    }
