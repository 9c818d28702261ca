"""Readers of single fields. Each takes a row's values and a name and raises FieldError."""

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from risk.sources.bounds import (
    MAX_DRAWDOWN,
    MAX_MAGNITUDE,
    MAX_MONEY,
    MAX_NAME,
    MAX_REASON,
    MIN_MAGNITUDE,
    MONEY_STEP,
)
from risk.sources.notes import Notes
from risk.sources.rows import FieldError
from risk.sources.text import is_usable

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_EXACT = Context(prec=200)
_FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def is_blank(raw: object) -> bool:
    """Whether a field is absent, null or empty text."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def text_field(values: Mapping[str, object], name: str, *, limit: int = MAX_NAME) -> str:
    """Text on one line, at most `limit` characters."""
    expected = f"text on one line of at most {limit:,} characters"
    text = optional_text_field(values, name, limit=limit)
    if text is None:
        raise FieldError(name, None, expected)
    return text


def optional_text_field(values: Mapping[str, object], name: str, *, limit: int = MAX_NAME) -> str | None:
    """As `text_field`, None where the field is blank. A whole number is taken as its digits."""
    raw = values.get(name)
    if is_blank(raw):
        return None
    text = str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""
    if not text or len(text) > limit or not is_usable(text) or "\n" in text or "\t" in text:
        raise FieldError(name, raw, f"text on one line of at most {limit:,} characters")
    return text


def reason_field(values: Mapping[str, object], name: str, notes: Notes) -> str:
    """A reason in words, "" where there is none, shortened to 2,000 characters with a note."""
    raw = values.get(name)
    if is_blank(raw):
        return ""
    if not isinstance(raw, str) or not is_usable(raw):
        raise FieldError(name, raw, "text without control characters")
    text = raw.strip()
    if len(text) <= MAX_REASON:
        return text
    notes.tally(f"reasons shortened to {MAX_REASON:,} characters")
    return text[: MAX_REASON - 1] + "…"


def word_field(values: Mapping[str, object], name: str) -> str:
    """A decision: a word of at most 32 letters, digits and underscores, lowered."""
    raw = values.get(name)
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if not _WORD.fullmatch(word):
        raise FieldError(name, raw, "a word of at most 32 letters, digits and underscores, such as buy")
    return word


def flag_field(values: Mapping[str, object], name: str) -> bool:
    """True or false."""
    raw = values.get(name)
    flag = None if isinstance(raw, (dict, list)) else _FLAGS.get(str(raw).strip().lower())
    if flag is None:
        raise FieldError(name, raw, "true or false")
    return flag


def decimal_of(raw: object) -> Decimal | None:
    """The exact decimal that `raw` writes; None unless it is one finite number of a sane magnitude."""
    number: Decimal | None = None
    if isinstance(raw, Decimal):
        number = raw
    elif isinstance(raw, float):
        number = Decimal(repr(raw))
    elif isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**MAX_MAGNITUDE:
        number = Decimal(raw)
    elif isinstance(raw, str) and len(raw) <= MAX_NAME and _NUMBER.fullmatch(raw.strip()):
        number = Decimal(raw.strip())
    if number is None or not number.is_finite():
        return None
    if not number:
        return Decimal(0)
    return number if MIN_MAGNITUDE <= number.adjusted() <= MAX_MAGNITUDE else None


def number_field(values: Mapping[str, object], name: str, low: Decimal, high: Decimal, expected: str) -> Decimal | None:
    """An exact number from `low` to `high`, None where blank; `expected` says the range in words."""
    raw = values.get(name)
    if is_blank(raw):
        return None
    number = decimal_of(raw)
    if number is None or not low <= number <= high:
        raise FieldError(name, raw, expected)
    return number


def share_field(values: Mapping[str, object], name: str) -> Decimal:
    """A share from 0 to 1, exactly as written."""
    expected = "a number from 0 to 1"
    share = number_field(values, name, Decimal(0), Decimal(1), expected)
    if share is None:
        raise FieldError(name, None, expected)
    return share


def score_field(values: Mapping[str, object], name: str) -> float | None:
    """A score from 0 to 1 as a float, None where the field is blank."""
    score = number_field(values, name, Decimal(0), Decimal(1), "a number from 0 to 1")
    return None if score is None else float(score)


def drawdown_field(values: Mapping[str, object], name: str) -> Decimal:
    """A drawdown as a positive fraction, exactly as written: -0.06 and 0.06 are both 6 % below."""
    expected = "a fraction such as 0.06 for 6 %"
    number = number_field(values, name, -MAX_DRAWDOWN, MAX_DRAWDOWN, expected)
    if number is None:
        raise FieldError(name, None, expected)
    return number.copy_abs()


def money_field(values: Mapping[str, object], name: str, notes: Notes) -> Decimal | None:
    """Money, a price or a quantity, rounded half-even to 4 decimals with a note; None where blank."""
    expected = f"a number between -{MAX_MONEY:,} and {MAX_MONEY:,}"
    number = number_field(values, name, -MAX_MONEY, MAX_MONEY, expected)
    if number is None:
        return None
    money = number.quantize(MONEY_STEP, rounding=ROUND_HALF_EVEN, context=_EXACT)
    if abs(money) >= MAX_MONEY:
        raise FieldError(name, values.get(name), expected)
    if money != number:
        notes.tally("amounts rounded half-even to 4 decimals")
    return money or MONEY_STEP - MONEY_STEP


def price_field(values: Mapping[str, object], name: str, notes: Notes) -> Decimal | None:
    """A price; MIA writes 0 where it knows none, so that 0 is None. Negative prices have been traded."""
    price = money_field(values, name, notes)
    if price is not None and not price:
        notes.tally("prices of 0 read as not known")
        return None
    return price


def quantity_field(values: Mapping[str, object], name: str, notes: Notes) -> Decimal | None:
    """A quantity above 0, None where the field is blank."""
    quantity = money_field(values, name, notes)
    if quantity is not None and quantity <= 0:
        raise FieldError(name, values.get(name), "a quantity above 0")
    return quantity


def finite_float(raw: object) -> float | None:
    """`raw` as a finite float with one spelling of zero; None where it is no finite number."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
        return None
    if isinstance(raw, int) and abs(raw) > 10**300:
        return None
    number = float(raw)
    return number + 0.0 if math.isfinite(number) else None
