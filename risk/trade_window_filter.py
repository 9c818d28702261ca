"""The trade window filter: `block_trade` of the specification, and the announcements of blackouts.

`block_trade` never fails open: on any trouble it answers "blocked".
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from django.db import connection, transaction

from mia_site.ops.alerts import alert_raise, alert_raise_outside
from mia_site.ops.clock import database_now
from mia_site.ops.deadline import TROUBLE, deadline_watch, missed, reading_within, transaction_within
from mia_site.ops.retry import DATABASE_AWAY, Deadline, retry_within, with_retries
from mia_site.ops.timings import timed
from risk.alert_texts import NO_ACCOUNT
from risk.calendar_import import CalendarReading, calendar_import
from risk.calendar_sources import calendar_refresh
from risk.calendar_windows import DESK_INSTRUMENT, calendar_check
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import Account, AccountState, Desk
from risk.rules.blackout import blackout_reasons
from risk.rules.calendar import calendar_age_reasons, calendar_horizon_reasons
from risk.rules.codes import ReasonCode
from risk.rules.limits import BlackoutLimits, CalendarLimits, FreshnessLimits, Limits, WindowLimits
from risk.rules.reasons import reason
from risk.rules.verdict import Reason
from risk.selectors.calendar import calendar_view
from risk.selectors.limits import limits_of

__all__ = [
    "CalendarReading",
    "WindowAnswer",
    "block_trade",
    "calendar_check",
    "calendar_import",
    "calendar_refresh",
    "trade_window",
]
log = structlog.get_logger(__name__)
INSTRUMENT_LENGTH = 32
ERROR_LENGTH = 500
CODE_LENGTH = 32


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """Whether the calendar blocks a trade, and why; `reasons` is empty where it does not."""

    blocked: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked. `account` None: the only one there is. `at` None: now."""

    event_active: bool
    account: str | None
    instrument: str
    at: datetime | None

    def check(self) -> None:
        """Raises `InputError`: a question that was not understood must not be answered "go on"."""
        if not isinstance(self.event_active, bool):
            raise InputError("event_active", self.event_active, "true or false")
        if not isinstance(self.instrument, str) or not 0 < len(self.instrument) <= INSTRUMENT_LENGTH:
            raise InputError("instrument", self.instrument, f"1 to {INSTRUMENT_LENGTH} characters, such as ES")
        if self.at is not None and (not isinstance(self.at, datetime) or self.at.tzinfo is None):
            raise InputError("at", self.at, "a time with its time zone")


def block_trade(
    event_active: bool,
    *,
    account: str | None = None,
    instrument: str = DESK_INSTRUMENT,
    at: datetime | None = None,
) -> bool:
    """Whether the macro calendar blocks a trade; the specification's `block_trade`.

    Blocked inside the window of a high-impact event (limits of `account`, which may be left out where there
    is only one; else 30 minutes each side, both ends included, impact above 0.7), and where the calendar is
    missing or stale. `event_active` (a plain bool) is the caller's own report: when true, a high-impact
    event of the same day in the account's time zone, or one without a start time, blocks too. With `at`
    (aware) the calendar alone is judged for that moment. Never raises: on any trouble it alerts and answers
    True.
    """
    return trade_window(event_active, account=account, instrument=instrument, at=at).blocked


def trade_window(
    event_active: bool,
    *,
    account: str | None = None,
    instrument: str = DESK_INSTRUMENT,
    at: datetime | None = None,
    deadline: Deadline | None = None,
    sleep: Callable[[float], None] | None = None,
) -> WindowAnswer:
    """As `block_trade`, with the reasons.

    `engine_unavailable` or `invalid_request` stands for what could not be judged. The mode of the gate's
    calendar rule (enforce, shadow, off) changes nothing here: this is what the calendar says. A locked
    database is asked 3 times, after 2 and 4 seconds, or within `deadline` where a request has one.
    """
    question = _Question(event_active, account, instrument, at)
    try:
        with timed("block_trade"):
            question.check()
            if deadline is None:
                return with_retries(lambda: _answer(question), retry_on=DATABASE_AWAY, sleep=sleep)
            with deadline_watch("block_trade", deadline, account=str(account or "")[:CODE_LENGTH]):
                return retry_within(deadline, lambda: _answer(question, deadline), sleep=sleep)
    except Exception as error:
        log.exception("block_trade_failed", account=str(account))
        if deadline is None or not (isinstance(error, TROUBLE) and missed(deadline, error)):  # that has its own alert
            _failure_alert(str(account or "")[:CODE_LENGTH], error)
        return WindowAnswer(True, (_trouble(error),))


def _failure_alert(account: str, error: Exception) -> None:
    params = {"account": account or NO_ACCOUNT, "error": f"{type(error).__name__}: {error}"[:ERROR_LENGTH]}
    alert_raise_outside("window_check_failed", priority=3, account=account, params=params)


def _trouble(error: Exception) -> Reason:
    if isinstance(error, InputError | AccountUnknown):
        return reason(ReasonCode.INVALID_REQUEST, {"detail": str(error)[:ERROR_LENGTH]})
    return reason(ReasonCode.ENGINE_UNAVAILABLE, {"rule": "calendar", "error": type(error).__name__})


def _answer(question: _Question, deadline: Deadline | None = None) -> WindowAnswer:
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()  # a second try needs a connection that works
    with nullcontext() if deadline is None else reading_within(deadline):
        state = _state(question.account)
        limits = None if state is None else limits_of(state)
        zone = ZoneInfo(Account._meta.get_field("timezone").default) if state is None else state.account.zone
        reasons = _judge(question, limits, zone)
    if reasons and question.at is None:
        code = "" if state is None else state.account.code
        _block_alert(question, code, reasons, deadline)
    return WindowAnswer(bool(reasons), reasons)


def _state(account: str | None) -> AccountState | None:
    """The account's state; None where nobody was named and there is no account at all (the defaults hold)."""
    states = AccountState.objects.select_related("account", "limits")
    if account is not None:
        state = states.filter(account__code=account).first()
        if state is None:
            raise AccountUnknown(account)
        return state
    found = list(states.order_by("pk")[:2])
    if len(found) > 1:
        raise InputError("account", None, "the code of one of several accounts")
    return found[0] if found else None


def _judge(question: _Question, limits: Limits | None, zone: ZoneInfo) -> tuple[Reason, ...]:
    desk = Desk.objects.filter(id=1).first() or Desk(id=1)
    now = question.at or database_now()
    calendar = calendar_view(now, limits, desk, event_reported=question.event_active, zone=zone)
    freshness = FreshnessLimits() if limits is None else limits.freshness
    # About another moment than now only a calendar that was never read has nothing to say.
    aged_at = now if question.at is None else (calendar.refreshed_at or now)
    return (
        *calendar_age_reasons(calendar, freshness, aged_at),
        *calendar_horizon_reasons(calendar, CalendarLimits() if limits is None else limits.calendar, aged_at),
        *blackout_reasons(
            calendar.events,
            now,
            BlackoutLimits() if limits is None else limits.blackout,
            zone=zone,
            instrument=question.instrument,
            event_reported=question.event_active,
            more=WindowLimits() if limits is None else limits.windows,
        ),
    )


def _block_alert(question: _Question, account: str, reasons: tuple[Reason, ...], deadline: Deadline | None) -> None:
    """One alert for the block: its events if there are any, else the calendar's own trouble. Where it cannot be written
    in time it is written outside, and the answer does not wait for it."""
    events = {
        event["event_id"]: f"{event['event_type']} {event['start_at'] or ''}".rstrip()
        for found in reasons
        for event in found.evidence.get("events", ())
    }
    params: dict[str, str | int]
    if events:
        code, key = "trade_blocked", f"{question.instrument} {' '.join(sorted(events))}"
        params = {"instrument": question.instrument, "events": "; ".join(dict.fromkeys(events.values()))}
    else:
        code, key, params = reasons[0].code.value, "", dict(reasons[0].evidence)
    params["account"] = account or NO_ACCOUNT
    try:
        with transaction.atomic() if deadline is None else transaction_within(deadline):
            alert_raise(code, priority=3, params=params, dedup_key=key, account=account)
    except TROUBLE:
        log.exception("alert_not_written", code=code, account=account)
        alert_raise_outside(code, priority=3, params=params, dedup_key=key, account=account)
