"""feature_reference.csv: medians and ranges of features, in either way of writing a range."""

import pytest

from risk.sources.feature_reference import parse_feature_reference
from risk.sources.records import FeatureStatistics, SourceError


def test_a_range_is_told_as_such_or_by_its_quartiles() -> None:
    by_range = parse_feature_reference(b"name,median,iqr,count\nvix,17.5,2.5,4000\n")
    by_quartiles = parse_feature_reference(b"feature,median,q1,q3\nvix,17.5,16,18.5\n")
    assert by_range.records == (FeatureStatistics("vix", 17.5, 2.5, 4000),)
    assert by_quartiles.records == (FeatureStatistics("vix", 17.5, 2.5),)


@pytest.mark.parametrize(
    "row", ["vix,1,-1", "vix,nan,1", "vix,inf,1", "vix,,1", ",1,1", "vix,1,", "vix,1,1\nvix,2,2", "vix,1e300,1"]
)
def test_a_row_that_cannot_be_meant_is_refused_alone(row: str) -> None:
    parsed = parse_feature_reference(f"name,median,iqr\nofi,0,1\n{row}\n".encode())
    assert len(parsed.errors) == 1
    assert parsed.records[0] == FeatureStatistics("ofi", 0.0, 1.0)


def test_a_median_outside_its_quartiles_is_refused() -> None:
    with pytest.raises(SourceError, match="no feature"):
        parse_feature_reference(b"name,median,q1,q3\nvix,20,16,18.5\n")


def test_a_table_without_a_range_is_no_reference() -> None:
    with pytest.raises(SourceError, match="iqr"):
        parse_feature_reference(b"name,median,q1\nvix,17,16\n")
