"""decision_log.csv: the specification's columns and the older ones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from risk.sources.decision_log import parse_decision_log
from risk.sources.records import DecisionRecord, SourceError

HEADER = "timestamp,trade_id,decision,signal_score,regime_probs\n"
LEGACY = "# data/logs/trading/decision_log.csv\r\n# Role: logs\r\n\r\ntimestamp,decision,reason,regime\r\n"
PROBS = '"{""range"": 0.7, ""trend"": 0.2, ""defensive"": 0.1}"'


def one(row: str) -> DecisionRecord:
    parsed = parse_decision_log((HEADER + row).encode())
    assert parsed.errors == ()
    (record,) = parsed.records
    return record


def test_a_decision_of_the_specification_is_read() -> None:
    assert one(f"2025-05-13 14:00:00,T123,buy,0.75,{PROBS}\n") == DecisionRecord(
        line=2,
        at=datetime(2025, 5, 13, 14, tzinfo=UTC),
        trade_id="T123",
        decision="buy",
        signal_score=0.75,
        regime_probs={"range": 0.7, "trend": 0.2, "defensive": 0.1},
    )


def test_a_regime_may_be_left_out_and_so_may_score_and_probabilities() -> None:
    assert one('2025-05-13 14:00:00.250000,T1,BUY,1,"{""range"": 0.7, ""trend"": 0.2}"').regime_probs == {
        "range": 0.7,
        "trend": 0.2,
    }
    bare = one("2025-05-13 14:00:00,T1,hold,,")
    assert (bare.signal_score, bare.regime_probs, bare.decision) == (None, None, "hold")


def test_ten_probabilities_of_a_tenth_are_one_despite_floating_point() -> None:
    probs = '"{""range"": 0.1, ""trend"": 0.2, ""defensive"": 0.7000000001}"'
    assert one(f"2025-05-13 14:00:00,T1,buy,0.5,{probs}").regime_probs is not None


def test_the_stamp_of_the_old_code_is_read_as_utc_and_noted() -> None:
    parsed = parse_decision_log((HEADER + "20250513_140000,T1,buy,0.5,\n").encode())
    assert parsed.records[0].at == datetime(2025, 5, 13, 14, tzinfo=UTC)
    assert parsed.notes == ("times written as YYYYMMDD_HHMMSS were read as UTC",)


def test_a_file_that_the_old_code_appended_to_without_a_header_is_read() -> None:
    parsed = parse_decision_log(f"20250513_140000,T1,buy,0.5,{PROBS}\n20250513_140100,T2,sell,0.6,\n".encode())
    assert [(record.line, record.trade_id) for record in parsed.records] == [(1, "T1"), (2, "T2")]
    assert parsed.notes[0].startswith("the file has no header: its columns were taken as timestamp, trade_id")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (",T1,buy,0.5,", "timestamp"),
        ("2025-05-13,T1,buy,0.5,", "timestamp"),
        ("2025-05-13 25:00:00,T1,buy,0.5,", "timestamp"),
        ("2025-05-13 14:00:00,,buy,0.5,", "trade_id"),
        (f"2025-05-13 14:00:00,{'T' * 201},buy,0.5,", "trade_id"),
        ("2025-05-13 14:00:00,T1,buy now,0.5,", "decision"),
        ("2025-05-13 14:00:00,T1,1buy,0.5,", "decision"),
        (f"2025-05-13 14:00:00,T1,{'b' * 33},0.5,", "decision"),
        ("2025-05-13 14:00:00,T1,,0.5,", "decision"),
        ("2025-05-13 14:00:00,T1,buy,1.01,", "signal_score"),
        ("2025-05-13 14:00:00,T1,buy,-0.01,", "signal_score"),
        ("2025-05-13 14:00:00,T1,buy,NaN,", "signal_score"),
        ("2025-05-13 14:00:00,T1,buy,1_0,", "signal_score"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""range"": 0.7"', "regime_probs"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"[0.7]"', "regime_probs"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""bull"": 0.7}"', "regime_probs"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""range"": 1.7}"', "regime_probs.range"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""range"": null}"', "regime_probs.range"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""range"": NaN}"', "regime_probs.range"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""range"": true}"', "regime_probs.range"),
        ('2025-05-13 14:00:00,T1,buy,0.5,"{""range"": 0.7, ""trend"": 0.31}"', "regime_probs"),
        ("2025-05-13 14:00:00,T1,buy,0.5,{'range': 0.7}", "regime_probs"),
    ],
)
def test_a_bad_row_names_its_field_and_the_next_row_goes_in(row: str, field: str) -> None:
    parsed = parse_decision_log((HEADER + row + "\n2025-05-13 14:00:00,T2,sell,0.5,\n").encode())
    assert [(error.line, error.field) for error in parsed.errors] == [(2, field)]
    assert [record.trade_id for record in parsed.records] == ["T2"]


def test_the_older_dialect_keeps_its_regime_as_context_and_names_no_trade() -> None:
    parsed = parse_decision_log((LEGACY + "2025-05-13T09:00:00Z,enter_long,high prob,trend").encode())
    assert parsed.records == (
        DecisionRecord(
            line=5,
            at=datetime(2025, 5, 13, 9, tzinfo=UTC),
            trade_id="",
            decision="enter_long",
            reason="high prob",
            context={"regime": "trend"},
        ),
    )


def test_a_local_time_of_the_older_dialect_needs_a_zone() -> None:
    data = (LEGACY + "2025-05-13T09:00:00,enter_long,,trend").encode()
    with pytest.raises(SourceError, match="--timezone"):
        parse_decision_log(data)
    (record,) = parse_decision_log(data, zone=ZoneInfo("America/Chicago")).records
    assert record.at == datetime(2025, 5, 13, 14, tzinfo=UTC)


def test_a_long_reason_is_shortened_and_noted() -> None:
    parsed = parse_decision_log((LEGACY + f"2025-05-13T09:00:00Z,hold,{'x' * 2_001},trend").encode())
    assert len(parsed.records[0].reason) == 2_000
    assert parsed.notes == ("reasons shortened to 2,000 characters: 1",)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SourceError, match="the column signal_score is missing"):
        parse_decision_log(b"timestamp,trade_id,decision\n2025-05-13 14:00:00,T1,buy\n")
