"""Names of futures contracts: which contract a name in the limits means, and what its point is worth.

A contract is a root, the letter of its delivery month and its year: ESZ6, ESZ26, ESZ2026 are one contract.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from risk.rules.limit_exposure import Multiplier

MULTIPLIERS = {"ES": Decimal(50), "MES": Decimal(5), "NQ": Decimal(20), "MNQ": Decimal(2)}
"""US dollars a point, of the exchange's contract specifications. The limits may say otherwise, and know more."""
_DELIVERY = re.compile(r"(?P<root>.+?)(?P<month>[FGHJKMNQUVXZ])(?P<year>[0-9]{1,4})")


@lru_cache(maxsize=1024)
def covers(name: str, instrument: str) -> bool:
    """Whether `name` in the limits means `instrument`: itself, a root's contract, or what begins with `ES*`."""
    if name.endswith("*"):
        return instrument.startswith(name[:-1])
    if name == instrument:
        return True
    wanted, given = _DELIVERY.fullmatch(name), _DELIVERY.fullmatch(instrument)
    if given is None:
        return False
    if given["root"] == name:
        return True
    return (
        wanted is not None
        and wanted.group("root", "month") == given.group("root", "month")
        and _same_year(wanted["year"], given["year"])
    )


def _same_year(one: str, other: str) -> bool:
    """The digits that both have, from the end: 6, 26 and 2026 are one year, 26 and 36 are not."""
    digits = min(len(one), len(other))
    return one[-digits:] == other[-digits:]


def multiplier_of(instrument: str, told: Iterable[Multiplier]) -> Decimal | None:
    """What one point of `instrument` is worth: as told for the contract or its root, or as built in; None: unknown."""
    named = {item.instrument: item.value for item in told}
    if instrument in named:
        return named[instrument]
    for table in (named, MULTIPLIERS):
        for name in sorted(table, key=len, reverse=True):
            if covers(name, instrument):
                return table[name]
    return None
