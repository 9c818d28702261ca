"""Rule `memory`: limits may require a market memory to trade on, and may let it tighten pace and order size."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.effect import known_quantity
from risk.rules.facts import Facts, MemoryView
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.messages import instant, number
from risk.rules.pace import room_at
from risk.rules.reasons import reason
from risk.rules.tightening import Tightening, tightening
from risk.rules.verdict import Finding, Outcome

CLUSTERS_SHOWN = 20


def judge(ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block without the memory that is required; hold pace and order size against what memory leaves of their limits.

    Only limits that are enforced are tightened.
    """
    yield from _required(facts.memory, limits, now)
    tight = tightening(facts.memory, limits.memory)
    if tight is None or facts.memory is None:
        return
    told = _told(facts.memory, tight, limits)
    if limits.rule_mode(RuleName.PACE) is RuleMode.ENFORCE:
        yield from _pace(facts, limits, tight, told)
    if limits.rule_mode(RuleName.ORDER_SIZE) is RuleMode.ENFORCE:
        yield from _order(ask, limits, tight, told)


def _required(view: MemoryView | None, limits: Limits, now: datetime) -> Iterator[Finding]:
    if not limits.memory.required:
        return
    hours = limits.freshness.memory_hours
    if view is None or not view.cluster_ids:
        yield Finding(RuleName.MEMORY, Outcome.BLOCK, reason(ReasonCode.MEMORY_MISSING, {}))
    elif hours is not None and (view.at is None or now - view.at > timedelta(hours=hours)):
        evidence = {"at": instant(view.at), "max_age_hours": hours}
        yield Finding(RuleName.MEMORY, Outcome.BLOCK, reason(ReasonCode.MEMORY_STALE, evidence))


def _pace(facts: Facts, limits: Limits, tight: Tightening, told: dict[str, object]) -> Iterator[Finding]:
    """The opening after the last that the tightened hour has room for; an unknown pace is the pace rule's to refuse."""
    limit, whole = tight.pace(limits.pace.max_openings_per_hour), limits.pace.max_openings_per_hour
    if facts.pace is None or limit == whole or facts.pace.openings_last_hour < limit:
        return
    oldest, openings = facts.pace.oldest_at, facts.pace.openings_last_hour
    evidence = {"openings": openings, "limit": limit, "untightened": whole, "factor": number(tight.pace_factor)}
    found = reason(ReasonCode.MEMORY_PACE_TIGHTENED, evidence | told, room_at(openings, limit, oldest))
    yield Finding(RuleName.MEMORY, Outcome.BLOCK, found)


def _order(ask: Ask, limits: Limits, tight: Tightening, told: dict[str, object]) -> Iterator[Finding]:
    """A larger opening is reduced to what is left of the cap; an unknown quantity is the size rule's to refuse."""
    whole, quantity = limits.order.max_quantity, known_quantity(ask.quantity)
    if whole is None or quantity is None:
        return
    cap = tight.quantity(whole)
    if cap < whole and quantity > cap:
        evidence = {"quantity": number(quantity), "max_quantity": number(cap), "untightened": number(whole)}
        found = reason(ReasonCode.MEMORY_ORDER_TIGHTENED, evidence | told | {"factor": number(tight.factor)})
        yield Finding(RuleName.MEMORY, Outcome.REDUCE, found, max_quantity=cap)


def _told(view: MemoryView, tight: Tightening, limits: Limits) -> dict[str, object]:
    """The figures, and the clusters they come from."""
    floor = limits.memory.tightening_floor
    return {
        "stress": number(tight.stress),
        "volatile": tight.volatile,
        "volatile_above": number(limits.memory.volatile_above),
        "floor": None if floor is None else number(floor),
        "event_types": list(view.event_types),
        "clusters": list(view.recalled[:CLUSTERS_SHOWN]),
        "recalled": len(view.recalled),
    }
