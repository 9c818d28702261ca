"""Rule `drawdown`: equity below a floor opens nothing; a drawdown nobody measured is not a small one."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.drawdown import breached
from risk.rules.facts import DoubtView, DrawdownView, Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason


def judge(_ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block for every drawdown rule of the limits that is breached, in doubt, or not measured as it stands."""
    views = {view.rule.name: view for view in facts.drawdowns}
    for rule in limits.drawdown:
        view = views.get(rule.name)
        if view is None or view.rule != rule:
            found = reason(ReasonCode.DRAWDOWN_UNKNOWN, {"rule": rule.name})
            yield Finding(RuleName.DRAWDOWN, Outcome.BLOCK, found)
        elif breached(view):
            found = reason(ReasonCode.DRAWDOWN_BREACHED, drawdown_evidence(view))
            yield Finding(RuleName.DRAWDOWN, Outcome.BLOCK, found)
    for doubt in facts.doubts:
        yield Finding(RuleName.DRAWDOWN, Outcome.BLOCK, _unconfirmed(doubt))


def _unconfirmed(doubt: DoubtView) -> Reason:
    evidence = {
        "rule": doubt.rule,
        "equity": number(doubt.equity),
        "floor": number(doubt.floor),
        "since": instant(doubt.since),
        "points": doubt.points,
    }
    return reason(ReasonCode.DRAWDOWN_UNCONFIRMED, evidence)


def drawdown_evidence(view: DrawdownView) -> dict[str, str]:
    """Return the numbers of one drawdown rule, as text, for reasons, state changes and alerts."""
    return {
        "rule": view.rule.name,
        "mode": view.rule.mode.value,
        "equity": number(view.equity),
        "reference": number(view.reference),
        "floor": number(view.floor),
        "drawdown": number(view.drawdown),
        "allowance_of": view.rule.allowance.of.value,
        "allowance": number(view.rule.allowance.value),
        "action": view.rule.action.value,
    }
