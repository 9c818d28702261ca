"""penalty_log.csv: when a penalty was active. Its times are UTC."""

from risk.sources.fields import flag_field, share_field
from risk.sources.notes import Notes
from risk.sources.records import Kind, Parsed, PenaltyRecord
from risk.sources.rows import Row, collect
from risk.sources.tables import read_table
from risk.sources.text import decode
from risk.sources.times import utc_field

COLUMNS = ("timestamp", "penalty_active", "overtrade_risk_score")
HEADERLESS = {
    len(COLUMNS): COLUMNS,
    4: ("timestamp", "drawdown", "overtrade_risk_score", "penalty_active"),
}
"""The specification's code appended whole snapshots, of four values, without a header."""


def parse_penalty_log(data: bytes) -> Parsed[PenaltyRecord]:
    """Read a penalty log. Raises SourceError where the file cannot be read or a column is missing."""
    notes = Notes()
    table = read_table(decode(data), notes, HEADERLESS)
    table.require(*COLUMNS)
    table.note_unread(COLUMNS, notes)

    def record_of(row: Row) -> PenaltyRecord:
        return PenaltyRecord(
            line=row.line,
            at=utc_field(row.values, "timestamp", notes),
            penalty_active=flag_field(row.values, "penalty_active"),
            overtrade_risk_score=float(share_field(row.values, "overtrade_risk_score")),
        )

    return collect(Kind.PENALTY_LOG, table.rows, record_of, notes)
