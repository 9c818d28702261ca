"""Canonical bytes: the only form that is ever hashed (docs/invariants.md). Pure.

UTF-8 JSON with sorted keys and no white space, in which one value has one spelling: numbers are finite, -0.0 is 0.0,
integers stay within what every JSON reader keeps exact (2**53), keys are ASCII, times are UTC with microseconds,
decimals are strings as the caller quantised them.
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

MAX_INTEGER = 2**53
MAX_DEPTH = 16
PLAIN = frozenset({str, bool, type(None)})
"""Types whose values are their one spelling already: most of what is hashed, therefore asked for first."""
LEAF_PREFIX = b"\x00"
"""RFC 6962 section 2.1: leaves and nodes are hashed with different prefixes, so that one never passes for the other."""


class NotCanonical(ValueError):
    """A value that has no canonical form; `path` says where it stands."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'value'}: {problem}")
        self.path = path


def timestamp(moment: datetime) -> str:
    """`moment` (aware) as ``2025-05-13T14:00:00.000000Z``."""
    if moment.tzinfo is None:
        raise NotCanonical("", f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _scalar(value: Any, path: str) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(path, f"integer {value} is beyond 2**53; send it as text")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotCanonical(path, f"{value} is not a finite number")
        return value + 0.0  # turns -0.0 into 0.0
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotCanonical(path, f"{value} is not a finite number")
        return format(value or abs(value), "f")
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, UUID):
        return str(value)
    raise NotCanonical(path, f"{type(value).__name__} has no canonical form")


def normalise(value: Any, path: str = "", depth: int = 0) -> Any:
    """`value` with every scalar in its one spelling; raises `NotCanonical` naming the place of what has none."""
    if depth > MAX_DEPTH:
        raise NotCanonical(path, f"nested deeper than {MAX_DEPTH}")
    if type(value) in PLAIN:
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not (isinstance(key, str) and key.isascii()):
                raise NotCanonical(path, f"key {key!r} is not ASCII text")
        return {
            str(key): normalise(item, f"{path}.{key}" if path else str(key), depth + 1) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [normalise(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _scalar(value, path)


def canonical_bytes(value: Any) -> bytes:
    """The bytes to hash. Raises `NotCanonical`."""
    try:
        return orjson.dumps(normalise(value), option=orjson.OPT_SORT_KEYS)
    except TypeError as error:  # orjson: text that is not valid UTF-8 (a lone surrogate)
        raise NotCanonical("", str(error)) from error


def leaf_hash(body: bytes) -> bytes:
    """RFC 6962 leaf hash, 32 bytes: SHA-256(0x00 || body)."""
    return hashlib.sha256(LEAF_PREFIX + body).digest()
