"""Limit by limit the stricter of two documents: what becomes of a loosening that nobody reviewed."""

from collections.abc import Mapping
from typing import Any

from risk.rules.desk_limits import DeskLimits, desk_limits_diff, desk_limits_dump, desk_limits_parse
from risk.rules.limits import Limits, LimitsError, limits_diff, limits_dump, limits_parse
from risk.rules.limits_diff import Change, Direction

_BESIDE = {"action": "max_quantity", "resume": "resume_minutes"}
"""What a choice has beside it: a window's action its quantity, a rule's resume its minutes."""


def limits_stricter(before: Limits, now: Limits) -> Limits:
    """Return `now` with every limit that is looser than `before` put back; what cannot be compared is as before.

    Nothing in it is looser than `before`.
    """
    try:
        merged = limits_parse(_put_back(limits_dump(before), limits_dump(now), limits_diff(before, now)))
    except LimitsError:  # two that exclude each other: what a second person last agreed to holds
        return before
    return before if _loosens(limits_diff(before, merged)) else merged


def desk_limits_stricter(before: DeskLimits, now: DeskLimits) -> DeskLimits:
    """The same for the desk's document."""
    changes = desk_limits_diff(before, now)
    try:
        merged = desk_limits_parse(_put_back(desk_limits_dump(before), desk_limits_dump(now), changes))
    except LimitsError:
        return before
    return before if _loosens(desk_limits_diff(before, merged)) else merged


def _loosens(changes: tuple[Change, ...]) -> bool:
    return any(change.direction is Direction.LOOSENS for change in changes)


def _put_back(before: dict[str, Any], now: dict[str, Any], changes: tuple[Change, ...]) -> dict[str, Any]:
    for change in changes:
        if change.direction is Direction.LOOSENS:
            _restore(before, now, _steps(change.path))
    return now


def _steps(path: str) -> list[str]:
    """Where to put back: a mode belongs to the whole rule that has it."""
    steps = path.split(".")
    return steps[:-1] if steps[-1] == "mode" else steps


def _restore(source: Any, target: Any, steps: list[str]) -> None:
    """Make what `steps` lead to in `target` as it is in `source`: a field, or an item of a list by its name."""
    step, rest = steps[0], steps[1:]
    if isinstance(target, list):
        _restore_item(source, target, ".".join(steps))
        return
    inner = type(source.get(step, target.get(step)))
    if rest and inner in (dict, list):  # the desk's defaults for accounts may lack a section
        _restore(source.get(step, inner()), target.setdefault(step, inner()), rest)
    elif step not in source:
        target.pop(step, None)
    else:
        target[step] = source[step]
        beside = _BESIDE.get(step)
        if beside in source:
            target[beside] = source[beside]


def _restore_item(source: list[Any], target: list[Any], path: str) -> None:
    known = {_name(item): item for item in source}
    held = {_name(item): place for place, item in enumerate(target)}
    name = max((name for name in known | held if f"{path}.".startswith(f"{name}.")), key=len)  # BRK.B has a dot
    rest = path[len(name) + 1 :].split(".") if len(path) > len(name) else []
    if name not in known:
        del target[held[name]]
    elif name not in held:
        target.append(known[name])
    elif rest:
        _restore(known[name], target[held[name]], rest)
    else:
        target[held[name]] = known[name]


def _name(item: Any) -> Any:
    """What paths call an item of a list: rules and windows have names, caps and multipliers their instrument."""
    if not isinstance(item, Mapping):
        return item
    return item["name"] if "name" in item else item["instrument"]
