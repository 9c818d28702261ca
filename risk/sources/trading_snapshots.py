"""trading_snapshots.db: closed trades with what was known at their entry, an SQLite database.

`timestamp` is the time of entry: in MIA's files, where a position is always turned round, each trade's
timestamp plus its duration is the timestamp of the next.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from risk.sources.context import flatten
from risk.sources.fields import is_blank, number_field
from risk.sources.json_rows import JsonError, decode_whole
from risk.sources.notes import Notes
from risk.sources.records import DecisionRecord, Kind, Parsed
from risk.sources.rows import FieldError, Row, collect
from risk.sources.sqlite_rows import table_rows
from risk.sources.times import zoned_field
from risk.sources.trades import trade_record

_REQUIRED = ("trade_id", "timestamp")
_OPTIONAL = (
    "signal",
    "entry_price",
    "exit_price",
    "pnl_points",
    "pnl_dollars",
    "duration_minutes",
    "confluence_score",
    "total_patterns_count",
    "trade_success",
    "snapshot_json",
)
_TEN_YEARS = Decimal(10 * 366 * 24 * 60)


def parse_trading_snapshots(data: bytes, *, zone: ZoneInfo | None = None) -> Parsed[DecisionRecord]:
    """Read closed trades as decisions with outcomes; a row's number stands for its line.

    The table's columns come before what its snapshot repeats. Times without an offset are local in `zone`.
    Raises SourceError where the database cannot be read, or a zone is needed and not given.
    """
    notes = Notes()

    def record_of(row: Row) -> DecisionRecord:
        columns = {name: value for name, value in row.values.items() if name != "snapshot_json" and value is not None}
        flat = _snapshot(row) | columns
        at = zoned_field(flat, "timestamp", zone)
        return trade_record(row.line, flat, at, _closed_at(flat, at, notes), notes)

    rows = table_rows(data, "trade_snapshots", _REQUIRED, _OPTIONAL, notes)
    return collect(Kind.TRADING_SNAPSHOTS, rows, record_of, notes)


def _snapshot(row: Row) -> dict[str, object]:
    raw = row.values.get("snapshot_json")
    if is_blank(raw):
        return {}
    if not isinstance(raw, str):
        raise FieldError("snapshot_json", "binary data", "a JSON object")
    try:
        document = decode_whole(raw)
    except JsonError as error:
        raise FieldError("snapshot_json", raw, f"a JSON object ({error})") from error
    if not isinstance(document, dict):
        raise FieldError("snapshot_json", raw, "a JSON object")
    return flatten(document)


def _closed_at(flat: dict[str, object], entered_at: datetime, notes: Notes) -> datetime:
    minutes = number_field(flat, "duration_minutes", Decimal(0), _TEN_YEARS, "minutes from 0 to ten years")
    if minutes is None:
        notes.tally("trades without a duration, taken as closed at their entry")
        return entered_at
    return entered_at + timedelta(minutes=float(minutes))
