"""signals_*.jsonl: signals become decisions, everything else becomes bounded context."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from risk.sources.records import DecisionRecord, EquityRecord, Parsed, SourceError
from risk.sources.signals import parse_signals

CHICAGO = ZoneInfo("America/Chicago")
SIGNAL: dict[str, Any] = {
    "timestamp": "2025-08-21T17:22:09.641184",
    "session_id": "20250821_172149",
    "bar_number": 2,
    "data_source": "SIMULATION",
    "market_data": {"price": 6456.75005, "volume": 1346.0},
    "options_data": {"nearby_pin_levels": [6450.0, 6500.0]},
    "account_data": {"positions": {}},
    "orderflow_stats": {"vix_level": 18.4, "equity": 254380.25059868218},
    "signal_data": {"signal_type": "SELL", "confidence": 0.2246, "reasoning": "OrderFlow bearish"},
    "multi_market_context": {"es_active": True, "selected_market": "ES"},
}


def changed(**sections: Any) -> dict[str, Any]:
    """The signal with some sections merged or replaced."""
    signal = deepcopy(SIGNAL)
    for name, section in sections.items():
        signal[name] = {**signal[name], **section} if isinstance(section, dict) else section
    return signal


def parsed(*signals: dict[str, Any], equity: bool = False) -> Parsed[DecisionRecord]:
    data = "\n".join(json.dumps(signal) for signal in signals).encode()
    return parse_signals(data, zone=CHICAGO, equity=equity)


def test_a_signal_becomes_a_decision() -> None:
    (record,) = parsed(SIGNAL).records
    assert record == DecisionRecord(
        line=1,
        at=datetime(2025, 8, 21, 22, 22, 9, 641184, tzinfo=UTC),
        trade_id="20250821_172149-2",
        decision="sell",
        signal_score=0.2246,
        instrument="ES",
        price=Decimal("6456.7500"),
        reason="OrderFlow bearish",
        context={
            "data_source": "SIMULATION",
            "market_data.price": 6456.75005,
            "market_data.volume": 1346.0,
            "options_data.nearby_pin_levels.count": 2,
            "options_data.nearby_pin_levels.0": 6450.0,
            "options_data.nearby_pin_levels.1": 6500.0,
            "orderflow_stats.vix_level": 18.4,
            "orderflow_stats.equity": 254380.25059868218,
            "multi_market_context.es_active": True,
        },
    )


def test_equity_is_taken_only_where_it_is_asked_for() -> None:
    assert parsed(SIGNAL).records[0].equity is None
    asked = parsed(SIGNAL, equity=True)
    assert asked.records[0].equity == EquityRecord(asked.records[0].at, Decimal("254380.2506"))
    assert "equities stated by a simulation: 1" in asked.notes


def test_an_absent_confidence_stays_absent() -> None:
    signal = deepcopy(SIGNAL)
    del signal["signal_data"]["confidence"]
    assert parsed(signal).records[0].signal_score is None


@pytest.mark.parametrize(
    ("signal", "field"),
    [
        (changed(signal_data={"confidence": 1.2}), "signal_data.confidence"),
        (changed(signal_data={"confidence": float("nan")}), "signal_data.confidence"),
        (changed(signal_data={"signal_type": 7}), "signal_data.signal_type"),
        (changed(signal_data={"signal_type": None}), "signal_data.signal_type"),
        (changed(signal_data={"reasoning": "a\x00b"}), "signal_data.reasoning"),
        (changed(signal_data={"reasoning": "\ud800"}), "signal_data.reasoning"),
        (changed(market_data={"price": 1e11}), "market_data.price"),
        (changed(market_data={"price": "dear"}), "market_data.price"),
        (changed(session_id=None), "session_id"),
        (changed(bar_number=True), "bar_number"),
        (changed(timestamp=1755814929), "timestamp"),
        (changed(timestamp="2025-03-09T02:30:00"), "timestamp"),
        (changed(timestamp="2025-11-02T01:30:00"), "timestamp"),
        (
            changed(multi_market_context={"selected_market": "E" * 201}),
            "multi_market_context.selected_market",
        ),
    ],
)
def test_a_bad_signal_names_its_field_and_the_next_goes_in(signal: dict[str, Any], field: str) -> None:
    result = parsed(signal, SIGNAL)
    assert [(error.line, error.field) for error in result.errors] == [(1, field)]
    assert [record.line for record in result.records] == [2]


def test_an_hour_that_the_clocks_skipped_or_showed_twice_is_explained() -> None:
    result = parsed(changed(timestamp="2025-03-09T02:30:00"), changed(timestamp="2025-11-02T01:30:00"))
    skipped, twice = (error.message for error in result.errors)
    assert "was skipped by clocks in America/Chicago" in skipped
    assert "was shown twice by clocks in America/Chicago" in twice
    offset = parsed(changed(timestamp="2025-11-02T01:30:00-06:00"))
    assert offset.records[0].at == datetime(2025, 11, 2, 7, 30, tzinfo=UTC)


def test_local_times_without_a_zone_refuse_the_file_and_name_the_option() -> None:
    with pytest.raises(SourceError, match="has no time zone: say where it was written with --timezone"):
        parse_signals(json.dumps(SIGNAL).encode())


def test_broken_lines_are_refused_alone() -> None:
    good = json.dumps(SIGNAL)
    result = parse_signals(f"{good}\r\n\r\n{{broken\r\n[1]\r\n{good}\r\n".encode(), zone=CHICAGO)
    assert [record.line for record in result.records] == [1, 5]
    assert [error.line for error in result.errors] == [3, 4]
    assert result.errors[0].message.startswith("the line is not JSON: ")
    assert result.read == 4


def test_context_values_that_are_not_finite_are_left_out_and_counted() -> None:
    result = parsed(changed(market_data={"a": float("inf"), "b": float("nan"), "c": 1.5}))
    context = result.records[0].context
    assert context["market_data.c"] == 1.5
    assert {"market_data.a", "market_data.b"}.isdisjoint(context)
    assert "context values left out because they are not finite numbers: 2" in result.notes


def test_a_number_too_large_for_a_float_counts_as_not_finite() -> None:
    line = json.dumps(changed(market_data={"a": 0})).replace('"a": 0', '"a": 1e400, "d": 1e99999999999999999999')
    result = parse_signals(line.encode(), zone=CHICAGO)
    assert "context values left out because they are not finite numbers: 2" in result.notes


def test_a_context_has_at_most_200_names_and_16_kilobytes() -> None:
    many = parsed(changed(market_data={f"name{number}": number for number in range(300)}))
    assert len(many.records[0].context) == 200
    assert any(note.startswith("context values left out beyond 200 names or 16 kB: ") for note in many.notes)
    wide = parsed(changed(market_data={f"name{number}": '"é' * 95 for number in range(150)}))
    assert 15 * 1024 < len(orjson.dumps(wide.records[0].context)) <= 16 * 1024


def test_names_outside_ascii_and_integers_beyond_2_to_the_53_are_left_out() -> None:
    result = parsed(changed(market_data={"prix_é": 1, "big": 2**53 + 1, "fits": 2**53}))
    context = result.records[0].context
    assert context["market_data.fits"] == 2**53
    assert len([name for name in context if name.startswith("market_data.")]) == 3


def test_a_dotted_name_that_hides_a_nested_one_refuses_the_line() -> None:
    result = parsed(SIGNAL | {"signal_data.confidence": 0.99})
    assert result.records == ()
    assert [error.field for error in result.errors] == ["signal_data.confidence"]


def test_deep_nesting_refuses_the_line_alone() -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"a": deep}
    deepest = json.dumps(SIGNAL).replace('"positions": {}', f'"positions": {"[" * 20_000}')
    result = parse_signals(
        f"{json.dumps(changed(account_data=deep))}\n{deepest}\n{json.dumps(SIGNAL)}".encode(), zone=CHICAGO
    )
    assert [record.line for record in result.records] == [3]
    assert "nested at most 16 deep" in result.errors[0].message
    assert "nested too deeply" in result.errors[1].message
