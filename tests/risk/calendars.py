"""What tests of the macro calendar share: small files, an account with limits, alerts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_text, alerts_outside_flush
from mia_site.ops.models import Alert
from risk.accounts import account_open
from risk.calendar_import import CalendarReading, calendar_import
from risk.limits_law import limits_submit
from risk.models import Account

ACTOR = Actor("system", "test")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
HEADER = "start_time,type,impact"
DRAWDOWN = {
    "name": "max_drawdown",
    "mode": "trailing_intraday",
    "allowance": {"of": "reference", "value": "0.05"},
}


def calendar_file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def event(start: datetime, name: str = "FOMC", impact: str = "1.0") -> str:
    return f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f},{name},{impact}"


def load(*rows: str, header: str = HEADER, source: str = "mia") -> CalendarReading:
    """Imports a calendar of these rows."""
    data = calendar_file(*rows, header=header)
    return calendar_import(source, data, name="macro_events.csv", actor=ACTOR)


def desk_account(code: str = "ES-DEMO", *, zone: str = "America/Chicago", **limits: Any) -> Account:
    """An account with limits; `limits` are further parts of the document."""
    account = account_open(code, initial_balance="50000", timezone=zone, actor=ACTOR)
    limits_submit(code, {"drawdown": [DRAWDOWN], **limits}, actor=ACTOR, reason="a test's limits")
    return account


def raised(code: str) -> list[Alert]:
    """The alerts of one code, oldest first, those of doomed transactions included."""
    alerts_outside_flush()
    return list(Alert.objects.filter(code=code).order_by("created_at", "id"))


def told(alert: Alert) -> str:
    return alert_text(alert, "en")
