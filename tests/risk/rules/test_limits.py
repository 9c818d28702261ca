"""A limits document is read strictly and written canonically; errors name the field and what it takes."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.limits import (
    BreachAction,
    DrawdownLimit,
    DrawdownMode,
    Limits,
    LimitsError,
    RuleMode,
    RuleName,
    RuleSetting,
    WindowRule,
    limits_dump,
    limits_parse,
)
from risk.rules.limits_expected import EXPECTED
from tests.risk.rules.strategies import limits_documents

STATIC = {"name": "max_loss", "mode": "static", "allowance": {"of": "initial", "value": "0.1"}}
FULL: dict[str, Any] = {
    "drawdown": [
        {
            "name": "max_drawdown",
            "mode": "trailing_intraday",
            "allowance": {"of": "reference", "value": "0.05"},
            "action": "REDUCE_ONLY",
            "stops_rising_at_initial": False,
            "alert_at": "0.8",
        },
        {
            "name": "daily_loss",
            "mode": "daily",
            "allowance": {"of": "amount", "value": "2000"},
            "reset_at": "17:00",
        },
    ],
    "confirmation": {"points": None, "seconds": None},
    "plausibility": {"max_move": None},
    "pace": {"max_openings_per_hour": 10, "min_interval_seconds": 0},
    "order": {"max_quantity": None},
    "freshness": {
        "equity_seconds": 120,
        "positions_seconds": 120,
        "positions_required": False,
        "calendar_hours": 24,
        "memory_hours": None,
        "features_days": None,
        "checks_seconds": 180,
    },
    "blackout": {"minutes_before": 30, "minutes_after": 30, "impact_above": "0.7"},
    "windows": {
        "presets": ["fomc"],
        "rules": [{"name": "jobs", "event_types": ["payroll"], "action": "reduce", "max_quantity": "1"}],
        "warn_minutes": 10,
    },
    "calendar": {"horizon_hours": 72},
    "session": {"hours": "globex"},
    "features": {"min_coverage": "0.9"},
    "exposure": {
        "max_position": "10",
        "instruments": [{"instrument": "ES", "max_position": "4", "max_notional": "2000000"}],
        "multipliers": [{"instrument": "YM", "value": "5"}],
        "price_hours": 24,
        "reservation_minutes": 60,
    },
    "contracts": {"allowed": ["ESZ6", "NQ", "M*"]},
    "price": {"max_deviation": "0.01", "reference_seconds": 60},
    "self_match": {"action": "block"},
    "memory": {"required": False},
    "flat": {"by": None, "until": "17:00"},
    "losses": {
        "max_consecutive": None,
        "max_per_trade": None,
        "penalty_minutes": 60,
        "cooldown_after_stop_minutes": 0,
        "cooldown_after_loss_minutes": 0,
    },
    "algorithms": {"max_unreviewed": 100, "required": False},
    "clock": {"max_skew_seconds": 5},
    "answer": {"valid_seconds": 5},
    "rules": {
        "features": {"mode": "off", "reason": "no model features on this desk"},
        "pace": {"mode": "shadow"},
    },
}
TWICE = [{"name": "a"}, {"name": "a"}]
SHADOWED = {"state": {"mode": "shadow"}}
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
FIELDS = st.sampled_from([*sorted(FULL), "mode", "name"])
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


def refused(document: Any) -> LimitsError:
    with pytest.raises(LimitsError) as caught:
        limits_parse(document)
    return caught.value


def with_static(**sections: Any) -> dict[str, Any]:
    return {"drawdown": [STATIC], **sections}


def with_window(**fields: Any) -> dict[str, Any]:
    return with_static(windows={"rules": [{"name": "jobs", **fields}]})


def test_it_reads_every_section() -> None:
    limits = limits_parse(FULL)
    assert [rule.name for rule in limits.drawdown] == ["max_drawdown", "daily_loss"]
    assert limits.drawdown[0].mode is DrawdownMode.TRAILING_INTRADAY
    assert limits.drawdown[0].allowance.value == Decimal("0.05")
    assert limits.drawdown[1].action is BreachAction.REDUCE_ONLY
    assert limits.rule_mode(RuleName.FEATURES) is RuleMode.OFF
    assert limits.rule_mode(RuleName.PACE) is RuleMode.SHADOW
    assert limits.rule_mode(RuleName.EQUITY) is RuleMode.ENFORCE


def test_it_takes_the_documented_defaults_for_what_is_left_out() -> None:
    limits = limits_parse(with_static())
    assert limits.freshness.equity_seconds == 120
    assert limits.freshness.calendar_hours == 24
    assert limits.features.min_coverage == Decimal("0.9")
    assert limits.pace.max_openings_per_hour == 10
    assert limits.answer.valid_seconds == 5
    assert limits.blackout.impact_above == Decimal("0.7")
    assert limits.order.max_quantity is None


@pytest.mark.parametrize(("written", "kept"), [("-0.10", "0.10"), ("0.05", "0.05"), ("-0.050", "0.05")])
def test_it_drops_the_negative_sign_that_mia_writes(written: str, kept: str) -> None:
    limits = limits_parse({"drawdown": [STATIC | {"allowance": {"of": "reference", "value": written}}]})
    assert limits.drawdown[0].allowance.value == Decimal(kept)


def test_it_reads_json_numbers_digit_by_digit_and_never_through_a_float() -> None:
    text = b'{"drawdown":[{"name":"a","mode":"static","allowance":{"of":"initial","value":0.1}}]}'
    assert limits_parse(text).drawdown[0].allowance.value.as_tuple() == Decimal("0.1").as_tuple()


def test_it_reads_scalars_that_a_yaml_loader_left_as_text() -> None:
    limits = limits_parse(
        with_static(pace={"max_openings_per_hour": "7"}, memory={"required": "true"}, order={"max_quantity": "null"})
    )
    assert limits.pace.max_openings_per_hour == 7
    assert limits.memory.required is True
    assert limits.order.max_quantity is None


def test_what_it_writes_is_complete_and_plain_json() -> None:
    document = limits_dump(limits_parse(with_static()))
    assert set(document) == set(FULL)
    assert document["drawdown"][0]["allowance"] == {"of": "initial", "value": "0.1"}
    assert json.loads(json.dumps(document)) == document


@given(limits_documents())
def test_what_it_writes_reads_back_as_the_same_limits(document: dict[str, Any]) -> None:
    limits = limits_parse(document)
    written = limits_dump(limits)
    assert limits_parse(written) == limits
    assert limits_parse(json.dumps(written).encode()) == limits
    assert limits_dump(limits_parse(written)) == written


def test_equal_limits_are_written_as_equal_text_however_they_were_spelled() -> None:
    plain, spelled = (
        limits_parse(with_static(features={"min_coverage": text}, rules=rules))
        for text, rules in (
            ("0.9", {"pace": {"mode": "shadow"}, "memory": {"mode": "shadow"}}),
            ("0.900", {"memory": {"mode": "shadow"}, "pace": {"mode": "shadow"}}),
        )
    )
    assert json.dumps(limits_dump(plain)) == json.dumps(limits_dump(spelled))


@pytest.mark.parametrize(
    ("document", "field", "value", "expected"),
    [
        ({}, "drawdown", None, "drawdown_needed"),
        (with_static(pase={}), "pase", {}, "known_field"),
        (with_static(pace={"max": 3}), "pace.max", 3, "known_field"),
        (with_static(pace={"max_openings_per_hour": 0}), "pace.max_openings_per_hour", 0, None),
        (with_static(pace={"max_openings_per_hour": True}), "pace.max_openings_per_hour", True, None),
        (with_static(pace={"min_interval_seconds": -1}), "pace.min_interval_seconds", -1, None),
        (with_static(pace=3), "pace", 3, None),
        (with_static(order={"max_quantity": "0"}), "order.max_quantity", "0", "money"),
        (with_static(order={"max_quantity": "NaN"}), "order.max_quantity", "NaN", "money"),
        (with_static(order={"max_quantity": "1.00001"}), "order.max_quantity", "1.00001", "money"),
        (with_static(freshness={"equity_seconds": 0}), "freshness.equity_seconds", 0, None),
        (with_static(blackout={"minutes_before": 1441}), "blackout.minutes_before", 1441, None),
        (with_static(blackout={"impact_above": "1.1"}), "blackout.impact_above", "1.1", "share"),
        (with_static(windows={"presets": ["nfp"]}), "windows.presets[0]", "nfp", "windows.presets"),
        (with_window(impact_above="2"), "windows.rules[0].impact_above", "2", "share"),
        (with_window(instruments=["e s"]), "windows.rules[0].instruments[0]", "e s", "windows.rules.instruments"),
        (with_window(action="reduce"), "windows.rules[0].max_quantity", None, "reduce_quantity"),
        (with_window(max_quantity="1"), "windows.rules[0].max_quantity", "1", "reduce_quantity"),
        (with_static(windows={"rules": TWICE}), "windows.rules", TWICE, "unique_windows"),
        (with_static(calendar={"horizon_hours": -1}), "calendar.horizon_hours", -1, None),
        (with_static(session={"hours": "night"}), "session.hours", "night", None),
        (with_static(features={"min_coverage": "-0.1"}), "features.min_coverage", "-0.1", "share"),
        (with_static(features={"min_coverage": "Infinity"}), "features.min_coverage", "Infinity", "share"),
        (with_static(features={"min_coverage": "much"}), "features.min_coverage", "much", None),
        (with_static(features={"min_coverage": 0.9}), "features.min_coverage", 0.9, "text"),
        (with_static(answer={"valid_seconds": 0}), "answer.valid_seconds", 0, None),
        (with_static(rules={"spread": {"mode": "off"}}), "rules.spread", {"mode": "off"}, "rules.name"),
        (with_static(rules={"pace": {"mode": "off"}}), "rules.pace.reason", None, "off_reason"),
        (with_static(rules={"pace": {"mode": "off", "reason": " "}}), "rules.pace.reason", " ", "off_reason"),
        (with_static(rules={"pace": {"mode": False}}), "rules.pace.mode", False, "rules.mode"),
        (with_static(rules={"pace": {"why": "x"}}), "rules.pace.why", "x", "known_field"),
        (with_static(rules={"pace": "off"}), "rules.pace", "off", "rules"),
        (with_static(rules=[]), "rules", [], "rules"),
        (with_static(rules=SHADOWED), "rules", SHADOWED, "always_enforced"),
        ({"drawdown": [STATIC, STATIC]}, "drawdown", [STATIC, STATIC], "unique_names"),
        ({"drawdown": [STATIC | {"name": "Max Loss"}]}, "drawdown[0].name", "Max Loss", None),
        ({"drawdown": [STATIC | {"mode": "monthly"}]}, "drawdown[0].mode", "monthly", None),
        ({"drawdown": [STATIC | {"reset_at": "24:00"}]}, "drawdown[0].reset_at", "24:00", None),
        ({"drawdown": [STATIC | {"action": "PANIC"}]}, "drawdown[0].action", "PANIC", None),
        ({"drawdown": [{"name": "a", "mode": "static"}]}, "drawdown[0].allowance", None, None),
        ({"drawdown": "none"}, "drawdown", "none", None),
        (b"{", "", b"{", "json"),
        (b"[]", "", b"[]", "json"),
        (b"\xff", "", b"\xff", "json"),
        (3, "", 3, ""),
    ],
)  # fmt: skip
def test_it_names_the_field_its_value_and_what_belongs_there(
    document: Any, field: str, value: object, expected: str | None
) -> None:
    error = refused(document)
    assert error.field == field
    assert error.value == value
    key = expected if expected is not None else field.replace("[0]", "")
    assert error.expected == EXPECTED[key]
    assert error.expected in str(error)


@pytest.mark.parametrize("value", ["0", "1", "1.5", "NaN", "0.1234567"])
def test_it_refuses_a_fractional_allowance_that_is_no_fraction(value: str) -> None:
    error = refused({"drawdown": [STATIC | {"allowance": {"of": "initial", "value": value}}]})
    assert error.field == "drawdown[0].allowance.value"
    assert error.expected == EXPECTED["share"]


def test_it_needs_no_drawdown_rule_where_somebody_switched_drawdown_off() -> None:
    limits = limits_parse({"rules": {"drawdown": {"mode": "off", "reason": "paper account"}}})
    assert limits.drawdown == ()
    assert refused({"rules": {"drawdown": {"mode": "shadow"}}}).field == "drawdown"


@given(DOCUMENTS)
def test_whatever_it_is_given_it_answers_with_limits_or_with_a_sentence(document: Any) -> None:
    assert _sentence(document) in {None, *EXPECTED.values()}


def _sentence(document: Any) -> str | None:
    try:
        limits_parse(document)
    except LimitsError as error:
        return error.expected
    return None


def test_every_field_has_a_sentence_that_says_what_belongs_there() -> None:
    assert set(_paths(Limits)) <= set(EXPECTED)


def _paths(struct: type[msgspec.Struct], prefix: str = "") -> list[str]:
    paths = []
    for field in msgspec.structs.fields(struct):
        path = f"{prefix}{field.name}"
        paths.append(path)
        if path == "drawdown":
            paths += _paths(DrawdownLimit, "drawdown.")
        elif path == "rules":
            paths += _paths(RuleSetting, "rules.")
        elif path == "windows.rules":
            paths += _paths(WindowRule, "windows.rules.")
        elif isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            paths += _paths(field.type, f"{path}.")
    return paths
