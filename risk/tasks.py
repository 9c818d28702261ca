"""Periodic work of the risk app: each task reads the clock and calls one service."""

from celery import shared_task

from mia_site.ops.clock import database_now
from risk.risk_controller import drawdown_check
from risk.sessions import sessions_refresh
from risk.trade_window_filter import calendar_check, calendar_refresh


@shared_task(name="risk.tasks.check_drawdown", acks_late=True)
def check_drawdown() -> None:
    """Judges every account as it stands: the safety net behind the judgement of each equity point."""
    drawdown_check()


@shared_task(name="risk.tasks.check_calendar", acks_late=True)
def check_calendar() -> None:
    """Announces blackouts that open or close."""
    calendar_check(database_now())


@shared_task(name="risk.tasks.refresh_calendar", acks_late=True)
def refresh_calendar() -> None:
    """Reads the files of the macro calendar again."""
    calendar_refresh()


@shared_task(name="risk.tasks.refresh_sessions", acks_late=True)
def refresh_sessions() -> None:
    """Computes the trading sessions of the coming year."""
    sessions_refresh(database_now())
