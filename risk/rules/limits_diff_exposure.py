"""Which way a change of the caps, the multipliers or the allowed contracts moves an account's risk."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from risk.rules.instruments import multiplier_of
from risk.rules.limit_exposure import InstrumentCap, SelfMatchAction
from risk.rules.limit_types import Limits

SELF_MATCH_STRENGTH = {SelfMatchAction.OFF: 0, SelfMatchAction.ALERT: 1, SelfMatchAction.BLOCK: 2}
NO_CAP = Decimal("Infinity")

Difference = tuple[str, Any, Any, bool]
"""Path, old value, new value, and whether it tightens."""


def exposure_differences(old: Limits, new: Limits) -> Iterator[Difference]:
    """Every difference between lists of caps, multipliers and contracts."""
    yield from _caps(old.exposure.instruments, new.exposure.instruments)
    yield from _multipliers(old, new)
    yield from _allowed(old.contracts.allowed, new.contracts.allowed)


def _caps(old: tuple[InstrumentCap, ...], new: tuple[InstrumentCap, ...]) -> Iterator[Difference]:
    """A lower cap tightens; none is the loosest."""
    before, after = {cap.instrument: cap for cap in old}, {cap.instrument: cap for cap in new}
    for name in sorted(before.keys() | after.keys()):
        for field in ("max_position", "max_notional"):
            was, becomes = (getattr(caps.get(name), field, None) for caps in (before, after))
            if was != becomes:
                tighter = (NO_CAP if becomes is None else becomes) < (NO_CAP if was is None else was)
                yield f"exposure.instruments.{name}.{field}", was, becomes, tighter


def _multipliers(old: Limits, new: Limits) -> Iterator[Difference]:
    """A larger multiplier makes the same contracts weigh more; one that nobody knows blocks, which is tighter still."""
    told, tells = old.exposure.multipliers, new.exposure.multipliers
    for name in sorted({item.instrument for item in (*told, *tells)}):
        was, becomes = multiplier_of(name, told), multiplier_of(name, tells)
        if was != becomes:
            tighter = (NO_CAP if becomes is None else becomes) > (NO_CAP if was is None else was)
            yield f"exposure.multipliers.{name}", was, becomes, tighter


def _allowed(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Difference]:
    """Naming fewer tightens; naming none allows all."""
    if {*old} != {*new}:
        fewer = bool(new) and (not old or {*new} < {*old})
        yield "contracts.allowed", ", ".join(old), ", ".join(new), fewer
