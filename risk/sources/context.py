"""The context of an imported decision: names that the product has no column for, flat and bounded."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from decimal import Decimal

from risk.sources.bounds import (
    MAX_CONTEXT_BYTES,
    MAX_CONTEXT_NAMES,
    MAX_DEPTH,
    MAX_EXACT_INTEGER,
    MAX_NAME,
)
from risk.sources.fields import finite_float
from risk.sources.notes import Notes
from risk.sources.records import Context, ContextValue
from risk.sources.rows import FieldError
from risk.sources.text import is_usable

SHORT_LIST = 8
COUNTED_TEXTS = 20
_MARKS = 2
"""A colon and a comma."""
_NOT_FINITE = "context values left out because they are not finite numbers"


def flatten(values: Mapping[str, object]) -> dict[str, object]:
    """Nested objects as dotted names, to a depth of 16.

    A list becomes its length under `name.count`; a short list of plain values also its items under `name.0`,
    `name.1`; a longer list of texts also how often each of them stands in it, under `name.text`.
    """
    flat: dict[str, object] = {}
    _flatten(values, "", 1, flat)
    return flat


def _flatten(values: Mapping[str, object], prefix: str, depth: int, flat: dict[str, object]) -> None:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if depth > MAX_DEPTH:
            raise FieldError(prefix[:MAX_NAME], "", f"nested at most {MAX_DEPTH} deep")
        if isinstance(value, dict):
            _flatten(value, f"{name}.", depth + 1, flat)
        elif isinstance(value, list):
            flat.update(_summary(name, value))
        elif name in flat:
            raise FieldError(name[:MAX_NAME], value, "stated once: its dotted name stands twice")
        else:
            flat[name] = value


def _summary(name: str, items: list[object]) -> dict[str, object]:
    summary: dict[str, object] = {f"{name}.count": len(items)}
    if any(isinstance(item, (dict, list)) for item in items):
        return summary
    if len(items) <= SHORT_LIST:
        return summary | {f"{name}.{index}": item for index, item in enumerate(items)}
    texts = Counter(item for item in items if isinstance(item, str))
    if len(texts) <= COUNTED_TEXTS:
        summary |= {f"{name}.{text}": count for text, count in texts.items()}
    return summary


def context_of(flat: Mapping[str, object], used: Collection[str], notes: Notes) -> Context:
    """What of `flat` is not in `used`, in its order: finite numbers, flags, nulls and texts.

    At most 200 names, 200 characters a text and 16 kB; what is left out or shortened is counted in the notes.
    """
    context: Context = {}
    size = 0
    for name, raw in flat.items():
        if name in used:
            continue
        problem, value = _value_of(name, raw, notes)
        if not problem:
            size += _json_size(name) + _json_size(value) + _MARKS
            if len(context) < MAX_CONTEXT_NAMES and size <= MAX_CONTEXT_BYTES:
                context[name] = value
                continue
            problem = f"context values left out beyond {MAX_CONTEXT_NAMES} names or {MAX_CONTEXT_BYTES // 1024} kB"
        notes.tally(problem)
    return context


def _json_size(value: ContextValue) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode()) if isinstance(value, str) else len(str(value))


def _value_of(name: str, raw: object, notes: Notes) -> tuple[str, ContextValue]:
    """The value as it is kept, or the reason why it is left out."""
    if not name or len(name) > MAX_NAME or not name.isascii() or not name.isprintable():
        return (
            f"context values left out because their name is not ASCII text of at most {MAX_NAME} characters",
            None,
        )
    if raw is None or isinstance(raw, bool):
        return "", raw
    if isinstance(raw, int):
        return ("", raw) if abs(raw) <= MAX_EXACT_INTEGER else ("context values left out beyond 2**53", None)
    if isinstance(raw, (float, Decimal)):
        number = finite_float(raw)
        return (_NOT_FINITE, None) if number is None else ("", number)
    return _text_of(raw, notes)


def _text_of(raw: object, notes: Notes) -> tuple[str, ContextValue]:
    if not isinstance(raw, str) or not is_usable(raw):
        return "context values left out because they are not plain text", None
    if len(raw) <= MAX_NAME:
        return "", raw
    notes.tally(f"context texts shortened to {MAX_NAME} characters")
    return "", raw[: MAX_NAME - 1] + "…"
