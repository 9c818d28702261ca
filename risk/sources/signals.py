"""signals_*.jsonl: what the bots' signal generator said, one JSON object a line."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from risk.sources.context import context_of, flatten
from risk.sources.fields import (
    money_field,
    optional_text_field,
    price_field,
    reason_field,
    score_field,
    text_field,
    word_field,
)
from risk.sources.json_rows import json_rows
from risk.sources.notes import Notes
from risk.sources.records import DecisionRecord, EquityRecord, Kind, Parsed
from risk.sources.rows import FieldError, Row, collect
from risk.sources.text import decode
from risk.sources.times import zoned_field

_EQUITY = "orderflow_stats.equity"
_USED = frozenset(
    {
        "timestamp",
        "session_id",
        "bar_number",
        "signal_data.signal_type",
        "signal_data.confidence",
        "signal_data.reasoning",
        "multi_market_context.selected_market",
    }
)


def parse_signals(data: bytes, *, zone: ZoneInfo | None = None, equity: bool = False) -> Parsed[DecisionRecord]:
    """Read signals as decisions. Times without an offset are local in `zone`.

    A signal is no order: it has neither side nor quantity. `equity` asks for the equity beside each signal; a
    simulation makes one up, so that it is never taken unasked.
    Raises SourceError where the file cannot be read, or a zone is needed and not given.
    """
    notes = Notes()

    def record_of(row: Row) -> DecisionRecord:
        flat = flatten(row.values)
        at = zoned_field(flat, "timestamp", zone)
        return DecisionRecord(
            line=row.line,
            at=at,
            trade_id=_trade_id(flat),
            decision=word_field(flat, "signal_data.signal_type"),
            signal_score=score_field(flat, "signal_data.confidence"),
            instrument=optional_text_field(flat, "multi_market_context.selected_market") or "",
            price=price_field(flat, "market_data.price", notes),
            reason=reason_field(flat, "signal_data.reasoning", notes),
            context=context_of(flat, _USED, notes),
            equity=_equity(flat, at, notes) if equity else None,
        )

    return collect(Kind.SIGNALS, json_rows(decode(data)), record_of, notes)


def _trade_id(flat: Mapping[str, object]) -> str:
    """MIA numbers the bars of a session; the pair names the signal."""
    return f"{text_field(flat, 'session_id', limit=100)}-{text_field(flat, 'bar_number', limit=99)}"


def _equity(flat: Mapping[str, object], at: datetime, notes: Notes) -> EquityRecord | None:
    money = money_field(flat, _EQUITY, notes)
    if money is None:
        return None
    if money <= 0:
        raise FieldError(_EQUITY, flat.get(_EQUITY), "an equity above 0")
    if flat.get("data_source") == "SIMULATION":
        notes.tally("equities stated by a simulation")
    return EquityRecord(at, money)
