"""The sections of the limits that say when trading is closed: windows around events, the calendar's reach, sessions."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from risk.rules.limit_base import Minutes, Name, Section, check_money, check_share

EventWord = Annotated[str, Meta(min_length=1, max_length=200)]
Root = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9._/-]{0,31}$")]


class WindowAction(StrEnum):
    """What a window does to openings: stops them, or caps each of them."""

    BLOCK = "block"
    REDUCE = "reduce"


class WindowPreset(StrEnum):
    """Windows that desks have found useful; `window_presets.py` says what each is."""

    MIA = "mia"
    FOMC = "fomc"
    PROP_DESK = "prop_desk"


class WindowRule(Section, frozen=True):
    """One more window around the events that it names.

    `event_types`: words, one of which stands in the event's type, in any case; none means every type. `instruments`:
    roots or contracts; none means every instrument. Events above `impact_above` count. `reduce` lets openings of at
    most `max_quantity` pass.
    """

    name: Name
    event_types: Annotated[tuple[EventWord, ...], Meta(max_length=50)] = ()
    instruments: Annotated[tuple[Root, ...], Meta(max_length=50)] = ()
    impact_above: Decimal = Decimal("0.7")
    minutes_before: Minutes = 30
    minutes_after: Minutes = 30
    action: WindowAction = WindowAction.BLOCK
    max_quantity: Decimal | None = None

    def __post_init__(self) -> None:
        check_share("impact_above", self.impact_above)
        if self.max_quantity is not None:
            check_money("max_quantity", self.max_quantity)
        if (self.action is WindowAction.REDUCE) is not (self.max_quantity is not None):
            raise ValueError("max_quantity:reduce_quantity")


class WindowLimits(Section, frozen=True):
    """Windows beyond `blackout`. They only add: an event is closed for as long as any window says.

    `warn_minutes` before a blackout opens, accounts that hold a position are told.
    """

    presets: Annotated[tuple[WindowPreset, ...], Meta(max_length=3)] = ()
    rules: Annotated[tuple[WindowRule, ...], Meta(max_length=50)] = ()
    warn_minutes: Minutes = 15

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError("rules:unique_windows")


class CalendarLimits(Section, frozen=True):
    """How far ahead the calendar must know events; 0 demands nothing."""

    horizon_hours: Annotated[int, Meta(ge=0, le=8760)] = 0


class SessionHours(StrEnum):
    """When openings are allowed: at any time, in Globex hours, or in New York's regular hours (09:30-16:00)."""

    ANY = "any"
    GLOBEX = "globex"
    REGULAR = "regular"


class SessionLimits(Section, frozen=True):
    """The trading session that an opening must lie in."""

    hours: SessionHours = SessionHours.ANY
