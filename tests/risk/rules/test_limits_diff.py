"""Two versions of the limits compared: what tightens may apply at once, what loosens may not."""

from typing import Any

import pytest
from hypothesis import given

from risk.rules.limits import Change, Direction, Limits, limits_diff, limits_parse, tightens
from tests.risk.rules.strategies import limits_documents

TRAILING = {
    "name": "max_drawdown",
    "mode": "trailing_intraday",
    "allowance": {"of": "reference", "value": "0.05"},
}
DAILY = {"name": "daily_loss", "mode": "daily", "allowance": {"of": "amount", "value": "2000"}}


def parsed(*rules: dict[str, Any], **sections: Any) -> Limits:
    return limits_parse({"drawdown": list(rules or (TRAILING,)), **sections})


def only_change(old: Limits, new: Limits) -> Change:
    (change,) = limits_diff(old, new)
    return change


@pytest.mark.parametrize(
    ("section", "tighter", "looser"),
    [
        ("pace.max_openings_per_hour", 5, 10),
        ("pace.min_interval_seconds", 60, 0),
        ("order.max_quantity", "2", "3"),
        ("order.max_quantity", "2", None),
        ("freshness.equity_seconds", 60, 120),
        ("freshness.positions_seconds", 60, 120),
        ("freshness.calendar_hours", 12, 24),
        ("freshness.positions_required", True, False),
        ("freshness.memory_hours", 12, 24),
        ("freshness.memory_hours", 12, None),
        ("freshness.features_days", 30, 90),
        ("freshness.features_days", 30, None),
        ("freshness.checks_seconds", 90, 180),
        ("flat.by", "15:55", None),
        ("memory.tightening_floor", "0.5", "0.8"),
        ("memory.tightening_floor", "0.5", None),
        ("memory.volatile_above", "0.5", "0.7"),
        ("plausibility.max_move", "0.1", "0.2"),
        ("plausibility.max_move", "0.1", None),
        ("confirmation.points", None, 3),
        ("confirmation.points", 2, 3),
        ("confirmation.seconds", None, 30),
        ("confirmation.seconds", 30, 60),
        ("losses.max_consecutive", 3, 5),
        ("losses.max_consecutive", 3, None),
        ("losses.max_per_trade", "50", "100"),
        ("losses.max_per_trade", "50", None),
        ("losses.penalty_minutes", 120, 60),
        ("losses.cooldown_after_stop_minutes", 30, 0),
        ("losses.cooldown_after_loss_minutes", 5, 0),
        ("blackout.minutes_before", 45, 30),
        ("blackout.minutes_after", 45, 30),
        ("blackout.impact_above", "0.5", "0.7"),
        ("calendar.horizon_hours", 72, 0),
        ("session.hours", "regular", "globex"),
        ("session.hours", "globex", "any"),
        ("features.min_coverage", "0.95", "0.9"),
        ("features.required_top", 20, 10),
        ("features.max_drift", "0.3", "0.4"),
        ("features.max_drift", "0.4", None),
        ("memory.required", True, False),
        ("clock.max_skew_seconds", 2, 5),
        ("answer.valid_seconds", 3, 5),
    ],
)
def test_it_knows_which_way_each_number_tightens(section: str, tighter: Any, looser: Any) -> None:
    group, field = section.split(".")
    strict, lax = parsed(**{group: {field: tighter}}), parsed(**{group: {field: looser}})
    assert only_change(lax, strict).direction is Direction.TIGHTENS
    assert only_change(strict, lax).direction is Direction.LOOSENS
    assert only_change(lax, strict).path == section
    assert tightens(lax, strict) and not tightens(strict, lax)


def test_a_smaller_allowance_tightens_and_a_larger_one_loosens() -> None:
    small = parsed(TRAILING | {"allowance": {"of": "reference", "value": "0.04"}})
    change = only_change(parsed(), small)
    assert change.path == "drawdown.max_drawdown.allowance.value"
    assert (str(change.old), str(change.new)) == ("0.05", "0.04")
    assert change.direction is Direction.TIGHTENS
    assert not tightens(small, parsed())


def test_adding_a_drawdown_rule_tightens_and_removing_one_loosens() -> None:
    one, two = parsed(TRAILING), parsed(TRAILING, DAILY)
    assert only_change(one, two).direction is Direction.TIGHTENS
    assert only_change(two, one).direction is Direction.LOOSENS
    assert only_change(two, one).path == "drawdown.daily_loss"


def test_another_mode_cannot_be_compared_so_it_loosens() -> None:
    changed = parsed(TRAILING | {"mode": "static"})
    assert only_change(parsed(), changed).direction is Direction.LOOSENS
    assert not tightens(changed, parsed())


def test_another_kind_of_allowance_loosens_even_where_its_figure_is_smaller() -> None:
    changed = parsed(TRAILING | {"allowance": {"of": "initial", "value": "0.01"}})
    assert {change.direction for change in limits_diff(parsed(), changed)} == {Direction.LOOSENS}


def test_halting_instead_of_reducing_tightens() -> None:
    halting = parsed(TRAILING | {"action": "HALTED"})
    assert tightens(parsed(), halting)
    assert not tightens(halting, parsed())


def test_a_second_way_to_be_confirmed_tightens() -> None:
    three = parsed(confirmation={"points": 3})
    either = parsed(confirmation={"points": 3, "seconds": 30})
    assert tightens(three, either) and not tightens(either, three)


@pytest.mark.parametrize(("tighter", "looser"), [("0.5", "0.8"), ("0.8", None)])
def test_an_earlier_alert_tightens(tighter: str, looser: str | None) -> None:
    strict, lax = parsed(TRAILING | {"alert_at": tighter}), parsed(TRAILING | {"alert_at": looser})
    assert tightens(lax, strict) and not tightens(strict, lax)


def test_a_floor_that_stops_rising_loosens_a_trailing_rule_and_means_nothing_to_a_daily_one() -> None:
    assert not tightens(parsed(), parsed(TRAILING | {"stops_rising_at_initial": True}))
    change = only_change(parsed(DAILY), parsed(DAILY | {"stops_rising_at_initial": True}))
    assert change.direction is Direction.NEUTRAL


def test_another_reset_time_loosens_a_daily_rule_and_means_nothing_to_a_trailing_one() -> None:
    assert not tightens(parsed(DAILY), parsed(DAILY | {"reset_at": "00:00"}))
    assert only_change(parsed(), parsed(TRAILING | {"reset_at": "00:00"})).direction is Direction.NEUTRAL


@pytest.mark.parametrize("changed", [{"by": "15:30"}, {"by": "15:55", "until": "18:00"}])
def test_another_time_to_be_flat_cannot_be_compared_so_it_loosens(changed: dict[str, str]) -> None:
    assert not tightens(parsed(flat={"by": "15:55"}), parsed(flat=changed))


def test_until_when_to_be_flat_means_nothing_without_a_time_to_be_flat() -> None:
    assert only_change(parsed(), parsed(flat={"until": "18:00"})).direction is Direction.NEUTRAL


@pytest.mark.parametrize(
    ("old", "new", "is_tighter"),
    [
        ("enforce", "shadow", False),
        ("enforce", "off", False),
        ("shadow", "off", False),
        ("off", "shadow", True),
        ("shadow", "enforce", True),
    ],
)
def test_turning_a_rule_down_loosens(old: str, new: str, is_tighter: bool) -> None:
    before = parsed(rules={"pace": {"mode": old, "reason": "because"}})
    after = parsed(rules={"pace": {"mode": new, "reason": "because"}})
    assert only_change(before, after).path == "rules.pace.mode"
    assert tightens(before, after) is is_tighter


def test_a_rule_that_is_not_named_is_enforced() -> None:
    assert limits_diff(parsed(), parsed(rules={"pace": {"mode": "enforce"}})) == ()
    assert not tightens(parsed(), parsed(rules={"pace": {"mode": "shadow"}}))


def test_another_reason_is_shown_and_is_neutral() -> None:
    before = parsed(rules={"pace": {"mode": "off", "reason": "trial"}})
    after = parsed(rules={"pace": {"mode": "off", "reason": "holiday"}})
    assert only_change(before, after) == Change("rules.pace.reason", "trial", "holiday", Direction.NEUTRAL)


def windowed(**fields: Any) -> Limits:
    jobs = {"name": "jobs", "event_types": ["payroll"], "instruments": ["ES"]}
    return parsed(windows={"rules": [jobs | fields]})


@pytest.mark.parametrize(
    ("field", "tighter", "looser"),
    [
        ("minutes_before", 45, 30),
        ("minutes_after", 45, 30),
        ("impact_above", "0.5", "0.7"),
        ("event_types", ["payroll", "cpi"], ["payroll"]),
        ("event_types", [], ["payroll"]),
        ("instruments", [], ["ES"]),
    ],
)
def test_it_knows_which_way_each_part_of_a_window_tightens(field: str, tighter: Any, looser: Any) -> None:
    strict, lax = windowed(**{field: tighter}), windowed(**{field: looser})
    assert only_change(lax, strict).path == f"windows.rules.jobs.{field}"
    assert tightens(lax, strict) and not tightens(strict, lax)


def test_a_window_that_leaves_less_or_blocks_tightens() -> None:
    two = windowed(action="reduce", max_quantity="2")
    one = windowed(action="reduce", max_quantity="1")
    assert tightens(two, one) and not tightens(one, two)
    assert tightens(one, windowed()) and not tightens(windowed(), one)


def test_one_more_window_tightens_and_one_less_loosens() -> None:
    assert tightens(parsed(), windowed()) and not tightens(windowed(), parsed())
    fomc = parsed(windows={"presets": ["fomc"]})
    assert only_change(parsed(), fomc).path == "windows.presets.fomc"
    assert tightens(parsed(), fomc) and not tightens(fomc, parsed())


def test_other_events_in_a_window_loosen_and_an_earlier_warning_means_nothing() -> None:
    assert not tightens(windowed(), windowed(event_types=["cpi"]))
    assert only_change(parsed(), parsed(windows={"warn_minutes": 5})).direction is Direction.NEUTRAL


def test_one_loosening_among_many_tightenings_is_a_loosening() -> None:
    stricter = parsed(pace={"max_openings_per_hour": 1}, order={"max_quantity": "1"}, answer={"valid_seconds": 6})
    assert not tightens(parsed(), stricter)


@given(limits_documents())
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    limits = limits_parse(document)
    assert limits_diff(limits, limits) == ()
    assert tightens(limits, limits)


@given(limits_documents(), limits_documents())
def test_a_change_that_tightens_never_tightens_on_the_way_back(first: dict[str, Any], second: dict[str, Any]) -> None:
    old, new = limits_parse(first), limits_parse(second)
    strict = {change.path for change in limits_diff(old, new) if change.direction is Direction.TIGHTENS}
    back = {change.path for change in limits_diff(new, old) if change.direction is Direction.TIGHTENS}
    assert not strict & back
    assert {change.path for change in limits_diff(old, new)} == {change.path for change in limits_diff(new, old)}


@given(limits_documents(), limits_documents(), limits_documents())
def test_two_tightenings_in_a_row_are_one_tightening(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    # A section of the later document is taken only where it tightens, so that chains really occur.
    low = limits_parse(first)
    middle = _tightened(low, first, second)
    high = _tightened(middle[0], middle[1], third)
    assert tightens(low, middle[0]) and tightens(middle[0], high[0])
    assert tightens(low, high[0])


def _tightened(limits: Limits, document: dict[str, Any], other: dict[str, Any]) -> tuple[Limits, dict[str, Any]]:
    for section, value in other.items():
        tried = limits_parse(document | {section: value})
        if tightens(limits, tried):
            limits, document = tried, document | {section: value}
    return limits, document
