"""market_memory.db: clusters of an SQLite file, one bad row at a time."""

from datetime import UTC, datetime

import pytest

from risk.sources.market_memory import parse_market_memory
from risk.sources.records import ClusterRecord, SourceError
from tests.risk.sources.sqlite_files import CLUSTERS, database, market_memory

AT = "2025-05-07 18:00:00"
GOOD = ("FOMC", '{"vix_es_correlation": 0.42, "rsi_14": 61.5, "note": "calm"}', AT, 0.9)


def test_a_cluster_is_read_with_its_correlation() -> None:
    parsed = parse_market_memory(market_memory([GOOD]))
    assert parsed.records == (
        ClusterRecord(
            source_id="1",
            event_type="FOMC",
            features={"vix_es_correlation": 0.42, "rsi_14": 61.5, "note": "calm"},
            at=datetime(2025, 5, 7, 18, tzinfo=UTC),
            confidence=0.9,
            vix_es_correlation=0.42,
        ),
    )
    assert (parsed.errors, parsed.notes) == ((), ())


def test_a_cluster_without_a_correlation_states_none_rather_than_a_half() -> None:
    (cluster,) = parse_market_memory(market_memory([("CPI", "{}", AT, 0.5)])).records
    assert cluster.vix_es_correlation is None


def test_a_missing_confidence_is_the_default_of_the_table_and_noted() -> None:
    parsed = parse_market_memory(market_memory([("CPI", "{}", AT, None)]))
    assert parsed.records[0].confidence == 0.0
    assert parsed.notes == ("clusters without a confidence, taken as 0.0, the table's default: 1",)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (("FOMC", "{broken", AT, 0.9), "features"),
        (("FOMC", "[1, 2]", AT, 0.9), "features"),
        (("FOMC", '{"rsi_14": NaN}', AT, 0.9), "features.rsi_14"),
        (("FOMC", '{"rsi_14": -Infinity}', AT, 0.9), "features.rsi_14"),
        (("FOMC", '{"rsi_14": 1e999}', AT, 0.9), "features.rsi_14"),
        (("FOMC", '{"vix_es_correlation": 1.2}', AT, 0.9), "vix_es_correlation"),
        (("FOMC", '{"vix_es_correlation": "high"}', AT, 0.9), "vix_es_correlation"),
        (("FOMC", '{"é": 1}', AT, 0.9), "features"),
        (("FOMC", b"\x00\x01", AT, 0.9), "features"),
        (("FOMC", "{}", "yesterday", 0.9), "timestamp"),
        (("FOMC", "{}", 1746640800, 0.9), "timestamp"),
        (("FOMC", "{}", "9999-12-31 23:59:59", 0.9), "timestamp"),
        (("FOMC", "{}", AT, 1.5), "confidence"),
        (("FOMC", "{}", AT, float("inf")), "confidence"),
        (("FOMC", "{}", AT, "sure"), "confidence"),
        (("", "{}", AT, 0.9), "event_type"),
        (("F" * 201, "{}", AT, 0.9), "event_type"),
        (("FO\nMC", "{}", AT, 0.9), "event_type"),
    ],
)
def test_a_bad_cluster_is_refused_alone(row: tuple[object, ...], field: str) -> None:
    parsed = parse_market_memory(market_memory([GOOD, row, GOOD]))
    assert [cluster.source_id for cluster in parsed.records] == ["1", "3"]
    assert [(error.line, error.field) for error in parsed.errors] == [(2, field)]


def test_text_that_is_not_utf8_costs_one_row() -> None:
    data = database(
        CLUSTERS,
        f"INSERT INTO clusters VALUES (1, CAST(x'46ff' AS TEXT), '{{}}', '{AT}', 0.5)",
        f"INSERT INTO clusters VALUES (2, 'FOMC', '{{}}', '{AT}', 0.5)",
    )
    parsed = parse_market_memory(data)
    assert [cluster.source_id for cluster in parsed.records] == ["2"]
    assert [error.field for error in parsed.errors] == ["event_type"]


def test_a_missing_table_or_column_is_one_sentence() -> None:
    with pytest.raises(SourceError, match=r"no table clusters; its tables are patterns"):
        parse_market_memory(database("CREATE TABLE patterns (a)"))
    with pytest.raises(SourceError, match="the table clusters has no column features"):
        parse_market_memory(database("CREATE TABLE clusters (event_type, timestamp)"))


def test_a_database_in_wal_mode_is_read_with_a_warning() -> None:
    data = bytearray(market_memory([GOOD]))
    data[18:20] = b"\x02\x02"
    parsed = parse_market_memory(bytes(data))
    assert len(parsed.records) == 1
    assert "-wal" in parsed.notes[0]


def test_other_tables_are_named_as_not_imported() -> None:
    parsed = parse_market_memory(database(CLUSTERS, "CREATE TABLE trade_patterns (a)"))
    assert parsed.notes == ("tables not imported: trade_patterns",)
