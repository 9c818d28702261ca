"""risk_*.json: one risk snapshot, a JSON object. Its time is UTC."""

from risk.sources.fields import drawdown_field, flag_field, share_field
from risk.sources.json_rows import JsonError, decode_whole
from risk.sources.notes import Notes
from risk.sources.records import Kind, Parsed, SnapshotRecord, SourceError
from risk.sources.rows import Row, collect
from risk.sources.text import decode
from risk.sources.times import utc_field

KEYS = ("timestamp", "drawdown", "overtrade_risk_score", "penalty_active")


def parse_risk_snapshot(data: bytes) -> Parsed[SnapshotRecord]:
    """Read one snapshot; a negative drawdown is MIA's older sign. Raises SourceError for a broken one."""
    notes = Notes()
    try:
        document = decode_whole(decode(data))
    except JsonError as error:
        raise SourceError(f"the snapshot is {error}") from error
    if not isinstance(document, dict):
        raise SourceError("the snapshot is not a JSON object")
    unread = len([key for key in document if key not in KEYS])
    if unread:
        notes.say(f"keys not imported: {unread}")

    def record_of(row: Row) -> SnapshotRecord:
        return SnapshotRecord(
            at=utc_field(row.values, "timestamp", notes),
            drawdown=drawdown_field(row.values, "drawdown"),
            overtrade_risk_score=float(share_field(row.values, "overtrade_risk_score")),
            penalty_active=flag_field(row.values, "penalty_active"),
        )

    return collect(Kind.RISK_SNAPSHOT, (Row(1, document),), record_of, notes)
