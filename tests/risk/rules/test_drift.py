"""Drift: worked figures, what must always hold, and what the gate makes of them."""

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.rules import features
from risk.rules.codes import ReasonCode
from risk.rules.coverage import feature_view
from risk.rules.drift import Reference, deviation, deviations, drift
from risk.rules.facts import FeatureView
from risk.rules.verdict import Reason
from tests.risk.rules.given import NOW, ask, facts, limits

REFERENCE = Reference(version="2", centres=(0.0, 100.0, 5.0, None), scales=(1.0, 10.0, 0.0, None))
NAMES, SHARES = ("ofi", "vix", "flag", "new"), (0.5, 0.25, 0.15, 0.1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def view(vector: list[float]) -> FeatureView:
    return feature_view("1", NAMES, SHARES, vector, REFERENCE)


def refused(vector: list[float], *, reference: Reference | None = REFERENCE, **given: Any) -> list[Reason]:
    under = limits(features={"min_coverage": "0.5", **given})
    seen = feature_view("1", NAMES, SHARES, vector, reference)
    return [found.reason for found in features.judge(ask(), facts(limits=under, features=seen), under, NOW)]


@pytest.mark.parametrize(
    ("value", "centre", "scale", "scales"),
    [
        (2.0, 0.0, 1.0, 2.0), (80.0, 100.0, 10.0, 2.0), (70.0, 0.0, 1.0, 5.0), (0.0, 0.0, 1.0, 0.0),
        (5.0, 5.0, 0.0, 0.0), (5.000001, 5.0, 0.0, 5.0), (1e308, -1e308, 1e-308, 5.0),
    ],
)  # fmt: skip
def test_a_deviation_is_counted_in_scales_and_cut_at_five(
    value: float, centre: float, scale: float, scales: float
) -> None:
    assert deviation(value, centre, scale) == scales


def test_the_worked_figure_of_the_documentation() -> None:
    """0.5 x 2/5 + 0.25 x 1/5 + 0.15 x 0 over 0.9 of the importance: the feature without a reference does not count."""
    seen = view([2.0, 110.0, 5.0, 7.0])
    assert seen.drift == Decimal("0.277777778")
    assert seen.reference == "2" and seen.coverage == 1
    assert [top.deviation for top in seen.top] == [2.0, 1.0, 0.0, None]


def test_what_is_missing_neither_drifts_nor_hides() -> None:
    seen = view([math.nan, 110.0, 5.0, 7.0])
    assert seen.drift == Decimal("0.125"), "0.25 x 1/5 over 0.4"
    assert [(top.name, top.missing) for top in seen.top] == [
        ("ofi", True), ("vix", False), ("flag", False), ("new", False),
    ]  # fmt: skip
    assert seen.missing_ranks == (1,)


def test_without_a_reference_nothing_is_measured() -> None:
    seen = feature_view("1", NAMES, SHARES, [1.0] * 4)
    assert (seen.drift, seen.reference) == (None, None)
    assert drift(SHARES, [None] * 4) is None


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.001, 1), FINITE, FINITE, st.floats(0, 1e300)), min_size=1, max_size=8))
def test_drift_stays_between_0_and_1_and_grows_with_each_deviation(
    told: list[tuple[float, float, float, float]],
) -> None:
    weights, vector = [row[0] for row in told], [row[1] for row in told]
    known = Reference(version="1", centres=tuple(row[2] for row in told), scales=tuple(row[3] for row in told))
    found = deviations(vector, known)
    before = drift(weights, found)
    assert before is not None and 0 <= before <= 1
    farther = drift(weights, [5.0, *found[1:]])
    assert farther is not None and farther >= before


def test_one_influential_feature_that_is_missing_blocks_even_where_coverage_passes() -> None:
    [missing] = refused([0.0, math.inf, 5.0, 7.0], required_top=2)
    assert missing.code is ReasonCode.FEATURE_INFLUENTIAL_MISSING
    assert missing.evidence == {"set_version": "1", "required_top": 2, "missing": 1, "names": "vix"}
    assert missing.message == "1 of the 2 most influential features are missing: vix"


@pytest.mark.parametrize("top", [0, 2])
def test_a_feature_below_the_required_ones_may_be_missing(top: int) -> None:
    assert not refused([0.0, 100.0, math.nan, 7.0], required_top=top)


def test_a_drift_at_the_limit_passes_and_one_above_it_blocks() -> None:
    vector = [1.0, 110.0, 5.0, 7.0]  # (0.5 + 0.25) / 5 / 0.9
    assert not refused(vector, max_drift="0.166667")
    [drifted] = refused(vector, max_drift="0.16")
    assert drifted.code is ReasonCode.FEATURE_DRIFT_HIGH
    assert drifted.evidence == {
        "set_version": "1", "drift": "0.166666667", "max_drift": "0.16", "reference": "2",
        "farthest": ["ofi 1.00", "vix 1.00"],
    }  # fmt: skip


@pytest.mark.parametrize("reference", [None, Reference(version="1", centres=(None,) * 4, scales=(None,) * 4)])
def test_a_drift_that_nobody_can_measure_blocks_where_it_is_limited(reference: Reference | None) -> None:
    vector = [0.0, 100.0, 5.0, 7.0]
    assert not refused(vector, reference=reference)
    [unknown] = refused(vector, reference=reference, max_drift="1")
    assert unknown.code is ReasonCode.FEATURE_REFERENCE_MISSING


@settings(max_examples=50)
@given(st.lists(st.floats(-10, 200) | st.just(math.nan), min_size=4, max_size=4), st.integers(0, 3))
def test_losing_a_feature_or_drifting_farther_never_frees_an_opening(vector: list[float], place: int) -> None:
    def codes(seen: FeatureView, **given: Any) -> set[ReasonCode]:
        under = limits(features={"min_coverage": "0.5", "required_top": 3, **given})
        return {found.reason.code for found in features.judge(ask(), facts(features=seen), under, NOW)}

    seen, lost = view(vector), view([*vector[:place], math.nan, *vector[place + 1 :]])
    assert codes(seen) <= codes(lost)
    assert bool(codes(seen, max_drift="0.5")) <= bool(codes(replace(seen, drift=Decimal(1)), max_drift="0.5"))
