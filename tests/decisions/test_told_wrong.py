"""What a bot is told about a field that it got wrong: where it stands, what it holds, what would have been right."""

from typing import Any

import msgspec
import pytest

from decisions.inputs import DecisionInput, OrderInput
from mia_site.ops.http import BodyError, body_decode

ASK: dict[str, Any] = {
    "account": "ES-MAIN", "trade_id": "t-1", "decision": "buy", "instrument": "ES", "signal_score": 0.5,
    "regime_probs": {},
}  # fmt: skip
NOW = "2026-05-13T14:30:00Z"


def told(type_: Any, body: dict[str, Any]) -> tuple[str, object, str]:
    with pytest.raises(BodyError) as refused:
        body_decode(msgspec.json.encode(body), type_)
    return refused.value.field, refused.value.value, refused.value.expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("side", "BUY", "one of buy, sell"),
        ("mode", "Gate", "one of gate, record"),
        ("instrument", "es", "up to 32 of A-Z, 0-9, dot, _, / and -, such as ES or ESZ6"),
        ("decision", "BUY", "a lower-case word of up to 32 letters, digits and _"),
        ("trace_id", "a\u009b31m", "one line without control characters"),
        ("trade_id", "a\u2028b", "one line without control characters"),
        ("reason", "a\u009b31m", "text without control characters"),
        ("decided_at", "yesterday", "a time with its zone, such as 2026-05-13T14:30:00Z"),
        ("quantity", "ten", "a number"),
        ("quantity", 0, "a number above 0"),
    ],
)
def test_a_field_says_what_it_takes(field: str, value: object, expected: str) -> None:
    assert told(DecisionInput, {**ASK, field: value}) == (field, value, expected)


def test_a_choice_of_another_body_says_what_there_is_to_choose_from() -> None:
    statuses = "one of partially_filled, filled, cancelled, rejected, expired"
    assert told(OrderInput, {"order_status": "done", "at": NOW}) == ("order_status", "done", statuses)


def test_of_many_features_the_wrong_one_is_named() -> None:
    features = {"vix": 17.0, "delta": None, "spread": "0.25"}
    assert told(DecisionInput, {**ASK, "features": features}) == ("features.delta", None, "float, got null")


def test_a_name_that_is_none_is_told_as_one() -> None:
    assert told(DecisionInput, {**ASK, "features": {"é": 1.0}}) == ("features", None, "names, each printable ASCII")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"equity": {"at": NOW, "equity": "NaN"}}, "equity.equity"),
        ({"equity": {"at": NOW}}, "equity.equity"),
        ({"positions": [{"instrument": "ES", "quantity": "NaN"}]}, "positions[0].quantity"),
        ({"market": {"bid": 1}}, "market.ask"),
        ({"regime_probs": {"range": 0.7, "trend": 0.7}}, "regime_probs"),
    ],
)
def test_the_field_is_a_whole_path(changes: dict[str, Any], field: str) -> None:
    assert told(DecisionInput, {**ASK, **changes})[0] == field
