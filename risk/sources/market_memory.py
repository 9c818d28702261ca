"""market_memory.db: the clusters of winning patterns, an SQLite database. Its times are UTC."""

from collections.abc import Mapping
from decimal import Decimal

from risk.sources.bounds import MAX_CLUSTER_CHARS, MAX_CLUSTER_FEATURES, MAX_NAME
from risk.sources.context import flatten
from risk.sources.fields import (
    finite_float,
    is_blank,
    number_field,
    optional_text_field,
    score_field,
    text_field,
)
from risk.sources.json_rows import JsonError, decode_whole
from risk.sources.notes import Notes
from risk.sources.records import ClusterRecord, Context, ContextValue, Kind, Parsed
from risk.sources.rows import FieldError, Row, collect
from risk.sources.sqlite_rows import table_rows
from risk.sources.text import is_usable
from risk.sources.times import utc_field

CORRELATION = "vix_es_correlation"
_REQUIRED = ("event_type", "features", "timestamp")
_OPTIONAL = ("cluster_id", "confidence")


def parse_market_memory(data: bytes) -> Parsed[ClusterRecord]:
    """Read the clusters of a market memory; a row's number stands for its line.

    Raises SourceError where the database cannot be read, or has no table `clusters` with its columns.
    """
    notes = Notes()

    def record_of(row: Row) -> ClusterRecord:
        features = _features(row.values)
        correlation = number_field(features, CORRELATION, Decimal(-1), Decimal(1), "a number from -1 to 1")
        return ClusterRecord(
            source_id=optional_text_field(row.values, "cluster_id") or str(row.line),
            event_type=text_field(row.values, "event_type"),
            features=features,
            at=utc_field(row.values, "timestamp", notes),
            confidence=_confidence(row.values, notes),
            vix_es_correlation=None if correlation is None else float(correlation),
        )

    rows = table_rows(data, "clusters", _REQUIRED, _OPTIONAL, notes)
    return collect(Kind.MARKET_MEMORY, rows, record_of, notes)


def _confidence(values: Mapping[str, object], notes: Notes) -> float:
    confidence = score_field(values, "confidence")
    if confidence is None:
        notes.tally("clusters without a confidence, taken as 0.0, the table's default")
    return confidence or 0.0


def _features(values: Mapping[str, object]) -> Context:
    """The features of a cluster: unlike a decision's context, one that cannot be kept refuses the cluster."""
    raw = values.get("features")
    if not isinstance(raw, str) or len(raw) > MAX_CLUSTER_CHARS:
        raise FieldError("features", raw, f"a JSON object of at most {MAX_CLUSTER_CHARS:,} characters")
    try:
        document = decode_whole(raw)
    except JsonError as error:
        raise FieldError("features", raw, f"a JSON object ({error})") from error
    if not isinstance(document, dict):
        raise FieldError("features", raw, "a JSON object")
    flat = flatten(document)
    if len(flat) > MAX_CLUSTER_FEATURES:
        raise FieldError("features", f"{len(flat)} names", f"at most {MAX_CLUSTER_FEATURES:,} names")
    return {_name(name): _feature(name, value) for name, value in flat.items()}


def _name(name: str) -> str:
    if not name or len(name) > MAX_NAME or not name.isascii() or not name.isprintable():
        raise FieldError("features", name, f"named in ASCII, at most {MAX_NAME} characters each")
    return name


def _feature(name: str, raw: object) -> ContextValue:
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and len(raw) <= MAX_NAME and is_usable(raw):
        return None if is_blank(raw) else raw
    number = finite_float(raw)
    if number is None:
        raise FieldError(f"features.{name}"[:MAX_NAME], raw, "a finite number, a flag or a short text")
    return number
