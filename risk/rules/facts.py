"""What is known when a bot asks: `Facts`, the gate's second argument, and the views that it is made of."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from risk.rules.ask import Side
from risk.rules.exposure_types import ExposureView
from risk.rules.limits import DrawdownLimit, Limits, SessionHours


class TradingState(StrEnum):
    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


SEVERITY = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}
"""How little each state lets through; of two that hold, the higher counts."""


class StopScope(StrEnum):
    """What a stop may single out within an account or the whole desk."""

    CLIENT = "client"
    ALGORITHM = "algorithm"
    INSTRUMENT = "instrument"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """The trading state of the account or of the desk. `until` is when a timed stop is due to be lifted."""

    state: TradingState
    since: datetime | None = None
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedStopView:
    """A stop in force of one client, algorithm or instrument (`key`); no `account`: on the whole desk."""

    scope: StopScope
    key: str
    account: str | None
    view: StateView


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityView:
    """The last known equity. `at` is the earlier of the bot's time and the time of reception."""

    equity: Decimal
    at: datetime
    initial: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtView:
    """A drawdown rule whose breach is neither confirmed nor refuted: the last of `points` below `floor`."""

    rule: str
    equity: Decimal
    floor: Decimal
    since: datetime
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """How many implausible equity points wait for a ruling, and since when."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawdownView:
    """One drawdown rule, measured. `drawdown` is the positive fraction below `reference`, 0 when above."""

    rule: DrawdownLimit
    reference: Decimal
    floor: Decimal
    equity: Decimal
    drawdown: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyView:
    """A penalty for losing trades: its weight is 0..1 and blocks at 1; no `until`: until it is lifted."""

    kind: str
    value: Decimal
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossView:
    """What losing trades and stops have left behind. `stopped_at` is the last stop by a limit."""

    consecutive: int = 0
    last_loss_at: datetime | None = None
    stopped_at: datetime | None = None
    penalties: tuple[PenaltyView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """The reported position in the ask's instrument, signed (long > 0), as last reported at `at`.

    `pending_reductions` (>= 0) is what reducing decisions allowed since then may still close.
    """

    quantity: Decimal
    at: datetime
    pending_reductions: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceView:
    """Opening decisions allowed in the hour up to now, the oldest of them, and the last one ever."""

    openings_last_hour: int
    oldest_at: datetime | None = None
    last_opening_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningView:
    """An opening that was let through: `id` is its decision's. `side` as the bot stated it or its word implies,
    `quantity` as stated, at most what was allowed."""

    id: str
    at: datetime
    instrument: str
    side: Side | None
    quantity: Decimal | None


class EntryStatus(StrEnum):
    """What people said to an entry of the register of algorithms."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredView:
    """An algorithm's entry in the register, and its openings in the hour up to now where the entry limits them.

    `since` and `reason`: of what was last said to it. Null limits are none of its own.
    """

    version: int
    status: EntryStatus
    since: datetime
    reason: str
    max_quantity: Decimal | None = None
    max_openings_per_hour: int | None = None
    openings_last_hour: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmView:
    """What the algorithm of the ask opened on the account since its last review, at most as many as matter.

    `disabled_at`: since when it is disabled, under which `limit`. `reviewed_at` None: nobody ever reviewed it. `entry`
    None: it was never registered, or no limits ask for it.
    """

    key: str
    executions: int = 0
    reviewed_at: datetime | None = None
    disabled_at: datetime | None = None
    limit: int | None = None
    entry: RegisteredView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """A macro event. No `start_at`: its time is unknown. No `currency`: it concerns every instrument.

    `end_at` is set where it lasts, such as a whole day whose time nobody knows. `by_staff`: staff closed exactly this
    time, no minutes are added and its impact does not matter. `waived`: two persons opened its window.
    """

    event_id: str
    event_type: str
    start_at: datetime | None
    impact: Decimal
    currency: str | None = None
    end_at: datetime | None = None
    by_staff: bool = False
    waived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """The macro calendar, never fetched if `refreshed_at` is None. `event_reported`: the caller says so.

    `known_until` is the start of the last event that every required source knows.
    """

    refreshed_at: datetime | None
    events: tuple[EventView, ...] = ()
    event_reported: bool = False
    known_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """The session that is open, else the next one; it ends before `closes_at`."""

    hours: SessionHours
    opens_at: datetime
    closes_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether `now` lies inside."""
        return self.opens_at <= now < self.closes_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """A cluster of the market memory: how the market behaved around one event. `confidence` is 0..1."""

    cluster_id: str
    event_type: str
    at: datetime
    confidence: float
    vix_es_correlation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryView:
    """The newest clusters of the market memory dated up to now.

    `recalled` are the clusters that speak about now, where the limits ask them; `stress` (0..1) is what they remember,
    `event_types` the near events that chose them.
    """

    cluster_ids: tuple[str, ...]
    at: datetime | None = None
    vix_es_correlation: float | None = None
    recalled: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    stress: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopFeature:
    """One of the most influential features: its `share` of the importance, 0..1, and how many scales its value lies
    from the reference, 0..5 (None: missing, or no reference)."""

    name: str
    share: float
    missing: bool
    deviation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """How much of the model's feature set the ask carried, and how usual it is. `coverage` is a share of importance.

    `missing_ranks`: the places of all that are missing, 1 is the most influential; `missing_top` names the first.
    `drift` (0..1) is measured against the version `reference`; None: there is none for what came.
    """

    set_version: str
    coverage: Decimal
    present: int
    count: int
    missing_top: tuple[str, ...] = ()
    missing_ranks: tuple[int, ...] = ()
    drift: Decimal | None = None
    reference: str | None = None
    top: tuple[TopFeature, ...] = ()
    loaded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything known at the moment of asking. None means not known, which is never good news.

    `state`, `desk_state`, `losses` and `pace` None: they could not be read. `limits`, `equity`, `position`, `memory`,
    `features` None: none was ever set or reported. `held` None: no equity waits for a ruling. `zone` is the account's
    time zone. `checks_at` is when all accounts were last checked, None: never. `session` None: no limits ask for
    one, or none is known. `openings`: those let through lately, None where no limits ask for them. `stops`:
    those in force of any client, algorithm or instrument, for the account or the desk. `algorithm`: the one that the
    ask names, None where it names none or no limits ask for it. `exposure` None: what is held was not read.
    `messages`: when the account's newest messages within the minute came, the newest first, at most as many as matter;
    None where no limits ask for them.
    """

    state: StateView | None
    desk_state: StateView | None
    limits: Limits | None
    limits_version: int | None
    equity: EquityView | None
    drawdowns: tuple[DrawdownView, ...]
    doubts: tuple[DoubtView, ...]
    held: HeldView | None
    losses: LossView | None
    position: PositionView | None
    pace: PaceView | None
    calendar: CalendarView
    memory: MemoryView | None
    features: FeatureView | None
    zone: ZoneInfo
    checks_at: datetime | None
    session: SessionView | None = None
    openings: tuple[OpeningView, ...] | None = None
    stops: tuple[ScopedStopView, ...] = ()
    desk_limits_version: int | None = None
    algorithm: AlgorithmView | None = None
    exposure: ExposureView | None = None
    messages: tuple[datetime, ...] | None = None
