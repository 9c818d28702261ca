"""Rule `pace`: so many openings an hour, and so much time between two of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts, PaceView
from risk.rules.limits import Limits, PaceLimits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason

HOUR = timedelta(hours=1)


class PaceUnknownError(RuntimeError):
    """The openings of the last hour could not be counted."""


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block the opening after the last that the hour has room for, and one that follows too soon.

    Raises PaceUnknownError where the pace is not known: the gate turns that into a block.
    """
    if facts.pace is None:
        raise PaceUnknownError
    for found in (_too_many(facts.pace, limits.pace), _too_soon(facts.pace, limits.pace, now)):
        if found is not None:
            yield Finding(RuleName.PACE, Outcome.BLOCK, found)


def room_at(openings: int, limit: int, oldest: datetime | None) -> datetime | None:
    """Return when an hour that holds `limit` openings has room again: an hour after the oldest of them.

    None above the limit (it was lowered meanwhile): more than the oldest must pass, and nobody knows when.
    """
    return oldest + HOUR if oldest is not None and openings == limit else None


def _too_many(pace: PaceView, limits: PaceLimits) -> Reason | None:
    if pace.openings_last_hour < limits.max_openings_per_hour:
        return None
    retry_at = room_at(pace.openings_last_hour, limits.max_openings_per_hour, pace.oldest_at)
    evidence = {
        "openings": pace.openings_last_hour,
        "limit": limits.max_openings_per_hour,
        "oldest_at": None if pace.oldest_at is None else instant(pace.oldest_at),
    }
    return reason(ReasonCode.PACE_EXCEEDED, evidence, retry_at)


def _too_soon(pace: PaceView, limits: PaceLimits, now: datetime) -> Reason | None:
    interval = timedelta(seconds=limits.min_interval_seconds)
    if pace.last_opening_at is None or now - pace.last_opening_at >= interval:
        return None
    evidence = {
        "last_opening_at": instant(pace.last_opening_at),
        "min_interval_seconds": limits.min_interval_seconds,
    }
    return reason(ReasonCode.INTERVAL_TOO_SHORT, evidence, pace.last_opening_at + interval)
