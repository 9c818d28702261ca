"""When the stop of broken drawdown rules ends by itself: only where every one of them says so.

The live services and the replay of other limits ask here.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from risk.rules.drawdown import breached
from risk.rules.facts import DrawdownView
from risk.rules.limits import DrawdownLimit, ResumeWhen


def stop_until(broken: Iterable[DrawdownLimit], stopped_at: datetime, session: datetime | None) -> datetime | None:
    """Return until when the stop holds at least; None: until somebody resumes.

    `session` is when the next session opens after `stopped_at`, None where that is not known.
    """
    ends = [_end(rule, stopped_at, session) for rule in broken]
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None


def resumes_at(
    broken: Sequence[DrawdownView], stopped_at: datetime, next_session: Callable[[datetime], datetime | None]
) -> datetime | None:
    """Return the same for broken rules as measured; `next_session` says when one opens after a time."""
    rules = [view.rule for view in broken]
    waits = any(rule.resume is ResumeWhen.NEXT_SESSION for rule in rules)
    return stop_until(rules, stopped_at, next_session(stopped_at) if waits else None)


def never_resumes(views: Iterable[DrawdownView]) -> bool:
    """Return whether a broken rule never ends its stop by itself: it outlasts the stop of one that does."""
    return any(view.rule.resume is ResumeWhen.NEVER for view in views if breached(view))


def may_resume(rules: Iterable[DrawdownLimit], stopped_by: str, views: Iterable[DrawdownView], *, doubt: bool) -> bool:
    """Return whether the stop of the rule with this name ends once its time is over: the limits still say so, every
    rule is above its floor, and no point is in `doubt`."""
    resume = {rule.name: rule.resume for rule in rules}.get(stopped_by, ResumeWhen.NEVER)
    return not doubt and resume is not ResumeWhen.NEVER and not any(map(breached, views))


def _end(rule: DrawdownLimit, stopped_at: datetime, session: datetime | None) -> datetime | None:
    if rule.resume is ResumeWhen.NEXT_SESSION:
        return session
    return None if rule.resume_minutes is None else stopped_at + timedelta(minutes=rule.resume_minutes)
