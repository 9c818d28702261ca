"""trades_*.json and trades_*.jsonl: closed trades become decisions with outcomes."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from risk.sources.records import DecisionRecord, OutcomeRecord, SourceError
from risk.sources.trades import parse_trades

CHICAGO = ZoneInfo("America/Chicago")
AT = datetime(2025, 6, 30, 7, 18, 16, 943597, tzinfo=UTC)
TRADE: dict[str, Any] = {
    "trade_id": "trade_1751267896",
    "timestamp": "2025-06-30 07:18:16.943597+00:00",
    "symbol": "ES",
    "side": "LONG",
    "entry_price": 5852.25,
    "exit_price": 5853.25,
    "quantity": 1,
    "gross_pnl": 50.0,
    "net_pnl": 47.5,
    "commission": 2.5,
}


def test_a_trade_becomes_a_decision_with_its_outcome() -> None:
    parsed = parse_trades(json.dumps(TRADE).encode())
    assert parsed.records == (
        DecisionRecord(
            line=1,
            at=AT,
            trade_id="trade_1751267896",
            decision="buy",
            instrument="ES",
            side="buy",
            quantity=Decimal("1.0000"),
            price=Decimal("5852.2500"),
            context={"gross_pnl": 50.0, "commission": 2.5},
            outcome=OutcomeRecord(Decimal("47.5000"), AT, Decimal("1.0000"), Decimal("5853.2500")),
        ),
    )


def test_a_pretty_printed_array_gives_each_trade_its_line() -> None:
    data = json.dumps([TRADE, TRADE | {"quantity": -1}, TRADE], indent=2).encode()
    parsed = parse_trades(data)
    assert [record.line for record in parsed.records] == [2, 26]
    assert [(error.line, error.field, error.value) for error in parsed.errors] == [(14, "quantity", "-1")]


def test_money_is_rounded_half_even_to_four_decimals_from_its_digits() -> None:
    data = '{"trade_id": "T", "timestamp": "2025-06-30T07:18:16Z", "pnl": %s}'
    results = [
        parse_trades((data % pnl).encode()).records[0].outcome for pnl in ("0.00005", "0.00015", "-1e-9", "1e10")
    ]
    assert [outcome and str(outcome.pnl) for outcome in results] == [
        "0.0000",
        "0.0002",
        "0.0000",
        "10000000000.0000",
    ]


def test_a_trade_without_a_side_is_a_trade_and_one_without_a_result_has_no_outcome() -> None:
    parsed = parse_trades(b'[{"trade_id": "T", "timestamp": "2025-06-30T07:18:16Z", "pnl": null}]')
    assert parsed.records[0].decision == "trade"
    assert parsed.records[0].outcome is None


def test_the_score_is_the_strength_else_the_confluence_else_absent() -> None:
    base = {"trade_id": "T", "timestamp": "2025-06-30T07:18:16Z", "pnl": 1}
    rows = [
        base | {"signal_strength": 0.7, "confluence_score": 0.4},
        base | {"signal_strength": 1.7, "confluence_score": 0.4},
        base | {"signal_strength": 1.7},
    ]
    records = parse_trades(json.dumps(rows).encode()).records
    assert [record.signal_score for record in records] == [0.7, 0.4, None]
    assert records[1].context == {"signal_strength": 1.7}


def test_a_price_of_zero_is_not_known() -> None:
    parsed = parse_trades(json.dumps(TRADE | {"entry_price": 0.0, "exit_price": 0.0}).encode())
    assert parsed.records[0].price is None
    assert parsed.notes == ("prices of 0 read as not known: 2",)


def test_long_lists_are_kept_as_counts() -> None:
    patterns = ["long_up_bar"] * 40 + ["headfake"] * 20
    (record,) = parse_trades(json.dumps(TRADE | {"sierra_patterns": patterns}).encode()).records
    assert record.context["sierra_patterns.count"] == 60
    assert record.context["sierra_patterns.long_up_bar"] == 40
    assert record.context["sierra_patterns.headfake"] == 20
    assert "long_up_bar" not in record.context.values()


def test_local_times_need_a_zone() -> None:
    data = json.dumps([TRADE | {"timestamp": "2025-06-30T02:18:16.943597"}]).encode()
    with pytest.raises(SourceError, match="--timezone"):
        parse_trades(data)
    assert parse_trades(data, zone=CHICAGO).records[0].at == AT


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"side": "UP"}, "side"),
        ({"side": 1}, "side"),
        ({"net_pnl": "much"}, "net_pnl"),
        ({"net_pnl": float("inf")}, "net_pnl"),
        ({"trade_id": ""}, "trade_id"),
        ({"trade_id": ["T"]}, "trade_id"),
        ({"quantity": 0}, "quantity"),
        ({"timestamp": None}, "timestamp"),
    ],
)
def test_a_bad_trade_names_its_field(change: dict[str, Any], field: str) -> None:
    parsed = parse_trades(json.dumps([TRADE, TRADE | change]).encode())
    assert len(parsed.records) == 1
    assert [error.field for error in parsed.errors] == [field]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'[\n{"a": 1},\n{"trade_id" "U"}\n]', "line 3: the array of objects cannot be read"),
        (b'[{"trade_id": "T"}', "breaks off"),
        (b'[{"trade_id": "T"} {"trade_id": "U"}]', "breaks off"),
        (b"[] []", "more text after the end"),
        (b'[{"trade_id": "T"},]', "cannot be read"),
    ],
)
def test_a_broken_array_is_refused_whole(data: bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_trades(data, zone=CHICAGO)
    assert words in str(caught.value)


def test_an_empty_array_holds_no_trades() -> None:
    assert parse_trades(b"[ ]\n").read == 0
