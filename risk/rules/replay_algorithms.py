"""Algorithms of a replayed world: disabled after what it would have let them open, reviewed as people reviewed them."""

from dataclasses import replace
from datetime import datetime

from risk.rules.algorithms import disables
from risk.rules.facts import AlgorithmView, RegisteredView
from risk.rules.limits import Limits
from risk.rules.pace import HOUR
from risk.rules.replay_standing import Standing
from risk.rules.replay_steps import AlgorithmReviewed, Asked
from risk.rules.scopes import algorithm_key


def algorithm_view(
    standing: Standing, limits: Limits | None, step: Asked, entry: RegisteredView | None
) -> AlgorithmView | None:
    """The algorithm of the ask as the gate would find it, with its entry in the register; None where no limits ask."""
    key = algorithm_key(step.ask.algorithm)
    if not key or limits is None or not limits.algorithms.wanted:
        return None
    if entry is not None:
        opened = _lately(standing, key, step.at)
        entry = replace(entry, openings_last_hour=len(opened), oldest_at=min(opened, default=None))
    return replace(_known(standing, key), entry=entry)


def algorithm_opened(standing: Standing, step: Asked) -> None:
    """Counts an opening that was let through."""
    key = algorithm_key(step.ask.algorithm)
    if not key:
        return
    known = _known(standing, key)
    standing.algorithms[key] = replace(known, executions=known.executions + 1)
    standing.algorithm_hours[key] = [*_lately(standing, key, step.at), step.at]


def algorithm_settled(standing: Standing, limits: Limits | None, step: Asked) -> None:
    """Disables the algorithm of the ask where it has opened as often as it may."""
    key = algorithm_key(step.ask.algorithm)
    if key and limits is not None and disables(_known(standing, key), limits):
        most = limits.algorithms.max_unreviewed
        standing.algorithms[key] = replace(_known(standing, key), disabled_at=step.at, limit=most)


def algorithm_reviewed(standing: Standing, step: AlgorithmReviewed) -> None:
    """Its openings count anew, and it is enabled if it was not."""
    standing.algorithms[step.key] = AlgorithmView(key=step.key, reviewed_at=step.at)


def _lately(standing: Standing, key: str, now: datetime) -> list[datetime]:
    return [at for at in standing.algorithm_hours.get(key, ()) if at > now - HOUR]


def _known(standing: Standing, key: str) -> AlgorithmView:
    return standing.algorithms.get(key) or AlgorithmView(key=key)
