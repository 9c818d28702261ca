"""trading_snapshots.db: the timestamp is the entry, the close follows from the duration."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from risk.sources.records import DecisionRecord, OutcomeRecord, SourceError
from risk.sources.trading_snapshots import parse_trading_snapshots
from tests.risk.sources.sqlite_files import trading_snapshots

AT = "2025-06-29T17:23:23.952992+00:00"
SNAPSHOT = json.dumps(
    {
        "trade_id": "T000",
        "timestamp": AT,
        "symbol": "ES",
        "signal": "LONG",
        "pnl_dollars": 50.0,
        "market_regime": "ranging",
        "sierra_patterns": ["color_down_setting"] * 20,
        "notes": "Patterns: " + "color_down_setting " * 50,
    }
)


def row(
    at: str | None = AT,
    signal: str | None = "SHORT",
    pnl: object = -12.5,
    minutes: object = 1.5,
    snapshot: object = SNAPSHOT,
) -> tuple[object, ...]:
    return ("T000", at, signal, 5852.25, 5852.5, -0.25, pnl, minutes, 0.47, 161, 0, snapshot)


def test_a_snapshot_becomes_a_decision_closed_after_its_duration() -> None:
    parsed = parse_trading_snapshots(trading_snapshots([row()]))
    at = datetime(2025, 6, 29, 17, 23, 23, 952992, tzinfo=UTC)
    (record,) = parsed.records
    assert record.outcome == OutcomeRecord(
        Decimal("-12.5000"), at.replace(minute=24, second=53), None, Decimal("5852.5000")
    )
    assert record == DecisionRecord(
        line=1,
        at=at,
        trade_id="T000",
        decision="sell",
        signal_score=0.47,
        instrument="ES",
        side="sell",
        price=Decimal("5852.2500"),
        context=record.context,
        outcome=record.outcome,
    )
    assert record.context["market_regime"] == "ranging"
    assert record.context["sierra_patterns.color_down_setting"] == 20
    assert record.context["duration_minutes"] == 1.5
    assert parsed.notes == ("context texts shortened to 200 characters: 1",)


def test_the_columns_come_before_what_the_snapshot_repeats() -> None:
    (record,) = parse_trading_snapshots(trading_snapshots([row(signal="SHORT", pnl=7)])).records
    assert (record.side, record.outcome and record.outcome.pnl) == ("sell", Decimal("7.0000"))
    (repeated,) = parse_trading_snapshots(trading_snapshots([row(signal=None, pnl=None)])).records
    assert (repeated.side, repeated.outcome and repeated.outcome.pnl) == ("buy", Decimal("50.0000"))


def test_an_open_trade_has_no_outcome() -> None:
    parsed = parse_trading_snapshots(trading_snapshots([row(pnl=None, minutes=None, snapshot=None)]))
    assert parsed.records[0].outcome is None


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (row(snapshot="{broken"), "snapshot_json"),
        (row(snapshot="[]"), "snapshot_json"),
        (row(snapshot=b"\x00"), "snapshot_json"),
        (row(minutes=-1), "duration_minutes"),
        (row(minutes=1e12), "duration_minutes"),
        (row(minutes=float("inf")), "duration_minutes"),
        (row(pnl="much"), "pnl_dollars"),
        (row(signal="FLAT"), "signal"),
        (row(at="last week"), "timestamp"),
    ],
)
def test_a_bad_row_names_its_field(bad: tuple[object, ...], field: str) -> None:
    parsed = parse_trading_snapshots(trading_snapshots([bad]))
    assert [(error.line, error.field) for error in parsed.errors] == [(1, field)]


def test_a_local_time_needs_a_zone() -> None:
    with pytest.raises(SourceError, match="--timezone"):
        parse_trading_snapshots(trading_snapshots([row(at="2025-06-29T17:23:23")]))
