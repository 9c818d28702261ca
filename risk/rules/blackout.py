"""Windows around macro events: which events, which instruments, from when until when, and what they do.

A window is [start - minutes_before, end + minutes_after], both ends included, around every event whose impact is
strictly above the window's limit; most events end when they start. Windows only add (`window_presets.py`): an event is
closed for as long as any of them says. An event concerns an instrument if its currency is the instrument's; an event
without a currency, or an instrument that is not known here, is always concerned. What staff closed by hand is closed
exactly as long as they said; what two persons waived has no window.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from risk.rules.codes import ReasonCode
from risk.rules.facts import EventView
from risk.rules.instruments import covers
from risk.rules.limits import BlackoutLimits, WindowAction, WindowLimits, WindowRule
from risk.rules.messages import instant, number
from risk.rules.reasons import reason
from risk.rules.verdict import Reason
from risk.rules.window_presets import window_rules

CURRENCY_OF_ROOT = {"ES": "USD", "MES": "USD", "NQ": "USD", "MNQ": "USD"}
NO_MORE = WindowLimits()


@dataclass(frozen=True, slots=True)
class Window:
    """One event's window, both ends included. `max_quantity` is set where it reduces."""

    event: EventView
    opens_at: datetime
    closes_at: datetime
    action: WindowAction = WindowAction.BLOCK
    max_quantity: Decimal | None = None

    def holds(self, now: datetime) -> bool:
        """Whether `now` lies inside, ends included."""
        return self.opens_at <= now <= self.closes_at


def blackout_windows(
    events: Iterable[EventView], limits: BlackoutLimits, instrument: str = "", more: WindowLimits = NO_MORE
) -> tuple[Window, ...]:
    """Return the windows that concern `instrument`, earliest first. Events without a start have none."""
    rules = window_rules(limits, more)
    windows = [window for event in events for window in _windows_of(event, rules, instrument)]
    return tuple(sorted(windows, key=lambda window: (window.opens_at, window.event.event_id)))


def blackout_reasons(
    events: Sequence[EventView],
    now: datetime,
    limits: BlackoutLimits,
    *,
    zone: ZoneInfo,
    instrument: str = "",
    event_reported: bool = False,
    more: WindowLimits = NO_MORE,
) -> tuple[Reason, ...]:
    """Return why the calendar alone blocks an opening at `now`, empty where it does not.

    `event_reported` is the caller's own word that an event is active: then a high-impact event of the same
    day in `zone`, or one without a start time, blocks too. Low impact alone never does.
    """
    windows = blocking(blackout_windows(events, limits, instrument, more))
    found = []
    active = [window for window in windows if window.holds(now)]
    if active:
        until = end_of_chain(windows, active)
        evidence = window_evidence(active, until)
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
    events: Iterable[EventView],
    now: datetime,
    limits: BlackoutLimits,
    instrument: str = "",
    more: WindowLimits = NO_MORE,
) -> tuple[datetime, datetime] | None:
    """Return when the next window opens after `now` and when it closes, overlapping ones taken together."""
    coming = [window for window in blackout_windows(events, limits, instrument, more) if window.opens_at > now]
    return (coming[0].opens_at, end_of_chain(coming, coming[:1])) if coming else None


def blocking(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return those that stop openings."""
    return tuple(window for window in windows if window.action is WindowAction.BLOCK)


def concerns(event: EventView, limits: BlackoutLimits, instrument: str) -> bool:
    """Return whether `event` has a high impact, moves `instrument`, and was not waived."""
    high = event.by_staff or event.impact > limits.impact_above
    return high and not event.waived and moves(event, instrument)


def moves(event: EventView, instrument: str) -> bool:
    """Return whether the event's currency is the instrument's, or one of the two is not known."""
    currency = instrument_currency(instrument)
    return event.currency is None or currency is None or event.currency.upper() == currency


@lru_cache(maxsize=256)
def instrument_currency(instrument: str) -> str | None:
    """Return the currency whose events concern `instrument`, a root or a contract; None where it is not known."""
    name = instrument.strip().upper()
    return next((currency for root, currency in CURRENCY_OF_ROOT.items() if covers(root, name)), None)


def end_of_chain(windows: Sequence[Window], active: Sequence[Window]) -> datetime:
    """Return when trading may go on: windows that begin before the last one ends are waited for too."""
    until = max(window.closes_at for window in active)
    for window in windows:
        if window.opens_at <= until:
            until = max(until, window.closes_at)
    return until


def window_evidence(windows: Sequence[Window], until: datetime) -> dict[str, object]:
    """What a reason tells of the windows that hold: their events by name, and when the last one is over."""
    return _evidence([window.event for window in windows]) | {"until": instant(until)}


def _windows_of(event: EventView, rules: Sequence[WindowRule], instrument: str) -> Iterator[Window]:
    """One window for each thing that the rules do around the event: they all contain it, so they are one."""
    if event.start_at is None or event.waived or not moves(event, instrument):
        return
    end = event.end_at or event.start_at
    if event.by_staff:
        yield Window(event, event.start_at, end)
        return
    spans: dict[tuple[WindowAction, Decimal | None], tuple[int, int]] = {}
    for rule in rules:
        if _applies(rule, event, instrument):
            before, after = spans.get((rule.action, rule.max_quantity), (0, 0))
            longest = max(before, rule.minutes_before), max(after, rule.minutes_after)
            spans[rule.action, rule.max_quantity] = longest
    for (action, most), (before, after) in spans.items():
        opens, closes = event.start_at - timedelta(minutes=before), end + timedelta(minutes=after)
        yield Window(event, opens, closes, action, most)


def _applies(rule: WindowRule, event: EventView, instrument: str) -> bool:
    if not event.impact > rule.impact_above:
        return False
    if rule.event_types and not any(word.lower() in event.event_type.lower() for word in rule.event_types):
        return False
    concerned = not (rule.instruments and instrument)
    return concerned or any(covers(name, instrument.strip().upper()) for name in rule.instruments)


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
