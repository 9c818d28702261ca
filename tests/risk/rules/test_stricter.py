"""Limit by limit the stricter of two documents."""

from typing import Any

import pytest
from hypothesis import given, settings

from risk.rules.desk_limits import desk_limits_diff, desk_limits_parse
from risk.rules.limits import Direction, LimitsError, RuleMode, RuleName, limits_parse, tightens
from risk.rules.loosening import Delay, Way
from risk.rules.stricter import desk_limits_stricter, limits_stricter
from tests.risk.accounts import drawdown_rule
from tests.risk.rules.strategies import limits_documents


def document(value: str = "0.05", **parts: Any) -> dict[str, Any]:
    return {"drawdown": [drawdown_rule(value)], **parts}


def stricter(before: dict[str, Any], now: dict[str, Any]) -> Any:
    return limits_stricter(limits_parse(before), limits_parse(now))


def test_what_was_loosened_is_put_back_and_what_was_tightened_stays() -> None:
    before = document("0.05", pace={"max_openings_per_hour": 10}, features={"min_coverage": "0.9"})
    now = document("0.06", pace={"max_openings_per_hour": 5}, features={"min_coverage": "0.8"})
    wanted = document("0.05", pace={"max_openings_per_hour": 5}, features={"min_coverage": "0.9"})
    assert stricter(before, now) == limits_parse(wanted)


def test_a_rule_in_shadow_is_enforced_again() -> None:
    shadow = document(rules={"pace": {"mode": "shadow"}})
    assert stricter(document(), shadow).rule_mode(RuleName.PACE) is RuleMode.ENFORCE
    assert stricter(shadow, document()).rule_mode(RuleName.PACE) is RuleMode.ENFORCE


def test_a_drawdown_rule_or_a_window_that_was_dropped_comes_back() -> None:
    static = drawdown_rule("0.10") | {"name": "static", "mode": "static"}
    window = {"name": "fed", "minutes_before": 60}
    before = document(windows={"rules": [window], "presets": ["mia"]}) | {"drawdown": [drawdown_rule(), static]}
    merged = stricter(before, document(windows={"presets": ["fomc"]}))
    assert [rule.name for rule in merged.drawdown] == ["max_drawdown", "static"]
    assert [rule.name for rule in merged.windows.rules] == ["fed"]
    assert set(merged.windows.presets) == {"mia", "fomc"}


def test_a_window_that_blocked_blocks_again() -> None:
    block, leave = {"name": "fed"}, {"name": "fed", "action": "reduce", "max_quantity": "2", "minutes_before": 90}
    (rule,) = stricter(document(windows={"rules": [block]}), document(windows={"rules": [leave]})).windows.rules
    assert (rule.action, rule.max_quantity, rule.minutes_before) == ("block", None, 90)


def test_caps_and_multipliers_come_back_by_their_instrument_also_one_with_a_dot() -> None:
    cap = {"instrument": "BRK.B", "max_position": "4", "max_notional": "1000"}
    loose = [{**cap, "max_position": "9"}, {"instrument": "ES", "max_position": "1"}]
    before = document(exposure={"instruments": [cap], "multipliers": [{"instrument": "YM.X", "value": "5"}]})
    now = document(exposure={"instruments": loose, "multipliers": [{"instrument": "YM.X", "value": "2"}]})
    wanted = document(exposure={"instruments": [cap, loose[1]], "multipliers": [{"instrument": "YM.X", "value": "5"}]})
    assert stricter(before, now) == limits_parse(wanted)


def test_what_cannot_be_compared_is_as_it_was_before() -> None:
    before = {"drawdown": [drawdown_rule("0.05") | {"mode": "daily", "reset_at": "16:00"}]}
    assert stricter(before, document("0.02")) == limits_parse(before)


@settings(max_examples=60)
@given(limits_documents(), limits_documents())
def test_it_is_never_looser_than_before(before: dict[str, Any], now: dict[str, Any]) -> None:
    merged = stricter(before, now)
    assert tightens(limits_parse(before), merged)
    if tightens(limits_parse(before), limits_parse(now)):
        assert merged == limits_parse(now), "a tightening stays as it is"


def test_a_policy_that_asks_for_less_loosens_also_as_the_first_words_of_the_desk() -> None:
    weaker = desk_limits_parse({"loosening": {"delay": "next_session", "break_glass": True, "review_hours": 48}})
    assert {change.direction for change in desk_limits_diff(None, weaker)} == {Direction.LOOSENS}
    stricter_again = desk_limits_parse({"loosening": {"break_glass": True, "review_hours": 12}})
    found = {change.path: change.direction for change in desk_limits_diff(weaker, stricter_again)}
    assert found == {"loosening.delay": "tightens", "loosening.review_hours": "tightens"}


def test_a_policy_alone_needs_no_drawdown_rule_and_allows_what_it_says() -> None:
    desk = desk_limits_parse({"loosening": {"delay": "next_session"}})
    assert (desk.loosening.delay, desk.limits.drawdown) == (Delay.NEXT_SESSION, ())
    assert desk.loosening.allows(Way.NEXT_SESSION) and not desk.loosening.allows(Way.BREAK_GLASS)
    assert not desk_limits_parse({"drawdown": [drawdown_rule()]}).loosening.allows(Way.NEXT_SESSION)


@pytest.mark.parametrize(
    ("section", "field"),
    [({"delay": "soon"}, "loosening.delay"), ({"review_hours": 0}, "loosening.review_hours"),
     ({"brakeglass": True}, "loosening.brakeglass")],
)  # fmt: skip
def test_a_policy_is_refused_by_name(section: dict[str, Any], field: str) -> None:
    with pytest.raises(LimitsError) as caught:
        desk_limits_parse({"loosening": section})
    assert caught.value.field == field
    assert ("spelling" in caught.value.expected) is (field == "loosening.brakeglass")


def test_the_desk_gets_back_its_policy_and_its_rules() -> None:
    before = desk_limits_parse({"drawdown": [drawdown_rule("0.10")]})
    now = desk_limits_parse({"drawdown": [drawdown_rule("0.20")], "loosening": {"break_glass": True}})
    assert desk_limits_stricter(before, now) == before


def test_the_desk_s_defaults_for_accounts_are_put_back_one_by_one() -> None:
    desk = {"drawdown": [drawdown_rule("0.10")]}
    before = {"pace": {"min_interval_seconds": 30}, "rules": {"features": {"mode": "shadow"}}}
    now = {
        "pace": {"max_openings_per_hour": 20},
        "rules": {"pace": {"mode": "shadow"}},
        "features": {"min_coverage": "0.95"},
    }
    merged = desk_limits_stricter(
        desk_limits_parse(desk | {"accounts": before}), desk_limits_parse(desk | {"accounts": now})
    )
    wanted = {"pace": {"min_interval_seconds": 30}, "features": {"min_coverage": "0.95"}, "rules": {}}
    assert desk_limits_diff(desk_limits_parse(desk | {"accounts": wanted}), merged) == ()
