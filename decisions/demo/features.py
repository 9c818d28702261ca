"""A synthetic model's features: 150 names in ten families, with weights that fall from the first to the last."""

import math
from collections.abc import Sequence
from random import Random

from risk.rules.drift import IQR_OF_SCALE
from risk.sources.records import FeatureImportance

COUNT = 150
FAMILIES = (
    "orderflow", "volatility", "momentum", "volume", "breadth", "options", "regime", "spread", "season", "correlation",
)  # fmt: skip
FAILING = 2
"""How many families are missing when the bot's data feed fails: a fifth of the features, the heaviest of each ten."""


def feature_importances() -> tuple[FeatureImportance, ...]:
    """The set, greatest |SHAP| first: ``demo_orderflow_01``, ``demo_volatility_01``, …"""
    return tuple(
        FeatureImportance(
            f"demo_{FAMILIES[place % len(FAMILIES)]}_{place // len(FAMILIES) + 1:02d}", round(0.05 * 0.98**place, 6)
        )
        for place in range(COUNT)
    )


def importance_csv() -> str:
    """The set as a ``feature_importance.csv``."""
    rows = (f"{feature.name},{feature.importance}" for feature in feature_importances())
    return "\n".join(("feature,shap_value", *rows, ""))


def reference_csv() -> str:
    """Where the features lie as a ``feature_reference.csv``: values are drawn around 0 with a deviation of 1."""
    rows = (f"{feature.name},0,{IQR_OF_SCALE}" for feature in feature_importances())
    return "\n".join(("name,median,iqr", *rows, ""))


def feature_values(rng: Random, count: int, *, failing: bool = False) -> list[float]:
    """Values in a set's order; with `failing`, NaN for the features whose feed is down."""
    values = [round(rng.gauss(0, 1), 6) for _ in range(count)]
    if failing:
        return [math.nan if place % len(FAMILIES) < FAILING else value for place, value in enumerate(values)]
    return values


def features_named(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """What a bot sends: the features that are there, by name."""
    return {name: value for name, value in zip(names, values, strict=True) if math.isfinite(value)}
