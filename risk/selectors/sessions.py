"""The trading session around a moment: one row of the table that the worker keeps."""

from datetime import datetime

from risk.models import TradingSession
from risk.rules.facts import SessionView
from risk.rules.limits import Limits, SessionHours


def session_view(now: datetime, limits: Limits | None) -> SessionView | None:
    """The session of the account's hours that is open at `now`, else the next one.

    None where the limits ask for no session, or where none is known.
    """
    hours = SessionHours.ANY if limits is None else limits.session.hours
    return None if hours is SessionHours.ANY else session_of(hours, now)


def session_of(hours: SessionHours, now: datetime) -> SessionView | None:
    """The session of `hours` that is open at `now`, else the next one; None where none is known."""
    row = (
        TradingSession.objects.filter(hours=hours.value, closes_at__gt=now)
        .order_by("closes_at")
        .values_list("opens_at", "closes_at")
        .first()
    )
    return None if row is None else SessionView(hours=hours, opens_at=row[0], closes_at=row[1])


def session_next(hours: SessionHours, now: datetime) -> datetime | None:
    """When the next session opens after `now`; an account that trades at any time has Globex's. None: none is known."""
    known = SessionHours.GLOBEX if hours is SessionHours.ANY else hours
    rows = TradingSession.objects.filter(hours=known.value, opens_at__gt=now)
    return rows.order_by("closes_at").values_list("opens_at", flat=True).first()


def feeds_expected(now: datetime, limits: Limits, seconds: int) -> bool:
    """Whether a feed may be called silent after `seconds`: its session has been open for so long.

    While the market is closed nothing is sent, and that is no fault. An account without a session is always expected.
    """
    session = session_view(now, limits)
    if session is None:
        return True
    return session.is_open(now) and (now - session.opens_at).total_seconds() > seconds
