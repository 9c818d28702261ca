"""Sentences of the desk itself are found again in what was recorded; a person's words never are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mia_site.ops.sentences import sentence_parts
from risk.rules.sentences import BREACH, STOP_ENDED, TEMPLATES

FIGURES = st.from_regex(r"[0-9A-Z_.-]{1,12}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{1,5}", fullmatch=True)
NAMES = {name for template in TEMPLATES for name in re.findall(r"%\((\w+)\)s", template)}
FILLED = dict.fromkeys(NAMES, FIGURES) | {"value": NUMBERS}


def test_a_breach_is_found_again_with_its_figures() -> None:
    text = "equity 94000 is below the floor 95000 of max_drawdown (drawdown 0.06, allowance 0.05 of reference)"

    assert sentence_parts(text) == (BREACH, {
        "equity": "94000", "floor": "95000", "rule": "max_drawdown", "drawdown": "0.06",
        "allowance": "0.05 of reference",
    })  # fmt: skip


def test_the_reason_of_a_stop_that_ended_may_have_lines_and_colons() -> None:
    text = "the stop was set until 2025-05-07T18:30:00+00:00: broker: no answer\nsince noon"

    assert sentence_parts(text) == (
        STOP_ENDED, {"until": "2025-05-07T18:30:00+00:00", "reason": "broker: no answer\nsince noon"},
    )  # fmt: skip


@pytest.mark.parametrize("words", ["", "Market conditions", "drawdown", "equity is below the floor", "a stop"])
def test_what_a_person_wrote_is_nobodys_sentence(words: str) -> None:
    assert sentence_parts(words) is None


@given(template=st.sampled_from(TEMPLATES), figures=st.fixed_dictionaries(FILLED))
def test_every_sentence_says_the_same_when_it_is_read_back(template: str, figures: dict[str, str]) -> None:
    found = sentence_parts(template % figures)

    assert found is not None
    assert found[0] % found[1] == template % figures
    assert found[0] == template
