"""Impacts of every dialect on one scale, 0 to 1. High is above 0.7, medium above 0.5: the table of docs/calendar.md."""

from collections.abc import Mapping
from decimal import Decimal

from risk.sources.fields import decimal_of
from risk.sources.rows import FieldError

NONE, LOW, MEDIUM, HIGH = Decimal(0), Decimal("0.3"), Decimal("0.6"), Decimal("0.9")
WORDS: dict[str, Decimal] = {
    "high": HIGH,
    "medium": MEDIUM,
    "moderate": MEDIUM,
    "low": LOW,
    "none": NONE,
    "holiday": NONE,
    "non-economic": NONE,
    # Colours of the folders that ForexFactory shows, and of the bars of others.
    "red": HIGH,
    "orange": MEDIUM,
    "yellow": LOW,
    "gray": NONE,
    "grey": NONE,
    "white": NONE,
}
STEPS = (NONE, LOW, MEDIUM, HIGH)
SCALES = ("words", "1-3", "0-3", "share")
EVERY_OTHER = "*"


def impact_of(raw: object, scale: str, field: str) -> Decimal:
    """The impact that `raw` writes: a word or a colour on every scale, a number as `scale` says.

    "1-3" and "0-3" are steps from low (1) to high (3), "share" is 0..1. Raises FieldError.
    """
    word = raw.strip().lower() if isinstance(raw, str) else ""
    for known in (word, word.split(" ")[0]):  # "High Impact Expected"
        if known in WORDS:
            return WORDS[known]
    number = decimal_of(raw)
    if scale == "share" and number is not None and 0 <= number <= 1:
        return number
    first = 0 if scale == "0-3" else 1
    if scale in {"1-3", "0-3"} and number is not None and number in range(first, len(STEPS)):
        return STEPS[int(number)]
    raise FieldError(field, raw, f"an impact: a word such as high{_range(scale)}")


def impact_by_name(event_type: str, impacts: Mapping[str, Decimal]) -> Decimal | None:
    """What `impacts` says of an event by the longest word that stands in its name, else by "*"; None if nothing."""
    name = event_type.lower()
    words = sorted((word for word in impacts if word != EVERY_OTHER and word.lower() in name), key=len)
    return impacts[words[-1]] if words else impacts.get(EVERY_OTHER)


def _range(scale: str) -> str:
    return {"1-3": ", or 1 to 3", "0-3": ", or 0 to 3", "share": ", or a number from 0 to 1"}.get(scale, "")
