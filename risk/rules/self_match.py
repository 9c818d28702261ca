"""Rule `self_match`: two accounts of one owner do not open against each other in one contract."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.effect import side_of
from risk.rules.facts import Facts
from risk.rules.instruments import covers
from risk.rules.limits import Limits, RuleName, SelfMatchAction
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


class OpposingUnknownError(RuntimeError):
    """The openings of the owner's other accounts could not be read."""


def judge(ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block, or note, an opening whose counterpart may be an opening under way in another account of the owner.

    A side that nobody knows is opposite to every side. Raises OpposingUnknownError where it should block and the
    openings were not read.
    """
    action = limits.self_match.action
    if action is SelfMatchAction.OFF:
        return
    if facts.exposure is None:
        if action is SelfMatchAction.BLOCK:
            raise OpposingUnknownError
        return
    side = side_of(ask)
    opposing = [
        other
        for other in facts.exposure.opposing
        if _same_contract(ask.instrument, other.instrument) and (not side or other.side != side)
    ]
    if opposing:
        evidence = {
            "instrument": ask.instrument,
            "side": str(side or "-"),
            "accounts": ", ".join(sorted({other.account for other in opposing})),
            "since": instant(min(other.at for other in opposing)),
        }
        outcome = Outcome.BLOCK if action is SelfMatchAction.BLOCK else Outcome.NOTE
        yield Finding(RuleName.SELF_MATCH, outcome, reason(ReasonCode.SELF_MATCH, evidence))


def _same_contract(one: str, other: str) -> bool:
    """Whether the two may be one contract: a root alone may be any of its months."""
    return covers(one, other) or covers(other, one)
