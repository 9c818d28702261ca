"""Rule `state`: what the trading states of the desk, of the account and of what the ask names let through."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts, ScopedStopView, StateView, StopScope, TradingState
from risk.rules.limits import RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.scopes import concerns, unnamed
from risk.rules.verdict import Finding, Outcome

_CODES = {
    ("account", TradingState.HALTED): ReasonCode.ACCOUNT_HALTED,
    ("account", TradingState.REDUCE_ONLY): ReasonCode.ACCOUNT_REDUCE_ONLY,
    ("desk", TradingState.HALTED): ReasonCode.DESK_HALTED,
    ("desk", TradingState.REDUCE_ONLY): ReasonCode.DESK_REDUCE_ONLY,
    (StopScope.CLIENT, TradingState.HALTED): ReasonCode.CLIENT_HALTED,
    (StopScope.CLIENT, TradingState.REDUCE_ONLY): ReasonCode.CLIENT_REDUCE_ONLY,
    (StopScope.ALGORITHM, TradingState.HALTED): ReasonCode.ALGORITHM_HALTED,
    (StopScope.ALGORITHM, TradingState.REDUCE_ONLY): ReasonCode.ALGORITHM_REDUCE_ONLY,
    (StopScope.INSTRUMENT, TradingState.HALTED): ReasonCode.INSTRUMENT_HALTED,
    (StopScope.INSTRUMENT, TradingState.REDUCE_ONLY): ReasonCode.INSTRUMENT_REDUCE_ONLY,
}


def judge(ask: Ask, facts: Facts, now: datetime) -> Iterator[Finding]:
    """Block in REDUCE_ONLY and HALTED, and where a state is not known.

    A stop whose `until` has passed still counts until its lifting is recorded: a state is what the facts say. While
    an algorithm is stopped, an opening that names none is blocked: it may be that one.
    """
    for scope, view in (("desk", facts.desk_state), ("account", facts.state)):
        if view is None:
            yield _block(ReasonCode.STATE_UNKNOWN, {"scope": scope})
        elif view.state is not TradingState.ACTIVE:
            yield _stopped(_CODES[scope, view.state], view, now)
    for stop in facts.stops:
        if concerns(stop, ask):
            yield _stopped(_CODES[stop.scope, stop.view.state], stop.view, now, stop)
        elif unnamed(stop, ask):
            yield _stopped(ReasonCode.ALGORITHM_UNKNOWN, stop.view, now, stop)


def _stopped(code: ReasonCode, view: StateView, now: datetime, stop: ScopedStopView | None = None) -> Finding:
    due = view.until if view.until is not None and view.until > now else None
    evidence = {
        "state": view.state.value,
        "since": instant(view.since),
        "reason": view.reason or "-",
        "until": None if view.until is None else instant(view.until),
    }
    if stop is not None:
        evidence |= {"scope": stop.scope.value, "key": stop.key, "account": stop.account}
    return _block(code, evidence, due)


def _block(code: ReasonCode, evidence: dict[str, str | None], retry_at: datetime | None = None) -> Finding:
    return Finding(RuleName.STATE, Outcome.BLOCK, reason(code, evidence, retry_at))
