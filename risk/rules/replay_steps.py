"""What happened to an account, step by step, as a replay hears it again: recorded facts without any row.

`seq` is the step's place in the account's history, `at` when the desk recorded it. Steps come in the order of `seq`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.ask import Ask, Effect
from risk.rules.drawdown import Point
from risk.rules.facts import DoubtView, EquityView, FeatureView, PositionView, ScopedStopView, StateView, TradingState
from risk.rules.limits import Limits
from risk.rules.order_life import OrderTold
from risk.rules.reference import Quote
from risk.rules.verdict import VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A moment of the account's history."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTold(Step):
    """An equity point that counted."""

    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakMoved(Step):
    """A peak that a person moved down, of the drawdown rule with this name."""

    rule: str
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PointHeld(Step):
    """A point that was not believed, and waits for a ruling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRuled(Step):
    """Somebody ruled on every point that was held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsBegan(Step):
    """Limits came into force."""

    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMoved(Step):
    """A stop or a resume by hand; `ended`: not by hand, the time of a stop (also of a limit's own) was over."""

    from_state: TradingState
    to_state: TradingState
    until: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Step):
    """The periodic check found something to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCalled(Step):
    """Somebody called `stop_trading` with this drawdown."""

    drawdown: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeClosed(Step):
    """The final outcome of the trade that the decision `decision_id` began, which was over at `closed_at`."""

    decision_id: str
    pnl: Decimal
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsTold(Step):
    """All positions (signed) of the account as of `as_of`."""

    as_of: datetime
    positions: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported(Step):
    """What a bot told of the order of the decision `decision_id`, and the price of its fill."""

    decision_id: str
    told: OrderTold
    quote: Quote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmReviewed(Step):
    """A person has looked at what an algorithm (its name as it is compared) opened: it counts anew."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyLifted(Step):
    """A person ended a penalty for losing trades."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a decision was judged on and no limits of the account could have made otherwise.

    `calendar_at`, `known_until`: when the calendar was refreshed, and how far it reached. `features` as in `Facts`.
    """

    desk_state: StateView | None
    equity: EquityView | None
    position: PositionView | None
    checks_at: datetime | None
    calendar_at: datetime | None
    known_until: datetime | None
    features: FeatureView | None
    desk_doubts: tuple[DoubtView, ...] = ()
    stops: tuple[ScopedStopView, ...] = ()
    limits_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A recorded reason of a rule that cannot be judged anew: it counts as it did. `max_quantity`: it reduced."""

    code: str
    max_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Step):
    """A decision that the gate judged: the question, what is known of that moment, and the answer it got.

    `lasts`: how long its order counted as under way. `quote`: the price that came with it.
    """

    decision_id: str
    ask: Ask
    known: Known
    verdict: VerdictKind
    effect: Effect
    max_quantity: Decimal | None
    codes: tuple[str, ...]
    lasts: timedelta
    quote: Quote | None = None
    carried: tuple[Carried, ...] = ()
