"""Which way a change of the windows, the calendar's horizon or the session hours moves an account's risk."""

from collections.abc import Iterator
from typing import Any

from risk.rules.limit_windows import SessionHours, WindowAction, WindowLimits, WindowRule

HOURS_STRENGTH = {SessionHours.ANY: 0, SessionHours.GLOBEX: 1, SessionHours.REGULAR: 2}
"""Regular hours lie within Globex hours."""

Difference = tuple[str, Any, Any, bool | None]
"""Path, old value, new value, and whether it tightens; None is neutral."""


def windows_differences(old: WindowLimits, new: WindowLimits) -> Iterator[Difference]:
    """Every difference between two sections `windows`. Windows only add, so one more tightens and one less loosens."""
    for preset in sorted({*old.presets} ^ {*new.presets}):
        added = preset in new.presets
        yield f"windows.presets.{preset}", None if added else preset, preset if added else None, added
    before = {rule.name: rule for rule in old.rules}
    after = {rule.name: rule for rule in new.rules}
    for name in sorted(before.keys() | after.keys()):
        yield from _rule_differences(f"windows.rules.{name}", before.get(name), after.get(name))
    if old.warn_minutes != new.warn_minutes:
        yield "windows.warn_minutes", old.warn_minutes, new.warn_minutes, None


def _rule_differences(path: str, old: WindowRule | None, new: WindowRule | None) -> Iterator[Difference]:
    if old is None or new is None:
        yield path, old, new, old is None
        return
    for field in ("minutes_before", "minutes_after"):
        yield from _number(f"{path}.{field}", getattr(old, field), getattr(new, field), higher_is_tighter=True)
    yield from _number(f"{path}.impact_above", old.impact_above, new.impact_above, higher_is_tighter=False)
    for field in ("event_types", "instruments"):
        yield from _words(f"{path}.{field}", getattr(old, field), getattr(new, field))
    if old.action is not new.action:
        yield f"{path}.action", old.action, new.action, new.action is WindowAction.BLOCK
    elif old.max_quantity is not None and new.max_quantity is not None:
        yield from _number(f"{path}.max_quantity", old.max_quantity, new.max_quantity, higher_is_tighter=False)


def _number(path: str, old: Any, new: Any, *, higher_is_tighter: bool) -> Iterator[Difference]:
    if old != new:
        yield path, old, new, (new > old) is higher_is_tighter


def _words(path: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Difference]:
    """Naming more tightens; naming none names all."""
    if set(old) == set(new):
        return
    wider = not new or (bool(old) and set(new) > set(old))
    yield path, ", ".join(old), ", ".join(new), wider
