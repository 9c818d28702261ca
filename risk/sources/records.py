"""What the parsers hand out: frozen records, row errors, and the error of a file that cannot be read."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

ContextValue = str | int | float | bool | None
Context = dict[str, ContextValue]
"""Names that the product has no column for: ASCII, dotted, at most 200 of them; numbers are finite."""


class Kind(StrEnum):
    """The MIA files that are recognised."""

    MACRO_EVENTS = "macro_events"
    FEATURE_IMPORTANCE = "feature_importance"
    FEATURE_REFERENCE = "feature_reference"
    MARKET_MEMORY = "market_memory"
    MARKET_CONFIG = "market_config"
    DECISION_LOG = "decision_log"
    PENALTY_LOG = "penalty_log"
    RISK_SNAPSHOT = "risk_snapshot"
    SIGNALS = "signals"
    TRADES = "trades"
    TRADING_SNAPSHOTS = "trading_snapshots"
    PERFORMANCE = "performance"


class SourceError(ValueError):
    """A whole file that cannot be read; the text is a sentence for the person who chose the file."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One row that was refused. `line` counts from 1: the line of a text, the row of a database table."""

    line: int
    message: str
    field: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A macro event. `start_at` is UTC, None where the file has no time; `impact` is 0..1, as written.

    `end_at` is set where it lasts, `uid` where the source has an id of its own for it; a cancelled one will not be.
    """

    line: int
    start_at: datetime | None
    event_type: str
    currency: str | None
    impact: Decimal
    cluster_ref: str | None
    end_at: datetime | None = None
    uid: str = ""
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class FeatureImportance:
    """One feature of a set; `importance` is |SHAP|, finite."""

    name: str
    importance: float


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """Where a feature usually lies: its median and interquartile range, and how many values they come from, if told."""

    name: str
    median: float
    iqr: float
    count: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """A cluster of the market memory. `confidence` is 0..1, `vix_es_correlation` -1..1 or not stated."""

    source_id: str
    event_type: str
    features: Context
    at: datetime
    confidence: float
    vix_es_correlation: float | None


@dataclass(frozen=True, slots=True)
class LimitsRecord:
    """What a market configuration says about limits.

    `values` is a part of a limits document (decimals as text, counts as integers). `mapped` lists (key of the
    file, path in the document, value); `ignored` lists every other key of the file with the reason. No value
    of an ignored key is kept: some are secrets.
    """

    values: dict[str, object]
    mapped: tuple[tuple[str, str, str], ...]
    ignored: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """What a closed trade made: `pnl` and `exit_price` with 4 decimals."""

    pnl: Decimal
    closed_at: datetime
    quantity: Decimal | None
    exit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class EquityRecord:
    """An equity stated beside a signal."""

    at: datetime
    equity: Decimal


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision of imported history. `trade_id` and `instrument` are "" where the file names none."""

    line: int
    at: datetime
    trade_id: str
    decision: str
    signal_score: float | None = None
    regime_probs: dict[str, float] | None = None
    instrument: str = ""
    side: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    reason: str = ""
    context: Context = field(default_factory=dict)
    outcome: OutcomeRecord | None = None
    equity: EquityRecord | None = None


@dataclass(frozen=True, slots=True)
class PenaltyRecord:
    """A line of the penalty log; the score is 0..1."""

    line: int
    at: datetime
    penalty_active: bool
    overtrade_risk_score: float


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A risk snapshot; `drawdown` is a positive fraction, the score is 0..1."""

    at: datetime
    drawdown: Decimal
    overtrade_risk_score: float
    penalty_active: bool


Record = (
    EventRecord
    | FeatureImportance
    | FeatureStatistics
    | ClusterRecord
    | LimitsRecord
    | DecisionRecord
    | PenaltyRecord
    | SnapshotRecord
)
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T_co]):
    """A parsed file: the good rows, the refused ones, what a person should know, and the rows read."""

    kind: Kind
    records: tuple[T_co, ...]
    errors: tuple[RowError, ...]
    notes: tuple[str, ...]
    read: int
