"""Which reason stops which decision, cell by cell, and the same in the documentation."""

import re
from pathlib import Path

import pytest

from risk.rules.ask import Effect
from risk.rules.codes import ReasonCode
from risk.rules.effects_table import COUNTS_AGAINST, counts
from risk.rules.messages import MESSAGES

DOCUMENT = Path(__file__).parents[3] / "docs" / "reasons.md"
COUNTING = {"blocks", "reduces"}
REDUCING = {
    "algorithm_order_too_large",
    "order_too_large",
    "order_value_too_large",
    "position_cap",
    "notional_cap",
    "window_reduced",
    "memory_order_tightened",
}
# Code by code: does it stop opens, reduces, neutral?
CELLS = {
    "account_halted": (True, True, False),
    "account_reduce_only": (True, False, False),
    "desk_halted": (True, True, False),
    "desk_reduce_only": (True, False, False),
    "client_halted": (True, True, False),
    "client_reduce_only": (True, False, False),
    "algorithm_halted": (True, True, False),
    "algorithm_reduce_only": (True, False, False),
    "algorithm_unknown": (True, False, False),
    "instrument_halted": (True, True, False),
    "instrument_reduce_only": (True, False, False),
    "state_unknown": (True, True, False),
    "limits_missing": (True, False, False),
    "equity_missing": (True, False, False),
    "equity_stale": (True, False, False),
    "equity_held": (True, False, False),
    "positions_missing": (True, False, False),
    "positions_stale": (True, False, False),
    "drawdown_breached": (True, False, False),
    "drawdown_unconfirmed": (True, False, False),
    "drawdown_unknown": (True, False, False),
    "penalty_active": (True, False, False),
    "cooldown": (True, False, False),
    "calendar_missing": (True, False, False),
    "calendar_stale": (True, False, False),
    "blackout": (True, False, False),
    "calendar_horizon": (True, False, False),
    "event_reported": (True, False, False),
    "flat_time": (True, False, False),
    "window_reduced": (True, False, False),
    "session_closed": (True, False, False),
    "session_unknown": (True, False, False),
    "pace_exceeded": (True, False, False),
    "interval_too_short": (True, False, False),
    "messages_exceeded": (True, False, False),
    "duplicate_order": (True, False, False),
    "algorithm_unnamed": (True, False, False),
    "algorithm_disabled": (True, False, False),
    "algorithm_unregistered": (True, False, False),
    "algorithm_unapproved": (True, False, False),
    "algorithm_withdrawn": (True, False, False),
    "algorithm_pace_exceeded": (True, False, False),
    "algorithm_order_too_large": (True, False, False),
    "order_too_large": (True, False, False),
    "quantity_unknown": (True, False, False),
    "order_value_too_large": (True, False, False),
    "position_cap": (True, False, False),
    "notional_cap": (True, False, False),
    "exposure_unknown": (True, False, False),
    "contract_not_allowed": (True, False, False),
    "multiplier_unknown": (True, False, False),
    "price_unknown": (True, False, False),
    "price_outside_collar": (True, False, False),
    "reference_missing": (True, False, False),
    "reference_stale": (True, False, False),
    "self_match": (True, False, False),
    "features_set_missing": (True, False, False),
    "features_set_stale": (True, False, False),
    "feature_coverage_low": (True, False, False),
    "feature_influential_missing": (True, False, False),
    "feature_reference_missing": (True, False, False),
    "feature_drift_high": (True, False, False),
    "memory_missing": (True, False, False),
    "memory_stale": (True, False, False),
    "memory_pace_tightened": (True, False, False),
    "memory_order_tightened": (True, False, False),
    "side_unknown": (False, False, False),
    "position_unknown": (False, False, False),
    "position_stale": (False, False, False),
    "position_flip": (False, False, False),
    "checks_stalled": (True, False, False),
    "clock_skew": (True, False, False),
    "verdict_expired": (True, True, False),
    "invalid_request": (True, True, True),
    "engine_unavailable": (True, False, False),
    "not_recordable": (True, True, True),
}


def documented_table() -> dict[str, tuple[str, ...]]:
    rows = re.findall(r"^\| ([a-z_]+) \| ([a-z-]+) \| ([a-z-]+) \| ([a-z-]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    return {row[0]: row[1:] for row in rows if row[0] != "code"}


@pytest.mark.parametrize("code", list(ReasonCode))
def test_each_reason_counts_against_exactly_these_effects(code: ReasonCode) -> None:
    assert tuple(counts(code, effect) for effect in Effect) == CELLS[code]


def test_the_table_has_every_code_once() -> None:
    assert set(COUNTS_AGAINST) == set(ReasonCode)
    assert set(CELLS) == set(ReasonCode)


@pytest.mark.parametrize("code", list(ReasonCode))
def test_the_documentation_says_the_same_in_each_cell(code: ReasonCode) -> None:
    cells = documented_table()[code]
    assert tuple(cell in COUNTING for cell in cells) == CELLS[code]


def test_the_documentation_tells_causes_from_explanations() -> None:
    explaining = {code for code, cells in documented_table().items() if "explains" in cells}
    assert explaining == {code for code in ReasonCode if not COUNTS_AGAINST[code]}
    assert {code for code, cells in documented_table().items() if "reduces" in cells} == REDUCING


def test_the_documentation_lists_no_code_that_does_not_exist() -> None:
    assert set(documented_table()) == set(ReasonCode)


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_code_is_documented_with_meaning_evidence_and_advice(code: ReasonCode) -> None:
    section = re.search(rf"^### {code}\n(.*?)(?=^##|\Z)", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"{code} has no section in docs/reasons.md"
    text = section[1]
    assert text.index("Evidence:") < text.index("What to do:")
    assert len(text.split("Evidence:")[0].split()) >= 4


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_field_of_a_sentence_is_documented_as_evidence(code: ReasonCode) -> None:
    section = re.search(rf"^### {code}\n(.*?)(?=^##|\Z)", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert section
    documented = set(re.findall(r"`([a-z_]+)`", section[1].split("Evidence:")[1].split("What to do:")[0]))
    assert set(re.findall(r"%\(([a-z_]+)\)s", MESSAGES[code])) <= documented | {"scope"}
