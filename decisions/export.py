"""Decisions as files: the specification's decision_log.csv; every column for compliance (CSV, JSON, NDJSON).

Both in constant memory. Only the compliance CSV is guarded against spreadsheets that run cells as formulas;
the specification's file holds what is recorded, so that it can be read back.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import QuerySet

from decisions.models import Decision
from mia_site.audit.canonical import timestamp
from mia_site.ops.spreadsheets import cell_text
from risk.export import (
    Cursor,
    Page,
    Part,
    Period,
    csv_bytes,
    moment_text,
    performance_part,
    risk_parts,
    rows_paged,
)
from risk.models import Account
from risk.rules.messages import number

DECISION_COLUMNS = ("timestamp", "trade_id", "decision", "signal_score", "regime_probs")
REGIMES = ("range", "trend", "defensive")
CHUNK_ROWS = 2_000
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_CRLF = "\r\n"


def tree_parts(account: Account, period: Period) -> tuple[Part, ...]:
    """Every file of the specification's tree for `account` and `period`."""
    return (
        Part(
            "logs/trading/decision_log.csv",
            csv_bytes([DECISION_COLUMNS]),
            lambda after: _decision_pages(account, period, after),
        ),
        performance_part("logs/decision_log_performance.csv", ("log_decision", "submit"), period),
        *risk_parts(account, period),
    )


def trade_text(trade_id: str, at: datetime) -> str:
    """`trade_id` as it stands in a file of one row a line: without control characters and blank ends.

    A decision without one (MIA's older log has none) is named by its second.
    """
    return _CONTROL.sub(" ", trade_id).strip() or f"log-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def regime_text(regimes: Mapping[str, float] | None) -> str | None:
    """`{"range": 0.7, "trend": 0.2}`, always in the specification's order; None where there are none."""
    if not regimes:
        return None
    return json.dumps({name: float(regimes[name]) for name in REGIMES if name in regimes})


def _decision_pages(account: Account, period: Period, after: Cursor | None) -> Iterator[Page]:
    for page in rows_paged(Decision.objects.filter(account_id=account.pk), DECISION_COLUMNS[1:], period, after):
        lines = csv_bytes(
            (moment_text(at), trade_text(trade_id, at), decision, score, regime_text(regimes))
            for at, _, trade_id, decision, score, regimes in page
        )
        yield Page(len(page), Cursor(*page[-1][:2]), lines)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the compliance export: where its value is found, and how it is written."""

    name: str
    path: str
    write: Callable[[Any], Any] = lambda value: value


def _codes(reasons: list[dict[str, Any]]) -> str:
    return " ".join(str(reason.get("code", "")) for reason in reasons or ())


COLUMNS = (
    Column("id", "id", str),
    Column("recorded_at", "recorded_at", timestamp),
    Column("at", "at", timestamp),
    Column("account", "account__code"),
    Column("seq", "seq"),
    Column("origin", "origin"),
    Column("mode", "mode"),
    Column("client", "client__name"),
    Column("actor", "actor"),
    Column("decided_at", "decided_at", timestamp),
    Column("trade_id", "trade_id"),
    Column("decision", "decision"),
    Column("signal_score", "signal_score"),
    Column("regime_probs", "regime_probs"),
    Column("instrument", "instrument"),
    Column("side", "side"),
    Column("quantity", "quantity", number),
    Column("price", "price", number),
    Column("order_type", "order_type"),
    Column("order_id", "order_id"),
    Column("reason", "reason"),
    Column("algorithm", "algorithm"),
    Column("model", "model"),
    Column("trace_id", "trace_id"),
    Column("context", "context"),
    Column("verdict", "verdict"),
    Column("effect", "effect"),
    Column("reason_code", "reason_code"),
    Column("reason_codes", "reasons", _codes),
    Column("reasons", "reasons"),
    Column("shadow_reasons", "shadow_reasons"),
    Column("max_quantity", "max_quantity", number),
    Column("valid_until", "valid_until", timestamp),
    Column("retry_at", "retry_at", timestamp),
    Column("trading_state", "trading_state"),
    Column("limits_version", "limits_version"),
    Column("judged_on", "judged_on"),
    Column("feature_set", "feature_set__version"),
    Column("feature_coverage", "feature_coverage"),
    Column("feature_commitment", "feature_commitment"),
)
"""Every column, in the order of the export; new ones are added at the end."""
_NUMBERS = frozenset({"quantity", "price", "max_quantity"})


def decisions_csv(decisions: "QuerySet[Decision]") -> Iterator[bytes]:
    """The decisions, in the order of the queryset, as CSV with a header.

    Lines end as RFC 4180 says. JSON columns are JSON text, times are ISO 8601 in UTC. Text that a
    spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers.
    """
    yield csv_bytes([[column.name for column in COLUMNS]], end=_CRLF)
    for rows in _chunks(decisions):
        cells = ([_cell(column, value) for column, value in zip(COLUMNS, row, strict=True)] for row in rows)
        yield csv_bytes(cells, end=_CRLF)


def decisions_ndjson(decisions: "QuerySet[Decision]") -> Iterator[bytes]:
    """The decisions as one JSON object a line."""
    for rows in _chunks(decisions):
        yield b"".join(_object(row) + b"\n" for row in rows)


def decisions_json(decisions: "QuerySet[Decision]") -> Iterator[bytes]:
    """The decisions as one JSON array."""
    before = b"[\n"
    for rows in _chunks(decisions):
        yield before + b",\n".join(_object(row) for row in rows)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


FORMATS: dict[str, tuple[Callable[["QuerySet[Decision]"], Iterator[bytes]], str]] = {
    "csv": (decisions_csv, "text/csv; charset=utf-8"),
    "json": (decisions_json, "application/json"),
    "ndjson": (decisions_ndjson, "application/x-ndjson"),
}
"""What decisions are exported as: name -> (writer, content type)."""


def _chunks(decisions: "QuerySet[Decision]") -> Iterator[list[list[Any]]]:
    chunk: list[list[Any]] = []
    rows = decisions.values_list(*(column.path for column in COLUMNS))
    for row in rows.iterator(chunk_size=CHUNK_ROWS):
        chunk.append(
            [None if value is None else column.write(value) for column, value in zip(COLUMNS, row, strict=True)]
        )
        if len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _cell(column: Column, value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode()
    if isinstance(value, str) and column.name not in _NUMBERS:
        return cell_text(value)
    return value


def _object(row: list[Any]) -> bytes:
    return orjson.dumps({column.name: value for column, value in zip(COLUMNS, row, strict=True)})
