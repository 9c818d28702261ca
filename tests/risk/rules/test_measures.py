"""Coverage of features and the risk of trading too much."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.coverage import coverage, feature_view
from risk.rules.overtrade import overtrade_risk_score

SHARES = st.floats(0, 1, allow_nan=False)
OPENINGS = st.none() | st.integers(0, 100)


def test_coverage_is_a_share_of_importance_and_not_of_names() -> None:
    assert coverage([0.5, 0.3, 0.2], [True, True, False]) == Decimal("0.8")
    assert coverage([0.5, 0.3, 0.2], [False, False, True]) == Decimal("0.2")
    assert coverage([0.1] * 10, [True] * 9 + [False]) == Decimal("0.9")


def test_coverage_takes_the_size_of_a_shap_value_whatever_its_sign() -> None:
    assert coverage([-3.0, 1.0], [True, False]) == Decimal("0.75")


@pytest.mark.parametrize("importances", [[], [0.0, 0.0], [math.nan], [math.inf]])
def test_a_set_without_importance_cannot_be_covered(importances: list[float]) -> None:
    with pytest.raises(ValueError, match="importances"):
        coverage(importances, [True] * len(importances))


def test_a_mask_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="mask"):
        coverage([1.0, 1.0], [True])


def test_a_view_names_the_most_important_missing_features_first() -> None:
    view = feature_view("7", ["a", "b", "c", "d"], [0.1, -0.4, 0.3, 0.2], [1.0, math.nan, math.inf, 2.0])
    assert (view.set_version, view.present, view.count) == ("7", 2, 4)
    assert view.coverage == Decimal("0.3")
    assert view.missing_top == ("b", "c")


@given(st.lists(st.tuples(st.floats(0.001, 10), st.booleans()), min_size=1, max_size=20))
def test_one_more_feature_never_lowers_the_coverage(features: list[tuple[float, bool]]) -> None:
    importances, present = [f[0] for f in features], [f[1] for f in features]
    before = coverage(importances, present)
    assert 0 <= before <= 1
    assert coverage(importances, [True, *present[1:]]) >= before
    assert coverage(importances, [True] * len(features)) == 1


def test_the_score_is_the_newest_cluster_s_correlation_where_no_pace_was_measured() -> None:
    assert overtrade_risk_score(0.65) == 0.65
    assert overtrade_risk_score(0.65, 0, 10) == 0.65
    assert overtrade_risk_score(0.65, 3, None) == 0.65


@pytest.mark.parametrize("correlation", [None, math.nan, math.inf])
def test_the_score_is_a_half_where_there_is_no_memory(correlation: float | None) -> None:
    assert overtrade_risk_score(correlation) == 0.5


@pytest.mark.parametrize(("correlation", "score"), [(-0.8, 0.0), (1.7, 1.0), (0.0, 0.0), (1.0, 1.0)])
def test_the_score_is_clipped(correlation: float, score: float) -> None:
    assert overtrade_risk_score(correlation) == score


def test_pace_fills_what_the_correlation_leaves() -> None:
    assert overtrade_risk_score(0.5, 5, 10) == 0.75
    assert overtrade_risk_score(0.5, 10, 10) == 1.0
    assert overtrade_risk_score(0.0, 5, 10) == 0.5


@given(st.none() | st.floats(-2, 2), OPENINGS, st.none() | st.integers(1, 50))
def test_the_score_is_bounded_and_pace_only_raises_it(
    correlation: float | None, openings: int | None, limit: int | None
) -> None:
    score = overtrade_risk_score(correlation, openings, limit)
    assert overtrade_risk_score(correlation) <= score <= 1.0
    assert overtrade_risk_score(correlation, (openings or 0) + 1, limit) >= score
