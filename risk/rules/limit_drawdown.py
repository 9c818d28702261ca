"""The sections of the limits that say how far equity may fall, and which of its figures are believed."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from risk.rules.limit_base import ClockTime, Name, Section, check_money, check_share


class DrawdownMode(StrEnum):
    """What a drawdown is measured from: see the words of `drawdown.py`."""

    TRAILING_INTRADAY = "trailing_intraday"
    TRAILING_EOD = "trailing_eod"
    STATIC = "static"
    DAILY = "daily"
    WEEKLY = "weekly"


class AllowanceOf(StrEnum):
    """What an allowance is a share of; `amount` is money in the account's currency."""

    REFERENCE = "reference"
    INITIAL = "initial"
    AMOUNT = "amount"


class BreachAction(StrEnum):
    """The trading state that a breach puts the account in."""

    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


class ResumeWhen(StrEnum):
    """When a drawdown rule's own stop ends by itself, once equity is above the floors."""

    NEVER = "never"
    NEXT_SESSION = "next_session"
    AFTER_MINUTES = "after_minutes"


class Allowance(Section, frozen=True):
    """How far below its reference equity may fall: `value` is a positive fraction, or money for `amount`.

    MIA writes the same allowance as a negative number; the sign is dropped here.
    """

    of: AllowanceOf
    value: Decimal

    def __post_init__(self) -> None:
        value = self.value.copy_abs()
        if self.of is AllowanceOf.AMOUNT:
            check_money("value", value)
        else:
            check_share("value", value)
            if value in (0, 1):
                raise ValueError("value:share")
        msgspec.structs.force_setattr(self, "value", value)


class DrawdownLimit(Section, frozen=True):
    """One drawdown rule.

    `reset_at` is a time of day in the account's zone, for the daily, weekly and end-of-day modes; a weekly
    rule resets on Sunday, when the futures week opens. `stops_rising_at_initial`: a trailing floor never
    rises above the initial balance. `alert_at`: the share of the allowance that, once used up, is worth an
    alert; null is none. `resume`: when the rule's own stop ends by itself, never unless said.
    """

    name: Name
    mode: DrawdownMode
    allowance: Allowance
    action: BreachAction = BreachAction.REDUCE_ONLY
    stops_rising_at_initial: bool = False
    reset_at: ClockTime = "17:00"
    alert_at: Decimal | None = None
    resume: ResumeWhen = ResumeWhen.NEVER
    resume_minutes: Annotated[int, Meta(ge=1, le=10_080)] | None = None

    def __post_init__(self) -> None:
        if self.alert_at is not None:
            check_share("alert_at", self.alert_at)
            if not self.alert_at:
                raise ValueError("alert_at:share")
        if (self.resume is ResumeWhen.AFTER_MINUTES) is not (self.resume_minutes is not None):
            raise ValueError("resume_minutes:resume_minutes")


class ConfirmationLimits(Section, frozen=True):
    """When a breach is believed: at the `points`-th point in a row below the floor, or after `seconds` below it.

    Until then openings are blocked and nothing is latched. With neither, the first point is believed.
    """

    points: Annotated[int, Meta(ge=2, le=100)] | None = None
    seconds: Annotated[int, Meta(ge=1, le=3600)] | None = None

    @property
    def wanted(self) -> bool:
        """Whether a breach needs more than one point."""
        return self.points is not None or self.seconds is not None


class PlausibilityLimits(Section, frozen=True):
    """The largest move of equity between two points (a fraction, cash flows aside) that is believed.

    A point beyond it is held until somebody of the staff rules on it; null believes every move.
    """

    max_move: Decimal | None = None

    def __post_init__(self) -> None:
        if self.max_move is not None:
            check_share("max_move", self.max_move)
            if not self.max_move:
                raise ValueError("max_move:share")
