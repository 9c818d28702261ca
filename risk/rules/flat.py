"""Rule `flat`: before the close positions are closed, not opened."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts
from risk.rules.limits import FlatLimits, Limits, RuleName
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block from `flat.by` until `flat.until`, in the account's zone."""
    until = flat_until(limits.flat, now, facts.zone)
    if until is not None:
        evidence = {"by": limits.flat.by, "until": limits.flat.until, "zone": facts.zone.key}
        yield Finding(RuleName.FLAT, Outcome.BLOCK, reason(ReasonCode.FLAT_TIME, evidence, until))


def flat_until(limits: FlatLimits, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when positions may be held again if they must be flat at `now`, else None.

    The time to be flat may span midnight. `by` belongs to it, `until` does not.
    """
    if limits.by is None:
        return None
    local = now.astimezone(zone)
    by, until, clock = time.fromisoformat(limits.by), time.fromisoformat(limits.until), local.time()
    inside = by <= clock < until if by < until else clock >= by or clock < until
    if not inside:
        return None
    day = local.date() if clock < until else local.date() + timedelta(days=1)
    return datetime.combine(day, until, tzinfo=zone).astimezone(now.tzinfo)
