"""Blackout windows around macro events: which events, which instruments, from when until when.

A window is [start - minutes_before, start + minutes_after], both ends included, around every event whose
impact is strictly above the limit. It concerns an instrument if the event's currency is the instrument's; an
event without a currency, or an instrument that is not known here, is always concerned.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from risk.rules.codes import ReasonCode
from risk.rules.limits import BlackoutLimits
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.types import EventView, Reason

CURRENCY_OF_ROOT = {"ES": "USD", "MES": "USD", "NQ": "USD", "MNQ": "USD"}
# A root, optionally with the letter of a delivery month and the year: ES, ESM5, MESZ25, NQH2026.
_CONTRACT = re.compile(r"^(?P<root>MES|MNQ|ES|NQ)(?:[FGHJKMNQUVXZ][0-9]{1,4})?$")


@dataclass(frozen=True, slots=True)
class Window:
    """One event's blackout, both ends included."""

    event: EventView
    opens_at: datetime
    closes_at: datetime


def blackout_windows(events: Iterable[EventView], limits: BlackoutLimits, instrument: str = "") -> tuple[Window, ...]:
    """Return the windows that concern `instrument`, earliest first. Events without a start have none."""
    before, after = timedelta(minutes=limits.minutes_before), timedelta(minutes=limits.minutes_after)
    windows = [
        Window(event, event.start_at - before, event.start_at + after)
        for event in events
        if event.start_at is not None and concerns(event, limits, instrument)
    ]
    return tuple(sorted(windows, key=lambda window: (window.opens_at, window.event.event_id)))


def blackout_reasons(
    events: Sequence[EventView],
    now: datetime,
    limits: BlackoutLimits,
    *,
    zone: ZoneInfo,
    instrument: str = "",
    event_reported: bool = False,
) -> tuple[Reason, ...]:
    """Return why the calendar alone blocks an opening at `now`, empty where it does not.

    `event_reported` is the caller's own word that an event is active: then a high-impact event of the same
    day in `zone`, or one without a start time, blocks too. Low impact alone never does.
    """
    windows = blackout_windows(events, limits, instrument)
    found = []
    active = [window for window in windows if window.opens_at <= now <= window.closes_at]
    if active:
        until = _end_of_chain(windows, active)
        evidence = _evidence([window.event for window in active]) | {"until": instant(until)}
        found.append(reason(ReasonCode.BLACKOUT, evidence, until))
    if event_reported:
        today = now.astimezone(zone).date()
        reported = [
            event
            for event in events
            if concerns(event, limits, instrument)
            and (event.start_at is None or event.start_at.astimezone(zone).date() == today)
        ]
        if reported:
            found.append(reason(ReasonCode.EVENT_REPORTED, _evidence(reported)))
    return tuple(found)


def next_window(
    events: Iterable[EventView], now: datetime, limits: BlackoutLimits, instrument: str = ""
) -> tuple[datetime, datetime] | None:
    """Return when the next blackout opens after `now` and when it closes, overlapping ones taken together."""
    coming = [window for window in blackout_windows(events, limits, instrument) if window.opens_at > now]
    return (coming[0].opens_at, _end_of_chain(coming, coming[:1])) if coming else None


def concerns(event: EventView, limits: BlackoutLimits, instrument: str) -> bool:
    """Return whether `event` has a high impact and moves `instrument`."""
    if not event.impact > limits.impact_above:
        return False
    currency = instrument_currency(instrument)
    return event.currency is None or currency is None or event.currency.upper() == currency


@lru_cache(maxsize=256)
def instrument_currency(instrument: str) -> str | None:
    """Return the currency whose events concern `instrument`; None where the instrument is not known."""
    contract = _CONTRACT.match(instrument.strip().upper())
    return CURRENCY_OF_ROOT[contract["root"]] if contract else None


def _end_of_chain(windows: Sequence[Window], active: Sequence[Window]) -> datetime:
    """Return when trading may go on: windows that begin before the last one ends are waited for too."""
    until = max(window.closes_at for window in active)
    for window in windows:
        if window.opens_at <= until:
            until = max(until, window.closes_at)
    return until


def _evidence(events: Sequence[EventView]) -> dict[str, object]:
    return {
        "names": "; ".join(f"{event.event_type} {instant(event.start_at)}" for event in events),
        "events": [
            {
                "event_id": event.event_id,
                "event_type": event.event_type,
                "start_at": None if event.start_at is None else instant(event.start_at),
                "impact": number(event.impact),
                "currency": event.currency,
            }
            for event in events
        ],
    }
