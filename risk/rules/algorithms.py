"""Rule `algorithms`: after so many openings that nobody reviewed, an algorithm is disabled (RTS 6, article 15(3))."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import AlgorithmView, Facts
from risk.rules.limits import AlgorithmLimits, Limits, RuleMode, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.scopes import algorithm_key
from risk.rules.verdict import Finding, Outcome, Reason


class AlgorithmUnreadError(RuntimeError):
    """What the algorithm has opened since its last review could not be read."""


def judge(ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block every opening of a disabled algorithm, and one that names none where the limits count by name.

    Raises AlgorithmUnreadError where its openings are not known: the gate turns that into a block.
    """
    asked = limits.algorithms
    if asked.max_unreviewed is None:
        return
    if not algorithm_key(ask.algorithm):
        found = reason(ReasonCode.ALGORITHM_UNNAMED, {"decision": ask.decision})
        yield Finding(RuleName.ALGORITHMS, Outcome.BLOCK, found)
        return
    if facts.algorithm is None:
        raise AlgorithmUnreadError
    if facts.algorithm.disabled_at is not None or exhausted(facts.algorithm, asked):
        yield Finding(RuleName.ALGORITHMS, Outcome.BLOCK, _disabled(facts.algorithm, asked))


def exhausted(view: AlgorithmView, limits: AlgorithmLimits) -> bool:
    """Return whether the algorithm has opened as often as it may before somebody reviews it."""
    return limits.max_unreviewed is not None and view.executions >= limits.max_unreviewed


def disables(view: AlgorithmView, limits: Limits) -> bool:
    """Return whether the algorithm is to be disabled: it has opened as often as it may, and the rule is enforced."""
    enforced = limits.rule_mode(RuleName.ALGORITHMS) is RuleMode.ENFORCE
    return enforced and view.disabled_at is None and exhausted(view, limits.algorithms)


def _disabled(view: AlgorithmView, limits: AlgorithmLimits) -> Reason:
    """The figures under which it was disabled, or is about to be."""
    evidence = {
        "algorithm": view.key,
        "executions": view.executions,
        "limit": limits.max_unreviewed if view.limit is None else view.limit,
        "disabled_at": instant(view.disabled_at),
        "reviewed_at": instant(view.reviewed_at),
    }
    return reason(ReasonCode.ALGORITHM_DISABLED, evidence)
