"""When the stop of broken drawdown rules ends by itself: only where every one of them says so."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from risk.rules.limits import DrawdownLimit, ResumeWhen


def stop_until(broken: Iterable[DrawdownLimit], stopped_at: datetime, session: datetime | None) -> datetime | None:
    """Return until when the stop holds at least; None: until somebody resumes.

    `session` is when the next session opens after `stopped_at`, None where that is not known.
    """
    ends = [_end(rule, stopped_at, session) for rule in broken]
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None


def _end(rule: DrawdownLimit, stopped_at: datetime, session: datetime | None) -> datetime | None:
    if rule.resume is ResumeWhen.NEXT_SESSION:
        return session
    return None if rule.resume_minutes is None else stopped_at + timedelta(minutes=rule.resume_minutes)
