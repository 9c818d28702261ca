"""Account over desk, key by key; every value knows where it comes from."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.rules.desk_limits import desk_limits_diff, desk_limits_dump, desk_limits_parse
from risk.rules.limits import LimitsError, limits_dump, limits_parse
from risk.rules.limits_own import Source, defaults_parse, document_over, own_part, sourced

STATIC = {"name": "static_loss", "mode": "static", "allowance": {"of": "amount", "value": "2000"}}
TRAILING = {"name": "max_drawdown", "mode": "trailing_intraday", "allowance": {"of": "reference", "value": "0.05"}}
DEFAULTS: dict[str, Any] = {"drawdown": [TRAILING, STATIC], "pace": {"max_openings_per_hour": 6}}


def effective(own: dict[str, Any], defaults: dict[str, Any] = DEFAULTS) -> dict[str, Any]:
    return limits_dump(limits_parse(document_over(own, defaults_parse(defaults))))


def test_an_account_that_sets_nothing_has_what_the_desk_says() -> None:
    body = effective({})
    assert [rule["name"] for rule in body["drawdown"]] == ["max_drawdown", "static_loss"]
    assert (body["pace"]["max_openings_per_hour"], body["pace"]["min_interval_seconds"]) == (6, 0)


def test_its_own_keys_go_over_the_desk_s_and_the_others_stay() -> None:
    own = {
        "drawdown": [TRAILING | {"allowance": {"of": "reference", "value": "0.03"}}],
        "pace": {"min_interval_seconds": 30},
        "order": {"max_quantity": "2"},
    }
    body = effective(own)
    assert {rule["name"]: rule["allowance"]["value"] for rule in body["drawdown"]} == {
        "max_drawdown": "0.03", "static_loss": "2000",
    }  # fmt: skip
    assert (body["pace"]["max_openings_per_hour"], body["pace"]["min_interval_seconds"]) == (6, 30)
    found = {(item.section, item.name): item.source for item in sourced(body, own, defaults_parse(DEFAULTS))}
    assert found["drawdown", "max_drawdown"] is found["order", "max_quantity"] is Source.OWN
    assert found["drawdown", "static_loss"] is found["pace", "max_openings_per_hour"] is Source.DESK
    assert found["freshness", "equity_seconds"] is Source.DEFAULT


def test_null_of_its_own_lifts_a_cap_of_the_desk() -> None:
    defaults = DEFAULTS | {"order": {"max_quantity": "3"}}
    assert effective({}, defaults)["order"]["max_quantity"] == "3"
    assert effective({"order": {"max_quantity": None}}, defaults)["order"]["max_quantity"] is None


def test_without_a_word_on_what_it_set_everything_is_the_account_s_own() -> None:
    assert {item.source for item in sourced(effective({}), None, DEFAULTS)} == {Source.OWN}


def test_the_setting_of_a_rule_is_one_key() -> None:
    off = {"mode": "off", "reason": "no model yet"}
    body = effective({"rules": {"features": {"mode": "enforce"}}}, DEFAULTS | {"rules": {"features": off, "pace": off}})
    assert body["rules"] == {"features": {"mode": "enforce", "reason": ""}, "pace": off}


def test_a_fault_is_named_by_its_place() -> None:
    with pytest.raises(LimitsError, match=r"drawdown\[0\]\.allowance\.value"):
        effective({"drawdown": [TRAILING | {"allowance": {"of": "reference", "value": "5"}}]})
    faulty: tuple[Any, ...] = ({"speed": {}}, {"pace": 5}, {"pace": {"max_openings_per_hour": 0}}, {"rules": []}, [1])
    for defaults in faulty:
        with pytest.raises(LimitsError, match=r"^accounts"):
            desk_limits_parse({"accounts": defaults})


def test_a_desk_s_document_of_defaults_alone_is_whole() -> None:
    desk = desk_limits_parse({"accounts": {"pace": {"max_openings_per_hour": "6"}}})
    assert desk.accounts == {"pace": {"max_openings_per_hour": 6}}
    assert desk.limits.drawdown == ()
    assert desk_limits_parse(desk_limits_dump(desk)) == desk


def test_what_defaults_change_is_told_with_its_direction() -> None:
    old = desk_limits_parse({"accounts": {"pace": {"max_openings_per_hour": 6}, "order": {"max_quantity": "2"}}})
    new = desk_limits_parse({"accounts": {"pace": {"max_openings_per_hour": 4}, "drawdown": [TRAILING]}})
    found = {change.path: change.direction.value for change in desk_limits_diff(old, new)}
    assert found == {
        "accounts.drawdown.max_drawdown": "tightens", "accounts.pace.max_openings_per_hour": "tightens",
        "accounts.order.max_quantity": "loosens",
    }  # fmt: skip


NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        "pace": st.fixed_dictionaries(
            {}, optional={"max_openings_per_hour": st.integers(1, 9), "min_interval_seconds": st.integers(0, 9)}
        ),
        "order": st.fixed_dictionaries({}, optional={"max_quantity": st.sampled_from(["1", "2.5", None])}),
        "drawdown": st.lists(st.sampled_from([TRAILING, STATIC]), unique_by=lambda rule: str(rule["name"])),
    },
)


@settings(max_examples=30)
@given(own=NUMBERS, defaults=NUMBERS)
def test_each_value_is_that_of_its_source(own: dict[str, Any], defaults: dict[str, Any]) -> None:
    off = {"rules": {"drawdown": {"mode": "off", "reason": "not under test"}}}
    own, defaults = own | off, defaults_parse(defaults)
    body = effective(own, defaults)
    part = own_part(own, body)
    assert effective(part, defaults) == body, "its own part says the same over the same defaults"
    nothing = effective(off, {})
    for item in sourced(body, own, defaults):
        said = {Source.OWN: part, Source.DESK: defaults, Source.DEFAULT: nothing}[item.source][item.section]
        values = {rule["name"]: rule for rule in said} if item.section == "drawdown" else said
        assert values[item.name] == item.value
