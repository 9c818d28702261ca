"""The trading state of a replayed world: stops, those beneath a timed one, and what holds again after it."""

from collections.abc import Callable
from datetime import datetime

from risk.rules.facts import SEVERITY, TradingState
from risk.rules.replay_standing import Change, Standing


class States:
    """Moves the state of `standing`; each that begins is told to `changed`."""

    def __init__(self, standing: Standing, changed: Callable[[Change], None]) -> None:
        self._standing, self._changed = standing, changed

    def enter(self, change: Change) -> None:
        """A state begins."""
        standing = self._standing
        if change.by_limit and SEVERITY[change.state] > SEVERITY[standing.state]:
            standing.stopped_at = change.at
        if change.until is None:
            standing.changes.clear()  # nothing that came before can hold again
        standing.changes.append(change)
        standing.state, standing.since, standing.until = change.state, change.at, change.until
        standing.overdue = None
        self._changed(change)

    def own_stop(self) -> Change | None:
        """The limit's own stop that is in force and has a time."""
        standing = self._standing
        return standing.changes[-1] if standing.until is not None and standing.changes[-1].by_limit else None

    def end(self, seq: int, now: datetime, *, own: Change | None, broken: bool) -> None:
        """The timed stop is over: what held beneath it holds again. `own`: it was a limit's, now above its floors;
        `broken`: a breach is on record, which another stop does not end."""
        standing = self._standing
        beneath = next((old for old in reversed(standing.changes) if old.until is None or old.until > now), None)
        to, until = TradingState.REDUCE_ONLY if broken and own is None else TradingState.ACTIVE, None
        if beneath is not None and beneath.state is not TradingState.ACTIVE:
            to, until = beneath.state, beneath.until
        elif own is not None:
            standing.penalty = False
        self.enter(Change(seq=seq, at=now, state=to, until=until, rule="" if own is None else own.rule))
