"""trades_*.json and trades_*.jsonl: trades that were closed, an array of objects or one object a line.

`timestamp` is taken as the time of closing. In the .jsonl files the trade's id repeats that very second and
the row holds the result, so that it was written at the close. The .json files state two durations that
contradict each other (`duration_minutes`, `holding_time_minutes`): neither can date the other end, and both
stay in the context.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from risk.sources.context import context_of, flatten
from risk.sources.fields import (
    decimal_of,
    is_blank,
    money_field,
    optional_text_field,
    price_field,
    quantity_field,
    text_field,
)
from risk.sources.json_rows import json_rows
from risk.sources.notes import Notes
from risk.sources.records import DecisionRecord, Kind, OutcomeRecord, Parsed
from risk.sources.rows import FieldError, Row, collect
from risk.sources.text import decode
from risk.sources.times import zoned_field

PNL_NAMES = ("pnl", "net_pnl", "pnl_dollars")
_SCORE_NAMES = ("signal_strength", "confluence_score")
_SIDE_NAMES = ("side", "signal")
_SIDES = {"long": "buy", "buy": "buy", "short": "sell", "sell": "sell"}
_USED = ("timestamp", "trade_id", "symbol", "entry_price", "exit_price", "quantity")


def parse_trades(data: bytes, *, zone: ZoneInfo | None = None) -> Parsed[DecisionRecord]:
    """Read closed trades as decisions with outcomes. Times without an offset are local in `zone`.

    Raises SourceError where the file cannot be read, or a zone is needed and not given.
    """
    notes = Notes()

    def record_of(row: Row) -> DecisionRecord:
        flat = flatten(row.values)
        at = zoned_field(flat, "timestamp", zone)
        return trade_record(row.line, flat, at, at, notes)

    return collect(Kind.TRADES, json_rows(decode(data)), record_of, notes)


def trade_record(
    line: int, flat: Mapping[str, object], at: datetime, closed_at: datetime, notes: Notes
) -> DecisionRecord:
    """The decision and outcome of one flattened trade; without a result it has no outcome.

    The decision is buy or sell where the row states a side, else "trade"; the score is the first of the
    signal's strength and the confluence that is 0..1. Raises FieldError.
    """
    side_name, side = _side(flat)
    score_name, score = _score(flat)
    pnl_name = next((name for name in PNL_NAMES if not is_blank(flat.get(name))), "")
    quantity = quantity_field(flat, "quantity", notes)
    pnl = money_field(flat, pnl_name, notes) if pnl_name else None
    exit_price = price_field(flat, "exit_price", notes)
    return DecisionRecord(
        line=line,
        at=at,
        trade_id=text_field(flat, "trade_id"),
        decision=side or "trade",
        signal_score=score,
        instrument=optional_text_field(flat, "symbol") or "",
        side=side,
        quantity=quantity,
        price=price_field(flat, "entry_price", notes),
        context=context_of(flat, {*_USED, side_name, score_name, pnl_name, ""}, notes),
        outcome=None if pnl is None else OutcomeRecord(pnl, closed_at, quantity, exit_price),
    )


def _side(flat: Mapping[str, object]) -> tuple[str, str | None]:
    name = next((name for name in _SIDE_NAMES if not is_blank(flat.get(name))), "")
    if not name:
        return "", None
    raw = flat[name]
    side = _SIDES.get(raw.strip().lower()) if isinstance(raw, str) else None
    if side is None:
        raise FieldError(name, raw, "LONG or SHORT")
    return name, side


def _score(flat: Mapping[str, object]) -> tuple[str, float | None]:
    for name in _SCORE_NAMES:
        score = decimal_of(flat.get(name))
        if score is not None and 0 <= score <= 1:
            return name, float(score)
    return "", None
