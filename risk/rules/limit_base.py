"""What every section of the limits is made of: its base, the ranges of its numbers, and the checks on them."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

MAX_MONEY = Decimal(10) ** 11
MONEY_PLACES = 4
FRACTION_PLACES = 6

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
RuleReason = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*$")]
Count = Annotated[int, Meta(ge=1, le=100_000)]
Minutes = Annotated[int, Meta(ge=0, le=1440)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]


def places(value: Decimal) -> int:
    """Decimal places that a finite value needs, however it is written: 0.10 needs one."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def check_money(field: str, value: Decimal) -> None:
    """Raise ValueError("<field>:money") unless `value` is above 0, within 15 digits, 4 of them decimals."""
    if not (value.is_finite() and 0 < value < MAX_MONEY and places(value) <= MONEY_PLACES):
        raise ValueError(f"{field}:money")


def check_share(field: str, value: Decimal) -> None:
    """Raise ValueError("<field>:share") unless `value` is from 0 to 1 with at most 6 decimals."""
    if not (value.is_finite() and 0 <= value <= 1 and places(value) <= FRACTION_PLACES):
        raise ValueError(f"{field}:share")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the limits; an unknown field is an error, so that no misspelt limit is silently ignored."""
