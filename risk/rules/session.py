"""Rule `session`: no opening outside the trading session that the limits ask for."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts, SessionView
from risk.rules.limits import Limits, RuleName, SessionHours
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome, Reason


def judge(_ask: Ask, facts: Facts, limits: Limits, now: datetime) -> Iterator[Finding]:
    """Block outside the session, and where nobody knows the sessions around `now`."""
    if limits.session.hours is SessionHours.ANY:
        return
    found = session_reason(facts.session, limits.session.hours, now)
    if found is not None:
        yield Finding(RuleName.SESSION, Outcome.BLOCK, found)


def session_reason(session: SessionView | None, hours: SessionHours, now: datetime) -> Reason | None:
    """Why there is no session of `hours` at `now`; None inside one. A session ends before its last instant."""
    if session is None or session.hours is not hours or now >= session.closes_at:
        return reason(ReasonCode.SESSION_UNKNOWN, {"hours": hours.value})
    if session.is_open(now):
        return None
    evidence = {"hours": hours.value, "opens_at": instant(session.opens_at)}
    return reason(ReasonCode.SESSION_CLOSED, evidence, session.opens_at)
