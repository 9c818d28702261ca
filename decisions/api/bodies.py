"""Bodies with many decisions: a JSON array or NDJSON, bounded; every wrong row is named by its index."""

from typing import Any

import msgspec

from decisions.inputs import DecisionInput
from mia_site.ops.http import BodyError, body_decode
from mia_site.ops.problems import Problem

MAX_ROWS = 1000
BATCH_BYTES = 16 * 1024 * 1024
ERRORS_SHOWN = 100


def batch_decode(body: bytes) -> list[DecisionInput]:
    """All rows, or a `Problem` that lists what is wrong with which row. Raises `BodyError` for the whole body."""
    rows = _rows(body)
    if not 1 <= len(rows) <= MAX_ROWS:
        raise BodyError("", f"1 to {MAX_ROWS} decisions, got {len(rows)}")
    decoded: list[DecisionInput] = []
    errors: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        try:
            decoded.append(body_decode(row, DecisionInput))
        except BodyError as error:
            errors.append({"index": index, "field": error.field or "body", "expected": error.expected})
    if errors:
        raise Problem(
            400, "invalid_request", f"{len(errors)} of {len(rows)} rows cannot be taken; nothing was recorded.",
            errors=errors[:ERRORS_SHOWN],
        )  # fmt: skip
    return decoded


def _rows(body: bytes) -> list[bytes]:
    if body.lstrip()[:1] == b"[":
        return [bytes(raw) for raw in body_decode(body, list[msgspec.Raw])]
    return [line for line in body.splitlines() if line.strip()]
