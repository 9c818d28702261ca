"""Blackouts announced to people: once before one opens to those who hold something, once when it opens, once when it
is over."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from mia_site.ops.alerts import alert_raise
from mia_site.ops.models import Alert
from mia_site.ops.timings import timed
from risk.locking import calendar_lock
from risk.models import AccountState, WindowAnnouncement
from risk.rules.blackout import NO_MORE, blackout_reasons, blackout_windows, blocking
from risk.rules.facts import EventView
from risk.rules.limits import BlackoutLimits, Limits, RuleMode, RuleName, WindowLimits
from risk.rules.messages import number
from risk.selectors.calendar import events_near
from risk.selectors.limits import limits_readable

DESK_INSTRUMENT = "ES"
"""What the desk trades where nobody says otherwise."""
EVENTS_LENGTH = 2000
ACCOUNTS_SHOWN = 10
Policy = tuple[BlackoutLimits, WindowLimits]
"""Everything in an account's limits that makes windows."""


@dataclass(frozen=True, slots=True)
class _Blackout:
    """A blackout that is on: from when, until when trading may not go on, and because of what."""

    opens_at: datetime
    closes_at: datetime
    events: str


@timed("check_calendar")
def calendar_check(now: datetime) -> int:
    """Announce the blackouts that opened or closed up to `now` (aware); returns how many it announced.

    One per set of window limits in force, not per account: `window_ahead` (priority 3, per account that holds a
    position, its `windows.warn_minutes` before), `window_opened` (priority 3, with the events and
    the minute it ends) and `window_closed` (priority 2). What was announced is remembered, so that a check
    that runs twice, or late, repeats nothing. A blackout that nobody watched begin is announced while it
    lasts.
    """
    with transaction.atomic():
        calendar_lock()
        told = 0
        windows = _windows()
        for row in WindowAnnouncement.objects.filter(closed_at=None).exclude(window__in=map(_key, windows)):
            told += _close(row, now, ())  # its limits are in force no more
        for policy, accounts in windows.items():
            told += _announce(policy, accounts, now)
        told += _warn(now)
    return told


def _windows() -> Mapping[Policy, Sequence[str]]:
    """The window limits in force with the accounts they hold for; the defaults for a desk without
    accounts."""
    found: defaultdict[Policy, list[str]] = defaultdict(list)
    states = AccountState.objects.select_related("account", "limits").order_by("account__code")
    for state in states:
        limits = limits_readable(state)
        if limits is None or limits.rule_mode(RuleName.CALENDAR) is not RuleMode.OFF:
            found[_policy(limits)].append(state.account.code)
    return found if states else {_policy(None): []}


def _policy(limits: Limits | None) -> Policy:
    """What makes windows; a warning makes none."""
    if limits is None:
        return BlackoutLimits(), NO_MORE
    return limits.blackout, WindowLimits(presets=limits.windows.presets, rules=limits.windows.rules)


def _key(policy: Policy) -> str:
    base, more = policy
    name = f"-{base.minutes_before} +{base.minutes_after} >{number(base.impact_above)}"
    return name if more == NO_MORE else f"{name} {hashlib.sha256(msgspec.json.encode(more)).hexdigest()[:16]}"


def _warn(now: datetime) -> int:
    """Tell accounts that hold something of the blackout that opens within their warning time, once."""
    told = 0
    near: dict[Policy, Sequence[EventView]] = {}  # accounts under the same windows see the same events
    states = AccountState.objects.select_related("account", "limits").exclude(positions={}).order_by("account__code")
    for state in states:
        limits = limits_readable(state)
        if limits is not None and limits.rule_mode(RuleName.CALENDAR) is not RuleMode.OFF:
            policy = _policy(limits)
            if policy not in near:
                near[policy] = events_near(now, *policy)
            told += _warn_account(state, limits, near[policy], now)
    return told


def _warn_account(state: AccountState, limits: Limits, events: Sequence[EventView], now: datetime) -> int:
    held = [instrument for instrument, quantity in state.positions.items() if Decimal(quantity)]
    soon = now + timedelta(minutes=limits.windows.warn_minutes)
    told = 0
    for instrument in sorted(held):
        windows = blocking(blackout_windows(events, limits.blackout, instrument, limits.windows))
        coming = [window for window in windows if now < window.opens_at <= soon]
        key = f"{instrument} {coming[0].opens_at.isoformat()}" if coming else ""
        seen = Alert.objects.filter(code="window_ahead", account=state.account.code, dedup_key=key)
        if coming and not any(window.holds(now) for window in windows) and not seen.exists():
            params = {"instrument": instrument, "at": _minute(coming[0].opens_at), "event": coming[0].event.event_type}
            alert_raise("window_ahead", priority=3, params=params, dedup_key=key, account=state.account.code)
            told += 1
    return told


def _announce(limits: Policy, accounts: Sequence[str], now: datetime) -> int:
    rows = WindowAnnouncement.objects.filter(window=_key(limits))
    row = rows.filter(closed_at=None).first()
    blackout = _blackout(limits, now)
    if blackout is None:
        return 0 if row is None else _close(row, now, accounts)
    if row is not None:
        row.events, row.closes_at = blackout.events, blackout.closes_at  # an event may have joined it
        row.save(update_fields=["events", "closes_at"])
        return 0
    if rows.filter(closed_at__gte=now).exists():  # this run was overtaken by a later one
        return 0
    _open(limits, accounts, now, blackout)
    return 1


def _blackout(policy: Policy, now: datetime) -> _Blackout | None:
    limits, more = policy
    events = events_near(now, limits, more)
    zone = ZoneInfo("UTC")
    reasons = blackout_reasons(events, now, limits, zone=zone, instrument=DESK_INSTRUMENT, more=more)
    if not reasons or reasons[0].retry_at is None:
        return None
    active = [
        window for window in blocking(blackout_windows(events, limits, DESK_INSTRUMENT, more)) if window.holds(now)
    ]
    names = dict.fromkeys(
        f"{window.event.event_type} {_minute(window.event.start_at)}"
        for window in active
        if window.event.start_at is not None
    )
    return _Blackout(active[0].opens_at, reasons[0].retry_at, "; ".join(names)[:EVENTS_LENGTH])


def _open(limits: Policy, accounts: Sequence[str], now: datetime, blackout: _Blackout) -> None:
    row = WindowAnnouncement.objects.create(
        window=_key(limits),
        events=blackout.events,
        opens_at=blackout.opens_at,
        closes_at=blackout.closes_at,
        opened_at=now,
    )
    _alert("window_opened", 3, row, accounts, blackout.closes_at)


def _close(row: WindowAnnouncement, now: datetime, accounts: Sequence[str]) -> int:
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    # One whose event was taken back, or whose limits changed, is over before its time.
    _alert("window_closed", 2, row, accounts, min(row.closes_at, now))
    return 1


def _alert(code: str, priority: int, row: WindowAnnouncement, accounts: Sequence[str], until: datetime) -> None:
    shown = ", ".join(accounts[:ACCOUNTS_SHOWN]) + (", …" if len(accounts) > ACCOUNTS_SHOWN else "")
    alert_raise(
        code,
        priority=priority,
        params={"events": row.events, "until": _minute(until), "accounts": shown or "-"},
        dedup_key=f"announcement {row.pk}",
        account=accounts[0] if len(accounts) == 1 else "",
    )


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
