"""The shape of an account's limits: frozen structs with their bounds. `limits.py` is their door."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from risk.rules.limit_base import (
    ClockTime,
    Count,
    Minutes,
    RuleReason,
    Seconds,
    Section,
    check_money,
    check_share,
)
from risk.rules.limit_drawdown import ConfirmationLimits, DrawdownLimit, PlausibilityLimits
from risk.rules.limit_exposure import ContractLimits, ExposureLimits, PriceLimits, SelfMatchLimits
from risk.rules.limit_windows import CalendarLimits, SessionLimits, WindowLimits


class RuleName(StrEnum):
    """The rules of the gate, one file each."""

    STATE = "state"
    LIMITS = "limits"
    CLOCK_SKEW = "clock_skew"
    CHECKS = "checks"
    EQUITY = "equity"
    POSITIONS = "positions"
    DRAWDOWN = "drawdown"
    LOSSES = "losses"
    CALENDAR = "calendar"
    FLAT = "flat"
    SESSION = "session"
    PACE = "pace"
    MESSAGES = "messages"
    DUPLICATES = "duplicates"
    ALGORITHMS = "algorithms"
    ALGORITHM_REGISTER = "algorithm_register"
    ORDER_SIZE = "order_size"
    CONTRACTS = "contracts"
    PRICE = "price"
    EXPOSURE = "exposure"
    SELF_MATCH = "self_match"
    FEATURES = "features"
    MEMORY = "memory"


class RuleMode(StrEnum):
    """Shadow judges and records without stopping anything; off does not judge."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


ALWAYS_ENFORCED = frozenset({RuleName.STATE, RuleName.LIMITS})


class PaceLimits(Section, frozen=True):
    """How often openings may follow one another.

    `duplicate_seconds`: for so long the same opening is not let through again; null lets it. `max_messages_per_minute`:
    of all that the account sends, also what opens nothing; null is no limit.
    """

    max_openings_per_hour: Count = 10
    min_interval_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    duplicate_seconds: Annotated[int, Meta(ge=1, le=3600)] | None = None
    max_messages_per_minute: Annotated[int, Meta(ge=1, le=6000)] | None = None


class AlgorithmLimits(Section, frozen=True):
    """How often one algorithm may open before a person reviews it; then it is disabled. Null: as often as it likes.

    `required`: only algorithms of the register open, within the limits of their entries.
    """

    max_unreviewed: Count | None = None
    required: bool = False

    @property
    def wanted(self) -> bool:
        """Whether an opening must say which algorithm it is of."""
        return self.max_unreviewed is not None or self.required


class OrderLimits(Section, frozen=True):
    """The largest quantity, and the largest value in money, of one opening; null is no cap."""

    max_quantity: Decimal | None = None
    max_value: Decimal | None = None

    def __post_init__(self) -> None:
        for field in ("max_quantity", "max_value"):
            cap = getattr(self, field)
            if cap is not None:
                check_money(field, cap)


class FreshnessLimits(Section, frozen=True):
    """The greatest age at which an input still counts as known.

    `positions_required`: an opening needs a position report of that age too, not only an exit. `memory_hours`
    counts where memory is required; `features_days` is the age of the feature set; null is any age.
    `checks_seconds` is how long ago the periodic check of all accounts may have run: three of its periods.
    """

    equity_seconds: Seconds = 120
    positions_seconds: Seconds = 120
    positions_required: bool = False
    calendar_hours: Annotated[int, Meta(ge=1, le=744)] = 24
    memory_hours: Annotated[int, Meta(ge=1, le=87_600)] | None = None
    features_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    checks_seconds: Seconds = 180


class BlackoutLimits(Section, frozen=True):
    """The window around a macro event whose impact is above `impact_above`, bounds included."""

    minutes_before: Minutes = 30
    minutes_after: Minutes = 30
    impact_above: Decimal = Decimal("0.7")

    def __post_init__(self) -> None:
        check_share("impact_above", self.impact_above)


class FeatureLimits(Section, frozen=True):
    """The least share of SHAP importance that must be present and finite, and what it may look like.

    Of the `required_top` most influential features none may be missing; 0 requires none by name. `max_drift`: the
    greatest distance from the reference, 0..1; null is any.
    """

    min_coverage: Decimal = Decimal("0.9")
    required_top: Annotated[int, Meta(ge=0, le=1000)] = 10
    max_drift: Decimal | None = None

    def __post_init__(self) -> None:
        check_share("min_coverage", self.min_coverage)
        if self.max_drift is not None:
            check_share("max_drift", self.max_drift)


class MemoryLimits(Section, frozen=True):
    """Whether an opening needs a market memory, and what memory may make of a limit.

    `tightening_floor`: the least factor by which memory multiplies a limit; null: it tightens nothing. Above the stress
    `volatile_above` the pace is halved. Clusters are recalled for `recall_days`, and weigh half after each
    `half_life_days`.
    """

    required: bool = False
    tightening_floor: Decimal | None = None
    volatile_above: Decimal = Decimal("0.7")
    recall_days: Annotated[int, Meta(ge=1, le=3650)] = 365
    half_life_days: Annotated[int, Meta(ge=1, le=3650)] = 90

    def __post_init__(self) -> None:
        check_share("volatile_above", self.volatile_above)
        if self.tightening_floor is not None:
            check_share("tightening_floor", self.tightening_floor)
            if not self.tightening_floor:
                raise ValueError("tightening_floor:share")


class ClockLimits(Section, frozen=True):
    """How far the bot's clock may be from the service's."""

    max_skew_seconds: Seconds = 5


class AnswerLimits(Section, frozen=True):
    """How long an answer stays good."""

    valid_seconds: Annotated[int, Meta(ge=1, le=300)] = 5


class FlatLimits(Section, frozen=True):
    """When positions must be flat: nothing opens from `by` until `until`, times of day in the account's zone.

    No `by`: positions may be held at any time.
    """

    by: ClockTime | None = None
    until: ClockTime = "17:00"

    def __post_init__(self) -> None:
        if self.by == self.until:
            raise ValueError("until:flat_window")


class LossLimits(Section, frozen=True):
    """What losing trades cost.

    The penalty for losses in a row weighs losses / `max_consecutive`, at most 1; at 1 it blocks openings for
    `penalty_minutes`. A trade that loses more than `max_per_trade` (money, its sign dropped as in MIA) is
    penalised at once. The cool-downs begin with an automatic stop, and with a losing trade. Null is no limit.
    """

    max_consecutive: Annotated[int, Meta(ge=1, le=100)] | None = None
    max_per_trade: Decimal | None = None
    penalty_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 60
    cooldown_after_stop_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 0
    cooldown_after_loss_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 0

    def __post_init__(self) -> None:
        if self.max_per_trade is not None:
            check_money("max_per_trade", abs(self.max_per_trade))
            msgspec.structs.force_setattr(self, "max_per_trade", abs(self.max_per_trade))


class RuleSetting(Section, frozen=True):
    """How one rule counts. Turning one off needs a reason."""

    mode: RuleMode = RuleMode.ENFORCE
    reason: RuleReason = ""

    def __post_init__(self) -> None:
        if self.mode is RuleMode.OFF and not self.reason.strip():
            raise ValueError("reason:off_reason")


class Limits(Section, frozen=True):
    """All limits of one account. Only `drawdown` has no default: somebody must have chosen it."""

    drawdown: tuple[DrawdownLimit, ...] = ()
    confirmation: ConfirmationLimits = ConfirmationLimits()
    plausibility: PlausibilityLimits = PlausibilityLimits()
    pace: PaceLimits = PaceLimits()
    algorithms: AlgorithmLimits = AlgorithmLimits()
    order: OrderLimits = OrderLimits()
    exposure: ExposureLimits = ExposureLimits()
    contracts: ContractLimits = ContractLimits()
    price: PriceLimits = PriceLimits()
    self_match: SelfMatchLimits = SelfMatchLimits()
    freshness: FreshnessLimits = FreshnessLimits()
    blackout: BlackoutLimits = BlackoutLimits()
    windows: WindowLimits = WindowLimits()
    calendar: CalendarLimits = CalendarLimits()
    session: SessionLimits = SessionLimits()
    features: FeatureLimits = FeatureLimits()
    memory: MemoryLimits = MemoryLimits()
    flat: FlatLimits = FlatLimits()
    losses: LossLimits = LossLimits()
    clock: ClockLimits = ClockLimits()
    answer: AnswerLimits = AnswerLimits()
    rules: dict[RuleName, RuleSetting] = {}

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.drawdown]
        if len(set(names)) != len(names):
            raise ValueError("drawdown:unique_names")
        if not names and self.rule_mode(RuleName.DRAWDOWN) is not RuleMode.OFF:
            raise ValueError("drawdown:drawdown_needed")
        if any(self.rule_mode(name) is not RuleMode.ENFORCE for name in ALWAYS_ENFORCED):
            raise ValueError("rules:always_enforced")

    def rule_mode(self, name: RuleName) -> RuleMode:
        """Return how `name` counts: enforce unless the limits say otherwise."""
        setting = self.rules.get(name)
        return RuleMode.ENFORCE if setting is None else setting.mode
