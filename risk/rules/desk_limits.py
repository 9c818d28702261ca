"""The desk's own rules: drawdown on the sum of the accounts' equity in one currency, caps on what all of them hold.

They are written as those of an account (`drawdown`, `confirmation`, `exposure`, and the mode of the rule `drawdown`),
with the `currency` of the accounts that count and the `timezone` of the resets. The initial balance is the sum when the
rules first came into force, as moved by cash flows since. `exposure` caps the holdings of all accounts together,
whatever their currency. `loosening` is the desk's policy on what lets more through.
`accounts` are defaults for every account's own limits, which its document overrides key by key (`limits_own.py`).
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from risk.rules.limits import (
    Change,
    Limits,
    LimitsError,
    RuleName,
    limits_diff,
    limits_dump,
    limits_parse,
    section_parse,
)
from risk.rules.limits_diff import Direction
from risk.rules.limits_expected import expected_text
from risk.rules.limits_own import defaults_diff, defaults_parse
from risk.rules.loosening import SECOND_PERSON, Loosening, loosening_diff

SECTIONS = frozenset({"drawdown", "confirmation", "exposure", "rules"})
MEASURED = SECTIONS - {"exposure"}
NO_RULES = {"rules": {"drawdown": {"mode": "off", "reason": "the desk has no drawdown rules of its own"}}}
"""What a document says that has neither rules nor a word against them."""
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLimits:
    """Which accounts count, where the day resets, the rules, the policy on loosening, and accounts' defaults."""

    currency: str
    zone: ZoneInfo
    limits: Limits
    loosening: Loosening = SECOND_PERSON
    accounts: Mapping[str, Any] = field(default_factory=dict)


def desk_limits_parse(document: Mapping[str, Any]) -> DeskLimits:
    """Read the desk's rules. Raises LimitsError, naming the field, what it held and what belongs there."""
    rest = dict(document)
    accounts = defaults_parse(rest.pop("accounts", {}))
    policy = section_parse(rest.pop("loosening", {}), Loosening, "loosening")
    currency, name = rest.pop("currency", "USD"), rest.pop("timezone", "America/Chicago")
    if not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
        raise LimitsError("currency", currency, expected_text("desk.currency"))
    for section, value in rest.items():
        if section not in SECTIONS:
            raise LimitsError(str(section), value, expected_text("desk"))
    if {"loosening", "exposure", "accounts"} & document.keys() and not MEASURED & rest.keys():
        rest |= NO_RULES
    limits = limits_parse(rest)
    for rule in limits.rules:
        if rule is not RuleName.DRAWDOWN:
            raise LimitsError(f"rules.{rule}", rule.value, expected_text("desk.rules"))
    return DeskLimits(currency=currency, zone=_zone(name), limits=limits, loosening=policy, accounts=accounts)


def desk_limits_dump(desk: DeskLimits) -> dict[str, Any]:
    """Write the desk's rules as a complete, canonical document."""
    document = limits_dump(desk.limits)
    sections = {name: value for name, value in document.items() if name in SECTIONS}
    policy = msgspec.to_builtins(desk.loosening)
    own = {"loosening": policy, "accounts": deepcopy(dict(desk.accounts))}
    return {"currency": desk.currency, "timezone": desk.zone.key, **sections, **own}


def desk_limits_diff(old: DeskLimits | None, new: DeskLimits) -> tuple[Change, ...]:
    """Return every difference; other accounts or another reset cannot be compared, so they loosen.

    A desk without a document has no rules, and the policy of a second person.
    """
    if old is None:
        return tuple(loosening_diff(SECOND_PERSON, new.loosening))
    changes = [
        Change(path, before, after, Direction.LOOSENS)
        for path, before, after in (
            ("currency", old.currency, new.currency),
            ("timezone", old.zone.key, new.zone.key),
        )
        if before != after
    ]
    return (
        *changes,
        *limits_diff(old.limits, new.limits),
        *loosening_diff(old.loosening, new.loosening),
        *defaults_diff(old.accounts, new.accounts),
    )


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LimitsError("timezone", name, expected_text("desk.timezone")) from error
