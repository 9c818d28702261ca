"""When a stop ends by itself, and which way that moves the limits."""

from datetime import timedelta
from typing import Any

import pytest

from risk.rules.limits import LimitsError, limits_parse, tightens
from risk.rules.resume import stop_until
from risk.rules.stricter import limits_stricter
from tests.risk.accounts import drawdown_rule
from tests.risk.rules.given import NOW

HOUR = timedelta(hours=1)
NEVER: dict[str, Any] = {}
SESSION = {"resume": "next_session"}
MINUTES = {"resume": "after_minutes", "resume_minutes": 90}


def limits(*choices: dict[str, Any]) -> Any:
    return limits_parse({"drawdown": [drawdown_rule() | {"name": f"r{n}"} | each for n, each in enumerate(choices)]})


@pytest.mark.parametrize(
    ("choices", "hours"),
    [
        ((NEVER,), None),
        ((SESSION,), 3),
        ((MINUTES,), 1.5),
        ((SESSION, MINUTES), 3),
        ((SESSION, NEVER), None),
    ],
)
def test_the_longest_of_the_broken_rules_counts(choices: tuple[dict[str, Any], ...], hours: float | None) -> None:
    until = stop_until(limits(*choices).drawdown, NOW, NOW + 3 * HOUR)
    assert until == (None if hours is None else NOW + hours * HOUR)


def test_without_a_known_session_nothing_ends_by_itself() -> None:
    assert stop_until(limits(SESSION).drawdown, NOW, None) is None


def test_to_resume_by_itself_loosens_and_never_to_tightens() -> None:
    assert tightens(limits(SESSION), limits(NEVER)) and not tightens(limits(NEVER), limits(SESSION))
    assert not tightens(limits(SESSION), limits(MINUTES)) and not tightens(limits(MINUTES), limits(SESSION))
    longer = limits(MINUTES | {"resume_minutes": 120})
    assert tightens(limits(MINUTES), longer) and not tightens(longer, limits(MINUTES))
    assert limits_stricter(limits(NEVER), limits(MINUTES)) == limits(NEVER)


@pytest.mark.parametrize("wrong", [{"resume": "after_minutes"}, {"resume_minutes": 5}, {"resume": "soon"}])
def test_minutes_belong_to_after_minutes_only(wrong: dict[str, Any]) -> None:
    with pytest.raises(LimitsError):
        limits(wrong)
