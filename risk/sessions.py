"""Write service of the trading sessions: computed ahead, so that a question only looks one row up."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from mia_site.ops.timings import timed
from risk.models import SessionOverride, TradingSession
from risk.rules.limits import SessionHours
from risk.rules.session_hours import LIBRARY, Session, globex_sessions

BACK = timedelta(days=60)
AHEAD = timedelta(days=400)
CODES = {SessionHours.GLOBEX: "CMES", SessionHours.REGULAR: "XNYS"}


@timed("refresh_sessions")
def sessions_refresh(now: datetime) -> int:
    """Bring the table to what is known of the sessions from 60 days before `now` to 400 after; returns how many.

    Later knowledge wins: the library's, then what CME published, then what staff entered. Rows of other days stay as
    they are.
    """
    first, last = (now - BACK).date(), (now + AHEAD).date()
    rows = [row for hours in CODES for row in _rows(hours, first, last)]
    with transaction.atomic():
        TradingSession.objects.filter(day__gte=first, day__lte=last).delete()
        TradingSession.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _rows(hours: SessionHours, first: date, last: date) -> Iterator[TradingSession]:
    known: Iterable[Session] = _library(CODES[hours], first, last)
    if hours is SessionHours.GLOBEX:
        known = globex_sessions(known)
    sessions = {session.day: session for session in known}
    for override in SessionOverride.objects.filter(hours=hours, day__gte=first, day__lte=last):
        before = sessions.pop(override.day, None)
        changed = _overridden(override, before)
        if changed is not None:
            sessions[override.day] = changed
    for session in sessions.values():
        yield TradingSession(
            hours=hours.value, day=session.day, opens_at=session.opens_at, closes_at=session.closes_at,
            source=session.source[:500],
        )  # fmt: skip


def _overridden(override: SessionOverride, before: Session | None) -> Session | None:
    """What staff made of a day; None where it is closed, or where half of a day that nobody knows was entered."""
    opens = override.opens_at or (before.opens_at if before else None)
    closes = override.closes_at or (before.closes_at if before else None)
    if override.closed or opens is None or closes is None or opens >= closes:
        return None
    return Session(override.day, opens, closes, override.source)


def _library(code: str, first: date, last: date) -> Iterator[Session]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of pandas 4, raised within the library
        import exchange_calendars

        calendar: Any = exchange_calendars.get_calendar(code, start=str(first), end=str(last))
        days = list(calendar.schedule[["open", "close"]].itertuples())
    for day, opens, closes in days:
        source = f"{LIBRARY} {exchange_calendars.__version__} {code}"
        yield Session(day.date(), opens.to_pydatetime(), closes.to_pydatetime(), source)
