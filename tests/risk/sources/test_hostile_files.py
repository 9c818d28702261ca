"""Whatever the bytes: records, row errors or one SourceError. Never another exception, never a naive time."""

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from risk.sources import bounds, rows, text
from risk.sources.parse import parse
from risk.sources.records import DecisionRecord, Kind, Parsed, Record, SourceError
from tests.risk.sources.sqlite_files import CLUSTERS, database, market_memory, trading_snapshots

CHICAGO = ZoneInfo("America/Chicago")
SIGNAL = {
    "timestamp": "2025-08-21T17:22:09",
    "session_id": "s",
    "bar_number": 1,
    "signal_data": {"signal_type": "BUY", "confidence": 0.5},
}
SEEDS: dict[Kind, bytes] = {
    Kind.MACRO_EVENTS: b"start_time,type,impact,cluster_id\n2025-05-07 18:00:00,FOMC,1.0,3\n",
    Kind.FEATURE_IMPORTANCE: b"feature,shap_value\nrsi_14,0.8\nofi,0.7\n",
    Kind.FEATURE_REFERENCE: b"name,median,iqr\nrsi_14,50,12.5\n",
    Kind.MARKET_MEMORY: market_memory([("FOMC", '{"vix_es_correlation": 0.4}', "2025-05-07 18:00:00", 0.9)]),
    Kind.MARKET_CONFIG: b"thresholds:\n  max_drawdown:\n    value: -0.10\n",
    Kind.DECISION_LOG: (b"timestamp,trade_id,decision,signal_score,regime_probs\n2025-05-13 14:00:00,T,buy,0.7,\n"),
    Kind.PENALTY_LOG: b"timestamp,penalty_active,overtrade_risk_score\n2025-05-13 14:00:00,True,0.65\n",
    Kind.RISK_SNAPSHOT: (
        b'{"timestamp": "20250513_140000", "drawdown": 0.06, "overtrade_risk_score": 0.6,"penalty_active": true}'
    ),
    Kind.SIGNALS: json.dumps(SIGNAL).encode() + b"\n",
    Kind.TRADES: b'[{"trade_id": "T", "timestamp": "2025-06-26T17:35:56", "pnl": -1.5, "side": "LONG"}]',
    Kind.TRADING_SNAPSHOTS: trading_snapshots(
        [("T", "2025-06-29T17:23:23", "LONG", 1.0, 2.0, 1.0, 50.0, 0.5, 0.4, 1, 1, '{"symbol": "ES"}')]
    ),
    Kind.PERFORMANCE: b"timestamp,operation,latency,success,memory_usage_mb,cpu_percent\n",
}
EXTENSIONS = {
    Kind.MARKET_CONFIG: "yaml",
    Kind.RISK_SNAPSHOT: "json",
    Kind.SIGNALS: "jsonl",
    Kind.TRADES: "json",
}
NAMES = {kind: f"{kind}.{EXTENSIONS.get(kind, 'csv')}" for kind in Kind}


def read(kind: Kind, data: bytes) -> Parsed[Record] | None:
    """Parse as anybody would; what comes out is sound."""
    try:
        parsed = parse(NAMES[kind], data, zone=CHICAGO, feature_count=2, equity=True)
    except SourceError as error:
        sentence = str(error)
    else:
        return sound(parsed)
    assert sentence.isprintable()
    assert len(sentence) < 1_000
    return None


def sound(parsed: Parsed[Record]) -> Parsed[Record]:
    """`parsed`, every part of it checked."""
    for record in parsed.records:
        assert_sound(record)
    for row_error in parsed.errors:
        assert row_error.line >= 1
        assert row_error.message
        assert len(row_error.value) <= 200
    return parsed


def assert_sound(record: Record) -> None:
    for value in leaves(record):
        if isinstance(value, datetime):
            assert value.utcoffset() is not None
        elif isinstance(value, float):
            assert math.isfinite(value)
        elif isinstance(value, Decimal):
            assert value.is_finite() and len(f"{value:f}") < 300
        elif isinstance(value, str):
            value.encode()
            assert "\x00" not in value and len(value) <= bounds.MAX_REASON
    if isinstance(record, DecisionRecord):
        assert all(name.isascii() for name in record.context)
        assert len(orjson.dumps(record.context)) <= 2 * bounds.MAX_CONTEXT_BYTES


def leaves(value: Any) -> Iterator[object]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


@pytest.mark.parametrize("kind", list(Kind))
def test_the_good_file_of_each_kind_is_recognised(kind: Kind) -> None:
    parsed = read(kind, SEEDS[kind])
    assert parsed is not None
    assert (parsed.kind, parsed.errors) == (kind, ())
    assert bool(parsed.records) is (kind is not Kind.PERFORMANCE)


@given(kind=st.sampled_from(list(Kind)), data=st.binary(max_size=300))
def test_any_bytes_give_records_errors_or_a_source_error(kind: Kind, data: bytes) -> None:
    parsed = read(kind, data)
    assert parsed is None or parsed.read == len(parsed.records) + len(parsed.errors) or not parsed.records


@given(
    kind=st.sampled_from(list(Kind)),
    cut=st.integers(0, 12_288),
    taken=st.integers(0, 40),
    inserted=st.one_of(
        st.binary(max_size=40),
        st.text(max_size=40).map(lambda drawn: drawn.encode("utf-8", "surrogatepass")),
        st.sampled_from([b"NaN", b"1e999999999", b'"', b"[" * 500, b'{"a":' * 500, b"\x00", b"\\ud800", b"0001-01-01"]),
    ),
)
@example(kind=Kind.TRADES, cut=60, taken=4, inserted=b"1e99999999999999999999")
def test_a_good_file_with_something_put_into_it_never_breaks_a_parser(
    kind: Kind, cut: int, taken: int, inserted: bytes
) -> None:
    seed = SEEDS[kind]
    cut %= len(seed) + 1
    parsed = read(kind, seed[:cut] + inserted + seed[cut + taken :])
    assert parsed is None or parsed.kind in Kind


@given(
    kind=st.sampled_from([Kind.MACRO_EVENTS, Kind.DECISION_LOG, Kind.PENALTY_LOG, Kind.FEATURE_IMPORTANCE]),
    cells=st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=6), max_size=6),
)
def test_any_rows_under_a_good_header_are_kept_or_refused_one_by_one(kind: Kind, cells: list[list[str]]) -> None:
    header = SEEDS[kind].split(b"\n")[0]
    body = "\n".join(",".join(row) for row in cells).encode("utf-8", "surrogatepass")
    parsed = read(kind, header + b"\n" + body)
    assert parsed is None or parsed.read == len(parsed.errors) + len(parsed.records)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(kind=st.sampled_from([Kind.SIGNALS, Kind.TRADES, Kind.RISK_SNAPSHOT]), extra=JSON_VALUES, data=st.data())
def test_any_json_value_in_any_place_is_kept_or_refused(kind: Kind, extra: object, data: st.DataObject) -> None:
    document = json.loads(SEEDS[kind])
    target = document[0] if isinstance(document, list) else document
    target[data.draw(st.sampled_from([*target, "another"]))] = extra
    parsed = read(kind, json.dumps(document).encode())
    assert parsed is None or parsed.read == 1


@given(flips=st.lists(st.tuples(st.integers(16, 12_287), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_damaged_database_is_read_or_refused(flips: list[tuple[int, int]]) -> None:
    data = bytearray(SEEDS[Kind.MARKET_MEMORY])
    for position, value in flips:
        data[position % len(data)] = value
    parsed = read(Kind.MARKET_MEMORY, bytes(data))
    assert parsed is None or parsed.kind in (Kind.MARKET_MEMORY, Kind.TRADING_SNAPSHOTS, Kind.MARKET_CONFIG)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i"


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE VIEW clusters AS " + ENDLESS + " AS event_type, i AS features, i AS timestamp FROM n",),
        (
            "CREATE TABLE clusters (event_type, timestamp, features AS (zeroblob(1000000000)) VIRTUAL)",
            "INSERT INTO clusters (event_type, timestamp) VALUES ('FOMC', '2025-05-07 18:00:00')",
        ),
        ("CREATE VIRTUAL TABLE clusters USING fts5(event_type, features, timestamp)",),
    ],
)
def test_no_view_generated_column_or_virtual_table_of_a_database_is_run(statements: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match="clusters"):
        parse("market_memory.db", database(*statements))


def test_a_text_of_many_megabytes_in_a_database_refuses_it() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(CLUSTERS)
        connection.execute("INSERT INTO clusters VALUES (1, 'FOMC', zeroblob(9000000), '2025-05-07 18:00:00', 1)")
        data = connection.serialize()
    with pytest.raises(SourceError, match="the database cannot be read"):
        parse("market_memory.db", data)


def test_a_file_or_a_line_above_its_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="at most 67,108,864 are read"):
        parse("macro_events.csv", b"type,impact\n" + b"x" * bounds.MAX_FILE_BYTES)
    monkeypatch.setattr(text, "MAX_LINE_CHARS", 50)
    parsed = parse("macro_events.csv", b"type,impact\n" + b"F" * 60 + b",1\nCPI,0.9\n")
    assert [error.line for error in parsed.errors] == [2]
    monkeypatch.setattr(rows, "MAX_ROWS", 1)
    with pytest.raises(SourceError, match="more than 1 rows"):
        parse("macro_events.csv", b"type,impact\nCPI,1\nCPI,1\n")
    monkeypatch.setattr(text, "MAX_ROWS", 1)
    with pytest.raises(SourceError, match="more than 1 lines"):
        parse("macro_events.csv", b"type,impact\nCPI,1\nCPI,1\n")
