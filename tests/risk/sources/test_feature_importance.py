"""feature_importance.csv: the top features by |SHAP|, never fewer than asked."""

import pytest

from risk.sources.feature_importance import parse_feature_importance
from risk.sources.records import FeatureImportance, SourceError


def features(count: int, header: str = "feature,shap_value") -> bytes:
    return "\n".join([header, *(f"f{number},{number / 1000}" for number in range(count))]).encode()


def test_a_set_of_150_is_ranked_by_importance() -> None:
    parsed = parse_feature_importance(features(150))
    assert len(parsed.records) == 150
    assert parsed.records[0] == FeatureImportance("f149", 0.149)
    assert parsed.notes == ()


def test_the_top_150_of_351_are_taken_and_that_is_noted() -> None:
    parsed = parse_feature_importance(features(351))
    assert [feature.name for feature in parsed.records] == [f"f{number}" for number in range(350, 200, -1)]
    assert parsed.notes == ("the 150 features of greatest |SHAP| were taken of 351",)


def test_the_count_is_data_and_a_negative_shap_counts_by_its_size() -> None:
    data = b"feature,shap_value\nsmall,0.1\nfalling,-0.9\nrising,0.5\n"
    assert parse_feature_importance(data, count=2).records == (
        FeatureImportance("falling", 0.9),
        FeatureImportance("rising", 0.5),
    )


def test_equal_importances_are_ranked_by_name() -> None:
    data = b"feature,shap_value\nb,0.5\na,-0.5\nc,0.5\n"
    assert [feature.name for feature in parse_feature_importance(data, count=3).records] == ["a", "b", "c"]


def test_149_features_are_refused() -> None:
    with pytest.raises(SourceError, match=r"^150 distinct features with finite values are needed.* 149$"):
        parse_feature_importance(features(149))


@pytest.mark.parametrize(
    "row", ["f0,0.5", "g,nan", "g,inf", "g,", ",0.5", "g,abc", "obs_t,0.9", "dxFeed_bid,0.9", "é,1"]
)
def test_a_bad_row_does_not_count_and_is_shown(row: str) -> None:
    data = features(149) + b"\n" + row.encode()
    with pytest.raises(SourceError, match="the first refused row is line 151"):
        parse_feature_importance(data)
    parsed = parse_feature_importance(data, count=149)
    assert [error.line for error in parsed.errors] == [151]


def test_the_cache_with_another_name_for_the_value_is_read() -> None:
    assert len(parse_feature_importance(features(150, "feature_name,importance")).records) == 150


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SourceError, match="the column shap_value is missing"):
        parse_feature_importance(b"feature,weight\na,1\n")
