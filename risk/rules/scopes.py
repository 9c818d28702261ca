"""Which asks a stop of one client, algorithm or instrument concerns, and which trading state they meet."""

from collections.abc import Iterable

from risk.rules.ask import Ask
from risk.rules.facts import SEVERITY, ScopedStopView, StopScope, TradingState
from risk.rules.instruments import covers


def algorithm_key(name: str) -> str:
    """An algorithm's name as it is compared: its case and the spaces around it tell no two algorithms apart."""
    return name.strip().casefold()


def concerns(stop: ScopedStopView, ask: Ask) -> bool:
    """Return whether the stop is one of the ask's client, algorithm or instrument; "ES" also stops "ESZ6",
    and "ESZ6" also "ESZ26"."""
    if stop.scope is StopScope.CLIENT:
        return stop.key == ask.client
    if stop.scope is StopScope.ALGORITHM:
        return stop.key == algorithm_key(ask.algorithm)
    return covers(stop.key, ask.instrument)


def unnamed(stop: ScopedStopView, ask: Ask) -> bool:
    """Return whether the ask names no algorithm, so that it may be the one that is stopped."""
    return stop.scope is StopScope.ALGORITHM and not algorithm_key(ask.algorithm)


def strictest(states: Iterable[TradingState], stops: Iterable[ScopedStopView], ask: Ask) -> TradingState:
    """Return the state that an ask meets: the strictest of `states` and of the stops that concern it.

    One that names no algorithm while one is stopped may only reduce.
    """
    met = list(states)
    for stop in stops:
        if concerns(stop, ask):
            met.append(stop.view.state)
        elif unnamed(stop, ask):
            met.append(TradingState.REDUCE_ONLY)
    return max(met, key=SEVERITY.__getitem__)
