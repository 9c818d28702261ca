"""Rule `algorithm_register`: only registered algorithms open, each within what its entry allows."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.algorithms import AlgorithmUnreadError
from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.effect import known_quantity
from risk.rules.facts import AlgorithmView, EntryStatus, Facts, RegisteredView
from risk.rules.limits import AlgorithmLimits, Limits, RuleName
from risk.rules.messages import instant, number
from risk.rules.pace import room_at
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason

UNNAMED = "-"


def judge(ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block what is not registered, not approved or withdrawn; hold the rest against the limits of its entry.

    They stand beside the account's own and so can only tighten them. Raises AlgorithmUnreadError where the register
    could not be read: the gate turns that into a block.
    """
    if not limits.algorithms.required:
        return
    view = facts.algorithm
    if view is None and ask.algorithm.strip():
        raise AlgorithmUnreadError
    if view is None or view.entry is None:
        yield _block(reason(ReasonCode.ALGORITHM_UNREGISTERED, {"algorithm": UNNAMED if view is None else view.key}))
    elif not may_open(view, limits.algorithms):
        yield _block(_refused(view.key, view.entry))
    else:
        yield from _pace(view.key, view.entry)
        yield from _size(view.key, view.entry, ask)


def may_open(view: AlgorithmView | None, limits: AlgorithmLimits) -> bool:
    """Return whether the register lets the algorithm open at all; it does where the limits do not ask it."""
    approved = view is not None and view.entry is not None and view.entry.status is EntryStatus.APPROVED
    return approved or not limits.required


def _block(found: Reason) -> Finding:
    return Finding(RuleName.ALGORITHM_REGISTER, Outcome.BLOCK, found)


def _refused(key: str, entry: RegisteredView) -> Reason:
    told = {"algorithm": key, "version": entry.version, "since": instant(entry.since), "reason": entry.reason}
    if entry.status is EntryStatus.WITHDRAWN:
        return reason(ReasonCode.ALGORITHM_WITHDRAWN, told)
    return reason(ReasonCode.ALGORITHM_UNAPPROVED, told | {"status": str(entry.status)})


def _pace(key: str, entry: RegisteredView) -> Iterator[Finding]:
    """The opening after the last that the algorithm's hour has room for; as in `pace.py`, but its own."""
    limit, openings, oldest = entry.max_openings_per_hour, entry.openings_last_hour, entry.oldest_at
    if limit is None or openings < limit:
        return
    evidence = {"algorithm": key, "openings": openings, "limit": limit, "oldest_at": instant(oldest)}
    yield _block(reason(ReasonCode.ALGORITHM_PACE_EXCEEDED, evidence, room_at(openings, limit, oldest)))


def _size(key: str, entry: RegisteredView, ask: Ask) -> Iterator[Finding]:
    """A larger opening is reduced to the entry's cap; without a quantity there is nothing to hold against it."""
    cap, quantity = entry.max_quantity, known_quantity(ask.quantity)
    if cap is None:
        return
    if quantity is None:
        yield _block(reason(ReasonCode.QUANTITY_UNKNOWN, {"decision": ask.decision, "max_quantity": number(cap)}))
    elif quantity > cap:
        evidence = {"algorithm": key, "quantity": number(quantity), "max_quantity": number(cap)}
        found = reason(ReasonCode.ALGORITHM_ORDER_TOO_LARGE, evidence)
        yield Finding(RuleName.ALGORITHM_REGISTER, Outcome.REDUCE, found, max_quantity=cap)
