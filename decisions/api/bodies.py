"""Bodies with many decisions: a JSON array or NDJSON, bounded; every wrong row is named by its index."""

import io
import itertools
from typing import Any

import msgspec

from decisions.decision_log import RowError
from decisions.inputs import DecisionInput
from mia_site.ops.http import BodyError, body_decode
from mia_site.ops.problems import Problem, field_error

MAX_ROWS = 1000
BATCH_BYTES = 16 * 1024 * 1024
ERRORS_SHOWN = 100
MAX_COMMAS = MAX_ROWS * 2_500
"""More than the largest rows have: a reason may be 2,000 characters."""


def batch_decode(body: bytes) -> list[DecisionInput]:
    """All rows, or a `Problem` that lists what is wrong with which row. Raises `BodyError` for the whole body."""
    rows = _rows(body)
    if not 1 <= len(rows) <= MAX_ROWS:
        raise BodyError("", f"1 to {MAX_ROWS} decisions")
    decoded: list[DecisionInput] = []
    errors: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        try:
            decoded.append(body_decode(row, DecisionInput))
        except BodyError as error:
            errors.append({"index": index, **field_error(error.field or "body", error.value, error.expected)})
    if errors:
        raise Problem(
            400, "invalid_request", f"{len(errors)} of {len(rows)} rows cannot be taken; nothing was recorded.",
            errors=errors[:ERRORS_SHOWN],
        )  # fmt: skip
    return decoded


def row_problem(error: RowError) -> Problem:
    """What only the desk could refuse, told like what was wrong at the door."""
    told = {"index": error.index, **field_error(error.name, error.value, error.expected)}
    detail = f"[{error.index}].{error.name}: expected {error.expected}"
    return Problem(400, "invalid_request", detail, errors=[told])


def _rows(body: bytes) -> list[bytes]:
    """The rows, undecoded, and one more than are taken where there are more: small rows must not become large lists."""
    if body.lstrip()[:1] == b"[":
        if body.count(b",") > MAX_COMMAS:
            raise BodyError("", f"1 to {MAX_ROWS} decisions")
        return [bytes(raw) for raw in body_decode(body, list[msgspec.Raw])]
    lines = (line.strip() for line in io.BytesIO(body))
    return list(itertools.islice(filter(None, lines), MAX_ROWS + 1))
