"""What comes in at the door of the risk services: frozen, bounded, checked. Decimals come from text, never float."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from risk.rules.messages import gettext_noop

MAX_MONEY = Decimal(10) ** 11
PLACES = Decimal("0.0001")

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

END = r"(?!\n)$"
"""The end of a text. A bare `$` also matches before a newline that ends it."""
INSTRUMENT = r"[A-Z0-9][A-Z0-9._/-]{0,31}"
Instrument = Annotated[
    str,
    Meta(
        pattern=rf"^{INSTRUMENT}{END}",
        description="up to 32 of A-Z, 0-9, dot, _, / and -, such as ES or ESZ6",
    ),
]
Aware = Annotated[datetime, Meta(tz=True)]
AccountCode = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Z0-9][A-Z0-9._-]{{0,31}}{END}",
        description="the code of an account: up to 32 of A-Z, 0-9, dot, _, -",
    ),
]
CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""What speaks to the terminal that shows it, for a character class."""
PRINTABLE = rf"^[^\t\n\r{CONTROL}\u2028\u2029]*{END}"
"""One line without control characters: identifiers stand in files of one row a line."""
LINE = "one line without control characters"
Text = Annotated[str, Meta(max_length=128, pattern=PRINTABLE, description=LINE)]
Label = Annotated[str, Meta(max_length=64, pattern=PRINTABLE, description=LINE)]
REASON_LENGTH = 2000
UNKEPT = re.compile(rf"[{CONTROL}\ud800-\udfff]")
Reason = Annotated[
    str, Meta(max_length=REASON_LENGTH, pattern=rf"^[^{CONTROL}]*$", description="text without control characters")
]
"""Free text, in lines; no other control characters."""


def moment_utc(field: str, value: datetime) -> datetime:
    """`value` in UTC. Raises ValueError without a zone, and outside 1970 to 2200: PostgreSQL refuses some offsets, and
    Python's calendar ends where the year 1 or 9999 is moved to another zone."""
    if value.tzinfo is None or not EARLIEST <= value < LATEST:
        raise ValueError(f"{field}: expected a time with its zone, from 1970 to 2199")
    return value.astimezone(UTC)


def decimal_check(field: str, value: Decimal | None, *, positive: bool = False) -> None:
    """Raises ValueError unless `value` is finite, within 15 digits, 4 of them decimals (and above 0 if asked)."""
    if value is None:
        return
    if not value.is_finite() or value.copy_abs() >= MAX_MONEY or value != value.quantize(PLACES):
        raise ValueError(f"{field}: expected a number of at most 15 digits, 4 of them decimals")
    if positive and value <= 0:
        raise ValueError(f"{field}: expected a number above 0")


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A body, or a part of one; an unknown field is an error."""


class PositionInput(Input, frozen=True):
    """Contracts held in one instrument, signed (long > 0)."""

    instrument: Instrument
    quantity: Decimal

    def __post_init__(self) -> None:
        decimal_check("quantity", self.quantity)


Positions = Annotated[tuple[PositionInput, ...], Meta(max_length=200)]


def positions_check(field: str, positions: tuple[PositionInput, ...] | None) -> None:
    """Raises ValueError where an instrument stands in the report twice."""
    names = [position.instrument for position in positions or ()]
    if len(set(names)) != len(names):
        raise ValueError(f"{field}: expected each instrument once")


class EquityInput(Input, frozen=True):
    """Equity at a moment; `cash_flow` (deposit > 0) is already in it. `positions`: all that are open then."""

    at: Aware
    equity: Decimal
    balance: Decimal | None = None
    open_pnl: Decimal | None = None
    cash_flow: Decimal = Decimal(0)
    positions: Positions | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "at", moment_utc("at", self.at))
        for name in ("equity", "balance", "open_pnl", "cash_flow"):
            decimal_check(name, getattr(self, name))
        positions_check("positions", self.positions)


class PositionsInput(Input, frozen=True):
    """All open positions of the account at a moment; an empty list says that it is flat."""

    at: Aware
    positions: Positions

    def __post_init__(self) -> None:
        force_setattr(self, "at", moment_utc("at", self.at))
        positions_check("positions", self.positions)


def reason_check(reason: str) -> str:
    """A person's reason, trimmed; what no database keeps becomes a question mark. Raises `InputError`.

    The kill switch works from every terminal, so a character out of place is no ground for refusing it.
    """
    reason = UNKEPT.sub("?", reason.strip())
    if not reason:
        raise InputError("reason", reason, gettext_noop("a reason in words: it goes into the record"))
    if len(reason) > REASON_LENGTH:
        raise InputError("reason", reason[:40] + "…", f"at most {REASON_LENGTH} characters")
    return reason


class InputError(ValueError):
    """A value that cannot be taken: which field, what it held, what was expected."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}, got {value!r}")
        self.field = field
        self.value = value
        self.expected = expected

    def of_one(self, before: str = "") -> "InputError":
        """The same of what was sent alone and taken as a list of one; `before` stands before its field."""
        return InputError(before + self.field.removeprefix("[0]."), self.value, self.expected)
