"""decision_log.csv in two dialects: the specification's, and the older `timestamp,decision,reason,regime`."""

from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from risk.sources.fields import (
    is_blank,
    number_field,
    optional_text_field,
    reason_field,
    score_field,
    text_field,
    word_field,
)
from risk.sources.json_rows import JsonError, decode_whole
from risk.sources.notes import Notes
from risk.sources.records import DecisionRecord, Kind, Parsed
from risk.sources.rows import FieldError, Row, collect
from risk.sources.tables import read_table
from risk.sources.text import decode
from risk.sources.times import utc_field, zoned_field

COLUMNS = ("timestamp", "trade_id", "decision", "signal_score", "regime_probs")
LEGACY_COLUMNS = ("timestamp", "decision", "reason", "regime")
HEADERLESS = {len(COLUMNS): COLUMNS}
REGIMES = ("range", "trend", "defensive")
_TOLERANCE = Decimal("1e-9")
_MAX_REGIME_CHARS = 1_000


def parse_decision_log(data: bytes, *, zone: ZoneInfo | None = None) -> Parsed[DecisionRecord]:
    """Read a decision log.

    The specification's times are UTC; the older dialect's carry an offset or are local in `zone`. The older
    dialect names no trade (`trade_id` is "") and its regime goes to the context.

    Raises SourceError where the file cannot be read, a column is missing, or a zone is needed and not given.
    """
    notes = Notes()
    table = read_table(decode(data), notes, HEADERLESS)
    legacy = "trade_id" not in table.header and "reason" in table.header
    columns = LEGACY_COLUMNS if legacy else COLUMNS
    table.require(*(("timestamp", "decision", "reason") if legacy else COLUMNS))
    table.note_unread(columns, notes)

    def record_of(row: Row) -> DecisionRecord:
        return _legacy_record(row, zone, notes) if legacy else _record(row, notes)

    return collect(Kind.DECISION_LOG, table.rows, record_of, notes)


def _record(row: Row, notes: Notes) -> DecisionRecord:
    return DecisionRecord(
        line=row.line,
        at=utc_field(row.values, "timestamp", notes),
        trade_id=text_field(row.values, "trade_id"),
        decision=word_field(row.values, "decision"),
        signal_score=score_field(row.values, "signal_score"),
        regime_probs=regime_probs_field(row.values, "regime_probs"),
    )


def _legacy_record(row: Row, zone: ZoneInfo | None, notes: Notes) -> DecisionRecord:
    regime = optional_text_field(row.values, "regime")
    return DecisionRecord(
        line=row.line,
        at=zoned_field(row.values, "timestamp", zone),
        trade_id="",
        decision=word_field(row.values, "decision"),
        reason=reason_field(row.values, "reason", notes),
        context={"regime": regime} if regime else {},
    )


def regime_probs_field(values: Mapping[str, object], name: str) -> dict[str, float] | None:
    """Probabilities of the regimes range, trend and defensive, as JSON text; one may be left out.

    Each is 0..1 and their sum at most 1 (to 1e-9). None where the field is blank.
    """
    raw = values.get(name)
    if is_blank(raw):
        return None
    expected = 'a JSON object such as {"range": 0.7, "trend": 0.2, "defensive": 0.1}'
    if not isinstance(raw, str) or len(raw) > _MAX_REGIME_CHARS:
        raise FieldError(name, raw, expected)
    try:
        document = decode_whole(raw)
    except JsonError as error:
        raise FieldError(name, raw, f"{expected} ({error})") from error
    if not isinstance(document, dict) or not set(document) <= set(REGIMES):
        raise FieldError(name, raw, expected)
    probs = {regime: _prob(document, regime, f"{name}.{regime}") for regime in document}
    if sum(probs.values()) > 1 + _TOLERANCE:
        raise FieldError(name, raw, "probabilities whose sum is at most 1")
    return {regime: float(prob) for regime, prob in probs.items()}


def _prob(document: Mapping[str, object], regime: str, name: str) -> Decimal:
    expected = "a probability from 0 to 1"
    prob = number_field({name: document[regime]}, name, Decimal(0), Decimal(1), expected)
    if prob is None:
        raise FieldError(name, None, expected)
    return prob
