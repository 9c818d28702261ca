"""What a replayed account is remembered as between two steps, and what no limits change of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from risk.rules.ask import Effect, Side
from risk.rules.drawdown import Point
from risk.rules.facts import AlgorithmView, OpeningView, PenaltyView, TradingState
from risk.rules.limits import ConfirmationLimits, DrawdownLimit, SessionHours
from risk.rules.order_life import OrderLife
from risk.rules.track import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stays the same under any limits. `begin` starts a rule's track at the account's first point (of that `seq`);
    `replayed` gives the tracks of rules after the whole history before a `seq`; `session_next` says when the next
    session of these hours opens, None where nobody knows."""

    initial: Decimal
    zone: ZoneInfo
    begin: Callable[[DrawdownLimit, Point, int], Track]
    replayed: Callable[[Sequence[DrawdownLimit], ConfirmationLimits, int], dict[str, Track]]
    session_next: Callable[[SessionHours, datetime], datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A trading state that began. `rule` and `drawdown`: what a limit stopped on; a stop by hand has none. With a
    `rule` but not `by_limit`: the stop of that rule ended by itself."""

    seq: int
    at: datetime
    state: TradingState
    until: datetime | None = None
    by_limit: bool = False
    rule: str = ""
    drawdown: Decimal | None = None
    equity: Decimal | None = None
    floor: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld:
    """An order that was let through. `most`: its fills count up to here, since it would have been smaller."""

    instrument: str
    effect: Effect
    side: Side | None
    life: OrderLife
    most: Decimal | None = None


@dataclass(kw_only=True)
class Standing:
    """What is remembered between two steps: plain values, so that a replay can be left and taken up again.

    `changes` are those that may still hold beneath a timed stop; `overdue`: when one whose time is over was last found
    below a floor. `unmade` are decisions that were let through and
    would not have been: their trades have no outcome here. `answered` are orders that the positions of `positions_at`
    answer for; `prices` the last known ones, as `quotes_take` keeps them; `algorithms` what each opened since its last
    review, `algorithm_hours` when within the hour.
    """

    tracks: dict[str, Track] = field(default_factory=dict)
    state: TradingState = TradingState.ACTIVE
    since: datetime | None = None
    until: datetime | None = None
    overdue: datetime | None = None
    changes: list[Change] = field(default_factory=list)
    stopped_at: datetime | None = None
    penalty: bool = False
    equity: Decimal | None = None
    equity_at: datetime | None = None
    heard_seq: int = 0
    held: int = 0
    held_since: datetime | None = None
    losses: int = 0
    losses_seq: int = 0
    last_loss_at: datetime | None = None
    penalties: dict[str, PenaltyView] = field(default_factory=dict)
    outcomes: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    openings: list[OpeningView] = field(default_factory=list)
    last_opening_at: datetime | None = None
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    positions_at: datetime | None = None
    orders: dict[str, OrderHeld] = field(default_factory=dict)
    answered: dict[str, OrderHeld] = field(default_factory=dict)
    algorithms: dict[str, AlgorithmView] = field(default_factory=dict)
    algorithm_hours: dict[str, list[datetime]] = field(default_factory=dict)
    prices: dict[str, dict[str, str]] = field(default_factory=dict)
    unmade: set[str] = field(default_factory=set)
    implausible: int = 0
    kept_stopped: int = 0
