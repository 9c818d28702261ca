"""The rule against repeated execution, judged on plain values."""

from typing import Any

import pytest

from risk.rules import algorithms
from risk.rules.facts import AlgorithmView
from risk.rules.gate import judge
from risk.rules.limits import tightens
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ago, ask, exit_one, facts, limits

REVIEWED = limits(algorithms={"max_unreviewed": 100})


def known(executions: int, **changes: Any) -> AlgorithmView:
    return AlgorithmView(key="trend", executions=executions, **changes)


def found(view: AlgorithmView | None, under: Any = REVIEWED, name: str = "Trend") -> list[str]:
    judged = algorithms.judge(ask(algorithm=name), facts(algorithm=view), under, NOW)
    return [finding.reason.code.value for finding in judged]


@pytest.mark.parametrize(("executions", "blocked"), [(0, False), (99, False), (100, True), (101, True)])
def test_the_hundredth_opening_without_a_review_is_the_last(executions: int, blocked: bool) -> None:
    assert found(known(executions)) == (["algorithm_disabled"] if blocked else [])


def test_what_is_disabled_stays_so_under_a_higher_limit_and_says_under_which_it_was() -> None:
    view = known(50, disabled_at=ago(days=3), limit=50)
    (finding,) = algorithms.judge(ask(algorithm="trend"), facts(algorithm=view), REVIEWED, NOW)
    assert finding.reason.evidence == {
        "algorithm": "trend", "executions": 50, "limit": 50, "disabled_at": "2025-05-04T15:00:00Z", "reviewed_at": "-",
    }  # fmt: skip
    assert finding.reason.retry_at is None, "no hour enables it"


def test_a_name_that_is_left_out_slips_past_nothing() -> None:
    assert found(None, name=" ") == ["algorithm_unnamed"]


def test_nobody_counts_unless_the_limits_do() -> None:
    assert found(None, limits(), name="") == [] == found(known(500, disabled_at=NOW), limits())


def test_an_exit_of_a_disabled_algorithm_passes() -> None:
    given = facts(limits=REVIEWED, algorithm=known(100, disabled_at=NOW, limit=100))
    assert judge(ask(algorithm="trend"), given, NOW).verdict is VerdictKind.BLOCK
    assert judge(exit_one(algorithm="trend"), given, NOW).verdict is VerdictKind.ALLOW


def test_openings_that_could_not_be_counted_block() -> None:
    verdict = judge(ask(algorithm="trend"), facts(limits=REVIEWED), NOW)
    assert [reason.code.value for reason in verdict.reasons] == ["engine_unavailable"]


def test_fewer_unreviewed_openings_tighten_and_any_number_loosens() -> None:
    fewer = limits(algorithms={"max_unreviewed": 50})
    assert tightens(limits(), REVIEWED) and tightens(REVIEWED, fewer)
    assert not tightens(fewer, REVIEWED) and not tightens(REVIEWED, limits())
