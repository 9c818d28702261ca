"""A decision's features, read against the set that is loaded."""

from decimal import Decimal

import pytest

from risk.selectors.features import LoadedSet, feature_set, feature_vector, view_of
from tests.factories import FeatureSetFactory

pytestmark = pytest.mark.django_db


def _loaded() -> LoadedSet:
    row = FeatureSetFactory(count=3, names=["ofi_score", "rsi_14", "vix"], importances=[0.5, 0.3, 0.2])
    return feature_set(row.id)


def test_what_a_decision_did_not_send_lowers_its_coverage() -> None:
    loaded = _loaded()
    view = view_of(loaded, feature_vector(loaded, {"ofi_score": 1.0, "vix": 17.0}))
    assert (view.coverage, view.present, view.count, view.missing_top) == (Decimal("0.7"), 2, 3, ("rsi_14",))


def test_a_decision_without_features_covers_nothing() -> None:
    loaded = _loaded()
    view = view_of(loaded, feature_vector(loaded, {}))
    assert (view.coverage, view.present) == (Decimal(0), 0)
    assert view.missing_top == ("ofi_score", "rsi_14", "vix")


def test_a_name_that_the_set_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError, match="rsi_15"):
        feature_vector(_loaded(), {"rsi_15": 1.0})
