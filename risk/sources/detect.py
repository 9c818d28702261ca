"""Which MIA file is this? Recognised by content; the name is a last hint."""

import re

from risk.sources import (
    decision_log,
    feature_importance,
    feature_reference,
    macro_events,
    market_config,
    penalty_log,
    risk_snapshot,
)
from risk.sources.bounds import MAX_NAME
from risk.sources.json_rows import JsonError, decode_at
from risk.sources.notes import Notes
from risk.sources.performance import is_timings_header
from risk.sources.records import Kind, SourceError
from risk.sources.rows import shown
from risk.sources.sqlite_rows import is_database, tables
from risk.sources.tables import read_table
from risk.sources.text import check_size, unify_lines
from risk.sources.times import is_time
from risk.sources.trades import PNL_NAMES

__all__ = ["Kind", "kind_of"]

_HEAD_BYTES = 1_000_000
_HEAD_LINES = 20
_DATABASE_NAME = re.compile(r"\.(db|sqlite3?)$", re.IGNORECASE)
_LIMIT_KEY = re.compile(rf"^[ ]*({'|'.join(market_config.LIMIT_KEYS)})[ ]*:", re.MULTILINE)
_NAMES = (
    (re.compile(r"macro_events.*\.csv$"), Kind.MACRO_EVENTS),
    (re.compile(r"feature_importance.*\.csv$"), Kind.FEATURE_IMPORTANCE),
    (re.compile(r"feature_reference.*\.csv$"), Kind.FEATURE_REFERENCE),
    (re.compile(r"market_config.*\.ya?ml$"), Kind.MARKET_CONFIG),
    (re.compile(r"decision_log_performance.*\.csv$|.*_performance\.csv$"), Kind.PERFORMANCE),
    (re.compile(r"decision_log.*\.csv$"), Kind.DECISION_LOG),
    (re.compile(r"penalty_log.*\.csv$"), Kind.PENALTY_LOG),
    (re.compile(r"risk_[0-9].*\.json$"), Kind.RISK_SNAPSHOT),
    (re.compile(r"signals_.*\.jsonl$"), Kind.SIGNALS),
    (re.compile(r"trades_.*\.jsonl?$"), Kind.TRADES),
)
_HEADERLESS = {
    **dict.fromkeys(penalty_log.HEADERLESS, Kind.PENALTY_LOG),
    **dict.fromkeys(decision_log.HEADERLESS, Kind.DECISION_LOG),
    6: Kind.PERFORMANCE,
}


def kind_of(name: str, data: bytes) -> Kind:
    """Return which MIA file `data` is. `name` is the file's name, without its folder.

    Raises SourceError, a sentence that begins with the name, for an empty file, a `.db` that is no SQLite
    database, a database without a known table, and anything unknown.
    """
    file = shown(name, MAX_NAME)
    try:
        check_size(data)
        if is_database(data):
            return _of_database(data)
    except SourceError as error:
        raise SourceError(f"{file}: {error}") from error
    if _DATABASE_NAME.search(name):
        raise SourceError(f"{file} is not an SQLite database: it begins with {_beginning(data)}")
    head = unify_lines(data[:_HEAD_BYTES].decode("utf-8-sig", "replace"))
    kind = _of_text(head) or _of_name(name)
    if kind is None:
        raise SourceError(f"{file} is not a file that is known here: nothing was read from it")
    return kind


def _beginning(data: bytes) -> str:
    """The first words of a text, or that it is none."""
    first = data[:64].decode("utf-8-sig", "ignore").strip().split("\n")[0].strip()
    return f"text ({shown(first, 20)})" if first.isprintable() and first else "bytes that are not text"


def _of_database(data: bytes) -> Kind:
    names = {table.name for table in tables(data)}
    if "clusters" in names:
        return Kind.MARKET_MEMORY
    if "trade_snapshots" in names:
        return Kind.TRADING_SNAPSHOTS
    listed = ", ".join(sorted(shown(table, 40) for table in names)[:10]) or "none"
    raise SourceError(f"the database has neither a table clusters nor trade_snapshots; its tables are {listed}")


def _of_text(head: str) -> Kind | None:
    if head.lstrip()[:1] in ("[", "{"):
        return _of_json(head)
    return _of_csv(head) or (Kind.MARKET_CONFIG if _LIMIT_KEY.search(head) else None)


def _of_json(head: str) -> Kind | None:
    start = len(head) - len(head.lstrip())
    tries = [head[start + (head[start] == "[") :], *head.split("\n", _HEAD_LINES)[:_HEAD_LINES]]
    for text in tries:
        try:
            value, _ = decode_at(text.lstrip())
        except JsonError:
            continue
        kind = _of_object(value)
        if kind:
            return kind
    return None


def _of_object(value: object) -> Kind | None:
    if not isinstance(value, dict):
        return None
    if "signal_data" in value:
        return Kind.SIGNALS
    if "trade_id" in value and any(name in value for name in PNL_NAMES):
        return Kind.TRADES
    return Kind.RISK_SNAPSHOT if all(key in value for key in risk_snapshot.KEYS) else None


def _of_csv(head: str) -> Kind | None:
    try:
        header = read_table(head, Notes()).header
    except SourceError:
        return None
    if is_time(header[0]):
        return _HEADERLESS.get(len(header))
    return _of_header(frozenset(header))


def _of_header(header: frozenset[str]) -> Kind | None:
    if is_timings_header(header):
        return Kind.PERFORMANCE
    if header.issuperset(penalty_log.COLUMNS):
        return Kind.PENALTY_LOG
    if header.issuperset(decision_log.COLUMNS[:3]) or header.issuperset(decision_log.LEGACY_COLUMNS[:3]):
        return Kind.DECISION_LOG
    if macro_events.is_macro_header(header):
        return Kind.MACRO_EVENTS
    if feature_reference.is_reference_header(header):
        return Kind.FEATURE_REFERENCE
    named = header.intersection(feature_importance.NAME_COLUMNS)
    valued = header.intersection(feature_importance.VALUE_COLUMNS)
    return Kind.FEATURE_IMPORTANCE if named and valued else None


def _of_name(name: str) -> Kind | None:
    return next((kind for pattern, kind in _NAMES if pattern.match(name)), None)
