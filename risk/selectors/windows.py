"""The windows of a stretch of time: for feeds, pages and warnings."""

from datetime import datetime

from risk.rules.blackout import NO_MORE, blackout_windows
from risk.rules.facts import EventView
from risk.rules.limits import BlackoutLimits, Limits
from risk.rules.window_spans import Span, spans_of
from risk.selectors.calendar import events_between


def spans_between(
    since: datetime, until: datetime, limits: Limits | None, instrument: str
) -> tuple[tuple[Span, ...], tuple[EventView, ...]]:
    """The spans that touch [since, until] by the account's windows, and every event looked at, waived ones too.

    The default windows where no limits were set.
    """
    blackout, more = (BlackoutLimits(), NO_MORE) if limits is None else (limits.blackout, limits.windows)
    events = events_between(since, until, blackout, more)
    spans = spans_of(blackout_windows(events, blackout, instrument, more))
    return tuple(span for span in spans if span.closes_at >= since and span.opens_at <= until), events
