"""Canonical bytes: one value, one spelling; whatever has no single spelling is refused by its place."""

import hashlib
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mia_site.audit.canonical import MAX_DEPTH, NotCanonical, canonical_bytes, leaf_hash, timestamp
from risk.rules.facts import TradingState

NOON = datetime(2025, 5, 13, 12, tzinfo=UTC)
KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = (
    st.none() | st.booleans() | TEXTS
    | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))

SPELLINGS: list[tuple[Any, str]] = [
    ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
    ({"a": {"z": None, "b": True}}, '{"a":{"b":true,"z":null}}'),
    ((1, 2), "[1,2]"),
    (-0.0, "0.0"),
    (0.1, "0.1"),
    (1e16, "1e+16"),
    (Decimal("0.0500"), '"0.0500"'),
    (Decimal("1E+3"), '"1000"'),
    (Decimal("-0.00"), '"0.00"'),
    (NOON, '"2025-05-13T12:00:00.000000Z"'),
    (NOON.astimezone(timezone(timedelta(hours=-5))), '"2025-05-13T12:00:00.000000Z"'),
    (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (TradingState.HALTED, '"HALTED"'),
    ("é\n\u2028", '"é\\n\u2028"'),
    (2**53, "9007199254740992"),
    ({}, "{}"),
    ([], "[]"),
]


@pytest.mark.parametrize(("value", "text"), SPELLINGS)
def test_a_value_has_one_spelling(value: Any, text: str) -> None:
    assert canonical_bytes(value) == text.encode()


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


REFUSED: list[tuple[Any, str]] = [
    (math.nan, ""),
    ({"a": math.inf}, "a"),
    ({"a": [1, -math.inf]}, "a[1]"),
    ({"a": {"b": Decimal("NaN")}}, "a.b"),
    (Decimal("sNaN"), ""),
    (Decimal("Infinity"), ""),
    (2**53 + 1, ""),
    (-(2**53) - 1, ""),
    ({"é": 1}, ""),
    ({1: 1}, ""),
    ({None: 1}, ""),
    ({"a": datetime(2025, 5, 13)}, ""),
    (NOON.date(), ""),
    (NOON.time(), ""),
    (timedelta(1), ""),
    (b"bytes", ""),
    ({1, 2}, ""),
    (1j, ""),
    (object(), ""),
    ("\ud800", ""),
    ({"a": "x\udfff"}, ""),
    (nested(MAX_DEPTH + 1), "[0]" * (MAX_DEPTH + 1)),
]


@pytest.mark.parametrize(("value", "path"), REFUSED)
def test_what_has_no_single_spelling_is_refused(value: Any, path: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical_bytes(value)
    assert refused.value.path == path


def test_the_deepest_value_is_still_taken() -> None:
    assert canonical_bytes(nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH


@given(VALUES)
def test_any_json_reader_reads_the_same_value_back(value: Any) -> None:
    assert json.loads(canonical_bytes(value)) == value


@given(VALUES)
def test_reading_and_writing_again_changes_no_byte(value: Any) -> None:
    written = canonical_bytes(value)
    assert canonical_bytes(json.loads(written)) == written


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_keys_is_no_matter(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert canonical_bytes(dict(items)) == canonical_bytes(value)


@given(VALUES, VALUES)
def test_two_values_have_two_texts(one: Any, other: Any) -> None:
    """But for what is equal by value already: Python's 1, 1.0 and True are three values here."""
    if repr(one) != repr(other) and one != other:
        assert canonical_bytes(one) != canonical_bytes(other)


@given(
    st.datetimes(
        timezones=st.timezones(), allow_imaginary=False, min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)
    )
)
def test_a_moment_is_written_in_utc_to_the_microsecond(moment: datetime) -> None:
    text = timestamp(moment)
    expected = moment.astimezone(UTC)  # Python finds a time that stands twice on a clock equal to none elsewhere
    assert datetime.fromisoformat(text) == expected and len(text) == len("2025-05-13T14:00:00.000000Z")


def test_a_time_without_a_zone_is_no_moment() -> None:
    with pytest.raises(NotCanonical, match="no time zone"):
        timestamp(datetime(2025, 5, 13))


def test_a_leaf_is_hashed_as_rfc_6962_says() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"entry") == hashlib.sha256(b"\x00entry").digest()
