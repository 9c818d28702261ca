"""What a broken drawdown limit asks for: the state that floors ask for, and what a bare drawdown figure does.

The live services and the replay of other limits ask here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.rules.drawdown import breached
from risk.rules.facts import SEVERITY, DrawdownView, TradingState
from risk.rules.limits import AllowanceOf, BreachAction, DrawdownLimit, Limits, RuleMode, RuleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What a drawdown that somebody states amounts to: above the limit, and whether that stops the account."""

    rule: DrawdownLimit | None
    penalty: bool
    enforced: bool


def breach_target(
    limits: Limits, views: Sequence[DrawdownView], state: TradingState, *, on_record: bool
) -> TradingState | None:
    """Return the state that broken drawdown rules ask for; None where there is nothing to write: no rule is broken,
    they are off, or the breach is `on_record` and the account stopped that hard already."""
    broken = [view for view in views if breached(view)]
    mode = limits.rule_mode(RuleName.DRAWDOWN)
    if not broken or mode is RuleMode.OFF:
        return None
    halts = any(view.rule.action is BreachAction.HALTED for view in broken)
    target = TradingState.HALTED if halts else TradingState.REDUCE_ONLY
    stops = mode is RuleMode.ENFORCE and SEVERITY[target] > SEVERITY[state]
    return target if stops or not on_record else None


def drawdown_call(limits: Limits | None, drawdown: Decimal) -> Called:
    """Return what `drawdown` (a positive fraction) amounts to; without a limit to hold it against it is too deep."""
    rule = None if limits is None else tightest_fraction(limits)
    mode = RuleMode.ENFORCE if limits is None else limits.rule_mode(RuleName.DRAWDOWN)
    penalty = mode is not RuleMode.OFF if rule is None else drawdown > rule.allowance.value
    return Called(rule=rule, penalty=penalty, enforced=penalty and mode is RuleMode.ENFORCE)


def tightest_fraction(limits: Limits) -> DrawdownLimit | None:
    """Return the fractional rule with the smallest allowance: what a bare drawdown figure is compared with."""
    fractional = [rule for rule in limits.drawdown if rule.allowance.of is not AllowanceOf.AMOUNT]
    return min(fractional, key=lambda rule: rule.allowance.value, default=None)
