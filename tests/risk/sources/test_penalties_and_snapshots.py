"""penalty_log.csv and risk_*.json."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from risk.sources.penalty_log import parse_penalty_log
from risk.sources.records import PenaltyRecord, SnapshotRecord, SourceError
from risk.sources.risk_snapshot import parse_risk_snapshot

AT = datetime(2025, 5, 13, 14, tzinfo=UTC)


def test_a_penalty_is_read() -> None:
    data = b"timestamp,penalty_active,overtrade_risk_score\n2025-05-13 14:00:00,True,0.65\n"
    assert parse_penalty_log(data).records == (PenaltyRecord(2, AT, True, 0.65),)


def test_snapshots_that_the_old_code_appended_are_read_without_a_header() -> None:
    parsed = parse_penalty_log(b"20250513_140000,0.06,0.65,True\n20250513_140000,0.04,0.5,False\n")
    assert parsed.records == (PenaltyRecord(1, AT, True, 0.65), PenaltyRecord(2, AT, False, 0.5))
    assert "columns not imported: drawdown" in parsed.notes


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("2025-05-13 14:00:00,yes,0.65", "penalty_active"),
        ("2025-05-13 14:00:00,,0.65", "penalty_active"),
        ("2025-05-13 14:00:00,True,1.65", "overtrade_risk_score"),
        ("2025-05-13 14:00:00,True,", "overtrade_risk_score"),
        ("soon,True,0.65", "timestamp"),
    ],
)
def test_a_bad_penalty_names_its_field(row: str, field: str) -> None:
    parsed = parse_penalty_log(f"timestamp,penalty_active,overtrade_risk_score\n{row}\n".encode())
    assert [(error.line, error.field) for error in parsed.errors] == [(2, field)]


@pytest.mark.parametrize("drawdown", ["0.06", "-0.06", '"0.06"'])
def test_a_snapshot_states_a_positive_drawdown_whatever_its_sign(drawdown: str) -> None:
    data = (
        f'{{"timestamp": "2025-05-13 14:00:00", "drawdown": {drawdown},'
        '"overtrade_risk_score": 0.65, "penalty_active": true}'
    )
    parsed = parse_risk_snapshot(data.encode())
    assert parsed.records == (SnapshotRecord(AT, Decimal("0.06"), 0.65, True),)


def test_a_snapshot_keeps_the_digits_of_its_drawdown() -> None:
    data = b'{"timestamp": "20250513_140000", "drawdown": 0.050000000000000000001, "overtrade_risk_score": 0.65,'
    (snapshot,) = parse_risk_snapshot(data + b'"penalty_active": false, "peak": 1}').records
    assert snapshot.drawdown == Decimal("0.050000000000000000001")
    assert parse_risk_snapshot(data + b'"penalty_active": false, "peak": 1}').notes[0] == "keys not imported: 1"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("drawdown", "1001"),
        ("drawdown", "NaN"),
        ("drawdown", "1e-9999999"),
        ("drawdown", "null"),
        ("overtrade_risk_score", "-0.1"),
        ("overtrade_risk_score", "true"),
        ("penalty_active", '"maybe"'),
        ("penalty_active", "[]"),
        ("timestamp", "20250513"),
        ("timestamp", '"2025-05-13T14:00:00+99:00"'),
    ],
)
def test_a_bad_snapshot_names_its_field(key: str, value: str) -> None:
    good = {"timestamp": '"2025-05-13 14:00:00"', "drawdown": "0.06", "overtrade_risk_score": "0.65"}
    fields = good | {"penalty_active": "true"} | {key: value}
    parsed = parse_risk_snapshot(("{" + ",".join(f'"{name}": {text}' for name, text in fields.items()) + "}").encode())
    assert parsed.records == ()
    assert [error.field for error in parsed.errors] == [key]


@pytest.mark.parametrize("data", [b"{", b"[1]", b"{} {}", b"[" * 100_000, b"null", b'{"a": 1'])
def test_a_snapshot_that_is_no_json_object_is_one_sentence(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"the snapshot is (not|nested too deeply)"):
        parse_risk_snapshot(data)
