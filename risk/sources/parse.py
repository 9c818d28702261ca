"""The door of the parsers: a file's name and bytes in, its records and errors out."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from risk.sources.decision_log import parse_decision_log
from risk.sources.detect import kind_of
from risk.sources.feature_importance import FEATURE_COUNT, parse_feature_importance
from risk.sources.feature_reference import parse_feature_reference
from risk.sources.macro_events import parse_macro_events
from risk.sources.market_config import parse_market_config
from risk.sources.market_memory import parse_market_memory
from risk.sources.penalty_log import parse_penalty_log
from risk.sources.performance import parse_performance
from risk.sources.records import Kind, Parsed, Record, SourceError
from risk.sources.risk_snapshot import parse_risk_snapshot
from risk.sources.rows import shown
from risk.sources.signals import parse_signals
from risk.sources.trades import parse_trades
from risk.sources.trading_snapshots import parse_trading_snapshots


def parse(
    name: str,
    data: bytes,
    *,
    zone: ZoneInfo | None = None,
    feature_count: int = FEATURE_COUNT,
    equity: bool = False,
) -> Parsed[Record]:
    """Recognise the MIA file `data` and read it. `name` is its name without the folder.

    `zone` dates local times of the files that are not UTC by definition. `feature_count` is how many features
    make a set. `equity` asks for the equities that signals state. Raises SourceError, a sentence that begins
    with the name, for a file that cannot be read as a whole.
    """
    kind = kind_of(name, data)
    parsers: dict[Kind, Callable[[], Parsed[Record]]] = {
        Kind.MACRO_EVENTS: lambda: parse_macro_events(data),
        Kind.FEATURE_IMPORTANCE: lambda: parse_feature_importance(data, count=feature_count),
        Kind.FEATURE_REFERENCE: lambda: parse_feature_reference(data),
        Kind.MARKET_MEMORY: lambda: parse_market_memory(data),
        Kind.MARKET_CONFIG: lambda: parse_market_config(data),
        Kind.DECISION_LOG: lambda: parse_decision_log(data, zone=zone),
        Kind.PENALTY_LOG: lambda: parse_penalty_log(data),
        Kind.RISK_SNAPSHOT: lambda: parse_risk_snapshot(data),
        Kind.SIGNALS: lambda: parse_signals(data, zone=zone, equity=equity),
        Kind.TRADES: lambda: parse_trades(data, zone=zone),
        Kind.TRADING_SNAPSHOTS: lambda: parse_trading_snapshots(data, zone=zone),
        Kind.PERFORMANCE: lambda: parse_performance(data),
    }
    try:
        return parsers[kind]()
    except SourceError as error:
        raise SourceError(f"{shown(name, 200)}: {error}") from error
