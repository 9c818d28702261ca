"""The gate: every rule judges the same frozen facts, and their findings become one verdict.

Fail closed, exits open: a rule that fails blocks an opening and is only noted on a decision that reduces.
Which finding counts against which decision is `effects_table.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules import (
    algorithm_register,
    algorithms,
    calendar,
    checks,
    clock_skew,
    contracts,
    drawdown_rule,
    duplicates,
    equity,
    exposure,
    features,
    flat,
    limits_present,
    losses,
    memory,
    message_pace,
    order_size,
    pace,
    positions,
    prices,
    self_match,
    session,
    state,
)
from risk.rules.ask import Ask, Effect
from risk.rules.blackout import next_window
from risk.rules.codes import ReasonCode
from risk.rules.effect import declares_opening, effect_of, effect_remarks
from risk.rules.effects_table import counts
from risk.rules.facts import Facts
from risk.rules.limits import AnswerLimits, FreshnessLimits, Limits, RuleMode, RuleName
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason, Shadow, Verdict, VerdictKind

# Judged even without limits, and never in shadow.
ALWAYS: dict[RuleName, Callable[[Ask, Facts, datetime], Iterable[Finding]]] = {
    RuleName.STATE: state.judge,
    RuleName.LIMITS: limits_present.judge,
}
# Judged against the account's limits.
LIMITED: dict[RuleName, Callable[[Ask, Facts, Limits, datetime], Iterable[Finding]]] = {
    RuleName.CLOCK_SKEW: clock_skew.judge,
    RuleName.CHECKS: checks.judge,
    RuleName.EQUITY: equity.judge,
    RuleName.POSITIONS: positions.judge,
    RuleName.DRAWDOWN: drawdown_rule.judge,
    RuleName.LOSSES: losses.judge,
    RuleName.CALENDAR: calendar.judge,
    RuleName.FLAT: flat.judge,
    RuleName.SESSION: session.judge,
    RuleName.PACE: pace.judge,
    RuleName.MESSAGES: message_pace.judge,
    RuleName.DUPLICATES: duplicates.judge,
    RuleName.ALGORITHMS: algorithms.judge,
    RuleName.ALGORITHM_REGISTER: algorithm_register.judge,
    RuleName.ORDER_SIZE: order_size.judge,
    RuleName.CONTRACTS: contracts.judge,
    RuleName.PRICE: prices.judge,
    RuleName.EXPOSURE: exposure.judge,
    RuleName.SELF_MATCH: self_match.judge,
    RuleName.FEATURES: features.judge,
    RuleName.MEMORY: memory.judge,
}


@dataclass(frozen=True, slots=True)
class _EffectView:
    """The effect, why it may surprise, and the fault if it could not be worked out."""

    effect: Effect
    remarks: tuple[Reason, ...] = ()
    doubt: tuple[Finding, ...] = ()


def judge(ask: Ask, facts: Facts, now: datetime) -> Verdict:
    """Answer whether `ask` may be done at `now` (server time), with every reason for and against.

    Raises nothing for anything that a rule does: an opening that cannot be judged is blocked.
    """
    view = _effect(ask, facts, now)
    counting, shadow = _hear(ask, facts, now, view.effect)
    counting = [*view.doubt, *counting]
    blocks = [finding.reason for finding in counting if finding.outcome is Outcome.BLOCK]
    kind = VerdictKind.BLOCK if blocks else VerdictKind.REDUCE if counting else VerdictKind.ALLOW
    return Verdict(
        verdict=kind,
        effect=view.effect,
        reasons=_explained([finding.reason for finding in counting], view.remarks),
        shadow=tuple(shadow),
        max_quantity=_smallest(counting) if kind is VerdictKind.REDUCE else None,
        valid_until=_valid_until(ask, facts, now),
        retry_at=_retry_at(blocks),
    )


def _effect(ask: Ask, facts: Facts, now: datetime) -> _EffectView:
    """Work out the effect; where that fails, the decision counts as an opening and is blocked."""
    freshness = FreshnessLimits() if facts.limits is None else facts.limits.freshness
    max_age = timedelta(seconds=freshness.positions_seconds)
    try:
        effect = effect_of(ask, facts.position, now, max_age)
        if effect is not Effect.OPENS or declares_opening(ask):
            return _EffectView(effect)
        return _EffectView(effect, remarks=tuple(effect_remarks(ask, facts.position, now, max_age)))
    except Exception as error:  # noqa: BLE001 - whatever fails here must not read as allowed
        return _EffectView(Effect.OPENS, doubt=(_failed("effect", error),))


def _hear(ask: Ask, facts: Facts, now: datetime, effect: Effect) -> tuple[list[Finding], list[Shadow]]:
    """Return the findings that count, and those that are only written down."""
    counting: list[Finding] = []
    shadow: list[Shadow] = []
    for name in RuleName:
        mode = RuleMode.ENFORCE if facts.limits is None else facts.limits.rule_mode(name)
        if mode is RuleMode.OFF:
            continue
        for finding in _findings(name, ask, facts, now):
            noted = finding.outcome is Outcome.NOTE
            counted = counts(finding.reason.code, effect)
            if counted and mode is RuleMode.ENFORCE and not noted:
                counting.append(finding)
            elif counted or finding.reason.code is ReasonCode.ENGINE_UNAVAILABLE:
                shadow.append(Shadow(finding, counts=counted and not noted))
    return counting, shadow


def _findings(name: RuleName, ask: Ask, facts: Facts, now: datetime) -> list[Finding]:
    """Return what one rule found, up to and including its own failure."""
    found: list[Finding] = []
    try:
        if name in ALWAYS:
            found.extend(ALWAYS[name](ask, facts, now))
        elif facts.limits is not None:
            found.extend(LIMITED[name](ask, facts, facts.limits, now))
    except Exception as error:  # noqa: BLE001 - whatever fails in a rule must not read as allowed
        found.append(_failed(name, error))
        if name is RuleName.STATE:
            unknown = reason(ReasonCode.STATE_UNKNOWN, {"scope": "account"})
            found.append(Finding(name, Outcome.BLOCK, unknown))
    return found


def _failed(name: str, error: Exception) -> Finding:
    evidence = {"rule": str(name), "error": type(error).__name__}
    return Finding(str(name), Outcome.BLOCK, reason(ReasonCode.ENGINE_UNAVAILABLE, evidence))


def _explained(reasons: list[Reason], remarks: Iterable[Reason]) -> tuple[Reason, ...]:
    """Add to a refusal why the decision counted as an opening; an allow needs no explanation. What several rules say in
    the same words, such as that the quantity is unknown, is said once."""
    if not reasons:
        return ()
    said = {item.code for item in reasons}
    distinct: dict[tuple[ReasonCode, str], Reason] = {}
    for item in reasons:
        distinct.setdefault((item.code, item.message), item)
    return (*distinct.values(), *(remark for remark in remarks if remark.code not in said))


def _smallest(findings: Iterable[Finding]) -> Decimal | None:
    return min((found.max_quantity for found in findings if found.max_quantity is not None), default=None)


def _valid_until(ask: Ask, facts: Facts, now: datetime) -> datetime:
    """Return until when the answer holds: never past the opening of the next window, or the end of the session, that
    is enforced."""
    limits = facts.limits
    if limits is None:
        return now + timedelta(seconds=AnswerLimits().valid_seconds)
    until = now + timedelta(seconds=limits.answer.valid_seconds)
    ends = facts.session.closes_at if facts.session is not None and facts.session.is_open(now) else None
    if ends is not None and limits.rule_mode(RuleName.SESSION) is RuleMode.ENFORCE:
        until = min(until, ends)
    if limits.rule_mode(RuleName.CALENDAR) is not RuleMode.ENFORCE:
        return until
    try:
        coming = next_window(facts.calendar.events, now, limits.blackout, ask.instrument, limits.windows)
    except Exception:  # noqa: BLE001 - the calendar rule met the same fault and blocked every opening
        return until
    return until if coming is None else min(until, coming[0])


def _retry_at(blocks: Sequence[Reason]) -> datetime | None:
    times = [item.retry_at for item in blocks if item.retry_at is not None]
    return max(times) if times and len(times) == len(blocks) else None
