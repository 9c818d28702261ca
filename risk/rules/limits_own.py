"""Account over desk: what an account itself sets goes over the desk's defaults for accounts, key by key.

A key is a field of a section (`pace.max_openings_per_hour`), one drawdown rule by its name, or the setting of one rule
of the gate. What neither the account nor the desk sets has the default of `limit_types.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from risk.rules.limits import Change, Limits, LimitsError, limits_diff, limits_dump, limits_parse
from risk.rules.limits_expected import expected_text

Document = Mapping[str, Any]
DRAWDOWN = "drawdown"
NO_DRAWDOWN = {"mode": "off", "reason": "-"}


class Source(StrEnum):
    """Where a value in force comes from."""

    OWN = "own"
    DESK = "desk"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Sourced:
    """One key of an account's limits: its section, its name there, its value, and who set it."""

    section: str
    name: str
    value: Any
    source: Source


def document_over(own: Document, defaults: Document) -> dict[str, Any]:
    """The document `own` over the `defaults`, key by key. Nothing is checked here: `limits_parse` reads the result.

    Own drawdown rules stand first, so that a fault in one of them is named by its place in `own`.
    """
    merged = dict(defaults)
    for section, values in own.items():
        below = defaults.get(section)
        if isinstance(values, Mapping) and isinstance(below, Mapping):
            merged[section] = {**below, **values}
        elif section == DRAWDOWN and isinstance(values, list | tuple) and isinstance(below, list | tuple):
            names = {_name(rule) for rule in values}
            merged[section] = [*values, *(rule for rule in below if _name(rule) not in names)]
        else:
            merged[section] = values
    return merged


def own_part(document: Document, body: Document) -> dict[str, Any]:
    """The keys that `document` sets, with their values as the complete, canonical `body` has them."""
    part: dict[str, Any] = {}
    for section, values in document.items():
        if not values:
            continue
        if section == DRAWDOWN:
            names = {_name(rule) for rule in values}
            part[section] = [rule for rule in body[section] if rule["name"] in names]
        else:
            part[section] = {name: body[section][name] for name in values}
    return part


def own_after(body: Document, own: Document | None, defaults: Document) -> dict[str, Any] | None:
    """What is the account's own once `body` holds: what was, and what is no longer as it would inherit it."""
    if own is None:
        return None
    inherited = {(item.section, item.name): item.value for item in sourced(limits_dump(_completed(defaults)), None, {})}
    part: dict[str, Any] = {}
    for item in sourced(body, own, defaults):
        if item.source is not Source.OWN and inherited.get((item.section, item.name)) == item.value:
            continue
        if item.section == DRAWDOWN:
            part.setdefault(item.section, []).append(item.value)
        else:
            part.setdefault(item.section, {})[item.name] = item.value
    return part


def sourced(body: Document, own: Document | None, defaults: Document) -> Iterator[Sourced]:
    """Every key of a complete document with its source; without `own` all of it is the account's."""
    for section, values in body.items():
        named = {rule["name"]: rule for rule in values} if section == DRAWDOWN else values
        for name, value in named.items():
            yield Sourced(section, name, value, _source(section, name, own, defaults))


def _source(section: str, name: str, own: Document | None, defaults: Document) -> Source:
    if own is None or _sets(own, section, name):
        return Source.OWN
    return Source.DESK if _sets(defaults, section, name) else Source.DEFAULT


def _sets(document: Document, section: str, name: str) -> bool:
    values = document.get(section, ())
    return name in {rule["name"] for rule in values} if section == DRAWDOWN else name in values


def _name(rule: object) -> object:
    return rule.get("name") if isinstance(rule, Mapping) else None


def defaults_parse(document: object) -> dict[str, Any]:
    """Read the desk's defaults for accounts: any part of an account's document, in canonical form.

    Raises LimitsError with a path below `accounts`.
    """
    if not isinstance(document, Mapping):
        raise LimitsError("accounts", document, expected_text(""))
    try:
        return own_part(document, limits_dump(_completed(document)))
    except LimitsError as error:
        raise LimitsError(f"accounts.{error.field}".rstrip("."), error.value, error.expected) from error


def defaults_diff(old: Document, new: Document) -> tuple[Change, ...]:
    """What differs between two versions of the defaults, as between accounts that set nothing else."""
    changes = limits_diff(_completed(old), _completed(new))
    unset = f"rules.{DRAWDOWN}."
    return tuple(
        Change(f"accounts.{change.path}", change.old, change.new, change.direction)
        for change in changes
        if not (change.path.startswith(unset) and not any(_sets(part, "rules", DRAWDOWN) for part in (old, new)))
    )


def _completed(document: Document) -> Limits:
    """Limits made of defaults alone, which need not choose a drawdown rule."""
    rules = document.get("rules", {})
    if document.get(DRAWDOWN) or not isinstance(rules, Mapping) or DRAWDOWN in rules:
        return limits_parse(document)
    return limits_parse({**document, "rules": {**rules, DRAWDOWN: NO_DRAWDOWN}})
