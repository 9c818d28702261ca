"""A file is recognised by what it holds; its name is the last hint."""

import pytest

from risk.sources.detect import kind_of
from risk.sources.parse import parse
from risk.sources.records import Kind, SourceError
from tests.risk.sources.sqlite_files import database, market_memory, trading_snapshots

TRADE = b'{"trade_id": "T", "pnl": 1}'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"start_time,type,impact,cluster_id\n", Kind.MACRO_EVENTS),
        (b"timestamp,event_type,impact_score\n", Kind.MACRO_EVENTS),
        (b"type,impact\n", Kind.MACRO_EVENTS),
        (b"\xef\xbb\xbfType,Impact\r\n", Kind.MACRO_EVENTS),
        (b"feature,shap_value\n", Kind.FEATURE_IMPORTANCE),
        (b"feature,importance,regime\n", Kind.FEATURE_IMPORTANCE),
        (b"name,median,iqr\n", Kind.FEATURE_REFERENCE),
        (b"feature,importance,median,q1,q3\n", Kind.FEATURE_REFERENCE),
        (b"timestamp,trade_id,decision,signal_score,regime_probs\n", Kind.DECISION_LOG),
        (b"# a comment\n# another\n\ntimestamp,decision,reason,regime\n", Kind.DECISION_LOG),
        (b"20250513_140000,T1,buy,0.5,{}\n", Kind.DECISION_LOG),
        (b"timestamp,penalty_active,overtrade_risk_score\n", Kind.PENALTY_LOG),
        (b"20250513_140000,0.06,0.65,True\n", Kind.PENALTY_LOG),
        (b"timestamp,operation,latency,success,memory_usage_mb,cpu_percent\n", Kind.PERFORMANCE),
        (b"20250513_140000,stop_trading,0.1,True,80.1,3.0\n", Kind.PERFORMANCE),
        (
            b'{\n "timestamp": "x",\n "drawdown": 1, "overtrade_risk_score": 1, "penalty_active": true\n}',
            Kind.RISK_SNAPSHOT,
        ),
        (b'{"timestamp": "x", "signal_data": {}}\n{"timestamp": "y"}\n', Kind.SIGNALS),
        (b'{broken\n{"timestamp": "x", "signal_data": {}}\n', Kind.SIGNALS),
        (b"[\n  " + TRADE + b"\n]", Kind.TRADES),
        (TRADE + b"\n" + TRADE, Kind.TRADES),
        (b"max_drawdown: 0.05\n", Kind.MARKET_CONFIG),
        (b"```yaml\nthresholds:\n  max_drawdown:\n    value: -0.1\n```\n", Kind.MARKET_CONFIG),
        (market_memory([]), Kind.MARKET_MEMORY),
        (trading_snapshots([]), Kind.TRADING_SNAPSHOTS),
    ],
)
def test_content_decides_whatever_the_name(data: bytes, kind: Kind) -> None:
    assert kind_of("file.bin", data) is kind


def test_the_name_is_asked_only_where_the_content_does_not_tell() -> None:
    assert kind_of("macro_events.csv", b"start_time,type\n2025-05-07 18:00:00,FOMC\n") is Kind.MACRO_EVENTS
    assert kind_of("risk_20250513_140000.json", b"{broken") is Kind.RISK_SNAPSHOT
    assert kind_of("macro_events.csv", b"feature,shap_value\n") is Kind.FEATURE_IMPORTANCE


def test_a_db_file_that_is_text_is_refused_with_how_it_begins() -> None:
    with pytest.raises(SourceError) as caught:
        parse("market_memory.db", b"```sql\r\n-- Schema for market_memory.db\r\n")
    assert str(caught.value) == ("market_memory.db is not an SQLite database: it begins with text (```sql)")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("memory.db", b"\xff\xfe\x00\x01", "memory.db is not an SQLite database: it begins with bytes"),
        ("empty.csv", b"", "empty.csv: the file is empty"),
        ("notes.txt", b"hello, world\n", "notes.txt is not a file that is known here"),
        ("odd.json", b'{"a": 1}', "odd.json is not a file that is known here"),
        ("other.db", database("CREATE TABLE prices (a)"), "neither a table clusters nor trade_snapshots"),
        ("cut.db", market_memory([])[:700], "cut.db: the database"),
        ("bad\nname.csv", b"x", "bad?name.csv is not"),
    ],
)
def test_what_is_not_known_is_one_sentence_with_the_name(name: str, data: bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(name, data)
    assert words in str(caught.value)


def test_an_unknown_file_is_not_quoted() -> None:
    with pytest.raises(SourceError) as caught:
        parse(".env", b"API_TOKEN=sesame\n")
    assert "sesame" not in str(caught.value)


def test_timings_are_recognised_counted_and_not_imported() -> None:
    header = b"timestamp,operation,latency,success,memory_usage_mb,cpu_percent\n"
    rows = b"2025-05-13 14:00:00,stop_trading,0.1,True,80.1,3.0\n" * 2
    parsed = parse("risk_performance.csv", header + rows)
    assert (parsed.kind, parsed.records, parsed.errors, parsed.read) == (Kind.PERFORMANCE, (), (), 2)
    assert parsed.notes == ("timings of operations: they are not facts and are not imported",)


def test_the_error_of_a_whole_file_begins_with_its_name() -> None:
    with pytest.raises(SourceError, match=r"^feature_importance.csv: 150 distinct features"):
        parse("feature_importance.csv", b"feature,shap_value\na,1\n")
