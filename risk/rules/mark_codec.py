"""Marks as JSON values, so that a projection can keep them: decimals as text, times in ISO 8601."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from risk.rules.drawdown import Mark
from risk.rules.messages import number


def mark_dump(mark: Mark) -> dict[str, str | None]:
    """Return the mark as a flat mapping of text; equal marks give equal mappings."""
    return {name: _text(getattr(mark, name)) for name in mark.__struct_fields__}


def mark_load(values: Mapping[str, str | None]) -> Mark:
    """Read what `mark_dump` wrote. Raises KeyError or ValueError where it was not written by it."""
    return Mark(
        reference=Decimal(_needed(values, "reference")),
        reference_at=datetime.fromisoformat(_needed(values, "reference_at")),
        initial=Decimal(_needed(values, "initial")),
        last_equity=Decimal(_needed(values, "last_equity")),
        last_at=datetime.fromisoformat(_needed(values, "last_at")),
        reset_on=date.fromisoformat(day) if (day := values["reset_on"]) else None,
        flow_at=_time(values["flow_at"]),
        worst=Decimal(_needed(values, "worst")),
        worst_amount=Decimal(_needed(values, "worst_amount")),
        worst_peak_at=_time(values["worst_peak_at"]),
        worst_trough_at=_time(values["worst_trough_at"]),
        worst_peak=Decimal(peak) if (peak := values.get("worst_peak")) else None,
        worst_recovered_at=_time(values.get("worst_recovered_at")),
    )


def _text(value: Decimal | date | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return number(value)
    return value.isoformat()


def _needed(values: Mapping[str, str | None], name: str) -> str:
    value = values[name]
    if value is None:
        raise ValueError(f"a mark needs its {name}")
    return value


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
