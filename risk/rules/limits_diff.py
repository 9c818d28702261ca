"""What differs between two versions of an account's limits, and whether the newer one is safer.

A tightening may apply at once; anything that loosens needs a second person. What cannot be compared (another
mode, another kind of allowance, another reset time) counts as loosening.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from risk.rules.limit_drawdown import BreachAction, ConfirmationLimits, DrawdownLimit, DrawdownMode, ResumeWhen
from risk.rules.limit_types import FlatLimits, Limits, MemoryLimits, RuleMode, RuleName
from risk.rules.limits_diff_exposure import SELF_MATCH_STRENGTH, exposure_differences
from risk.rules.limits_diff_windows import HOURS_STRENGTH, windows_differences


class Direction(StrEnum):
    TIGHTENS = "tightens"
    LOOSENS = "loosens"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; `old` or `new` is None where it did not exist or had no cap."""

    path: str
    old: Any
    new: Any
    direction: Direction


_LOWER_IS_TIGHTER = (
    "pace.max_openings_per_hour",
    "freshness.equity_seconds",
    "freshness.positions_seconds",
    "freshness.calendar_hours",
    "freshness.checks_seconds",
    "blackout.impact_above",
    "memory.volatile_above",
    "clock.max_skew_seconds",
    "answer.valid_seconds",
    "exposure.price_hours",
    "price.reference_seconds",
)
# A number that may be absent: null is no cap, the loosest of all.
_CAPS = (
    "pace.max_messages_per_minute",
    "algorithms.max_unreviewed",
    "order.max_quantity",
    "order.max_value",
    "exposure.max_position",
    "exposure.max_notional",
    "price.max_deviation",
    "plausibility.max_move",
    "freshness.memory_hours",
    "freshness.features_days",
    "losses.max_consecutive",
    "losses.max_per_trade",
    "memory.tightening_floor",
    "features.max_drift",
)
_HIGHER_IS_TIGHTER = (
    "algorithms.required",
    "pace.min_interval_seconds",
    "blackout.minutes_before",
    "blackout.minutes_after",
    "calendar.horizon_hours",
    "features.min_coverage",
    "features.required_top",
    "memory.required",
    "freshness.positions_required",
    "losses.penalty_minutes",
    "losses.cooldown_after_stop_minutes",
    "losses.cooldown_after_loss_minutes",
    "exposure.reservation_minutes",
)
# A time that may be absent: null is none, the loosest of all.
_SPANS = ("pace.duplicate_seconds",)
_STRENGTH = {RuleMode.OFF: 0, RuleMode.SHADOW: 1, RuleMode.ENFORCE: 2}
_RESETTING = frozenset({DrawdownMode.DAILY, DrawdownMode.WEEKLY, DrawdownMode.TRAILING_EOD})
_TRAILING = frozenset({DrawdownMode.TRAILING_INTRADAY, DrawdownMode.TRAILING_EOD})


def limits_diff(old: Limits, new: Limits) -> tuple[Change, ...]:
    """Return every difference, each with the direction in which it moves the account's risk."""
    return (
        *_drawdown_changes(old, new),
        *_plain_changes(old, new),
        *_window_changes(old, new),
        *_exposure_changes(old, new),
        *_rule_changes(old, new),
    )


def tightens(old: Limits, new: Limits) -> bool:
    """Return whether nothing in `new` is looser than in `old` (also when nothing changed)."""
    return all(change.direction is not Direction.LOOSENS for change in limits_diff(old, new))


def _compare(old: Any, new: Any, *, strength: Callable[[Any], Any]) -> Direction:
    """Judge a change by a measure that is greater where a limit is tighter."""
    before, after = strength(old), strength(new)
    if before == after:
        return Direction.NEUTRAL
    return Direction.TIGHTENS if after > before else Direction.LOOSENS


def _plain_changes(old: Limits, new: Limits) -> Iterator[Change]:
    def negated(value: Decimal) -> Decimal:
        return -value

    for path in _LOWER_IS_TIGHTER:
        yield from _changed(path, _at(old, path), _at(new, path), negated)
    for path in _HIGHER_IS_TIGHTER:
        yield from _changed(path, _at(old, path), _at(new, path), Decimal)
    for path in _CAPS:
        yield from _changed(path, _at(old, path), _at(new, path), _cap_strength)
    for path in _SPANS:
        yield from _changed(path, _at(old, path), _at(new, path), lambda span: span or 0)
    yield from _flat_changes(old.flat, new.flat)
    yield from _recall_changes(old.memory, new.memory)
    yield from _confirmation_changes(old.confirmation, new.confirmation)


def _changed(path: str, old: Any, new: Any, strength: Callable[[Any], Any]) -> Iterator[Change]:
    if old != new:
        yield Change(path, old, new, _compare(old, new, strength=strength))


def _at(limits: Limits, path: str) -> Any:
    section, field = path.split(".")
    return getattr(getattr(limits, section), field)


def _cap_strength(cap: Decimal | int | None) -> Decimal:
    return Decimal("-Infinity") if cap is None else -Decimal(cap)


def _flat_changes(old: FlatLimits, new: FlatLimits) -> Iterator[Change]:
    """Being flat from some time on tightens; another time cannot be compared."""
    if old.by != new.by:
        direction = Direction.TIGHTENS if old.by is None else Direction.LOOSENS
        yield Change("flat.by", old.by, new.by, direction)
    if old.until != new.until:
        direction = Direction.NEUTRAL if old.by is None else Direction.LOOSENS
        yield Change("flat.until", old.until, new.until, direction)


def _recall_changes(old: MemoryLimits, new: MemoryLimits) -> Iterator[Change]:
    """What else is recalled cannot be compared; it matters only where memory tightens already."""
    for field in ("recall_days", "half_life_days"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            direction = Direction.NEUTRAL if old.tightening_floor is None else Direction.LOOSENS
            yield Change(f"memory.{field}", before, after, direction)


def _window_changes(old: Limits, new: Limits) -> Iterator[Change]:
    for path, before, after, tighter in windows_differences(old.windows, new.windows):
        direction = Direction.TIGHTENS if tighter else Direction.LOOSENS
        yield Change(path, before, after, Direction.NEUTRAL if tighter is None else direction)
    yield from _changed("session.hours", old.session.hours, new.session.hours, HOURS_STRENGTH.__getitem__)


def _exposure_changes(old: Limits, new: Limits) -> Iterator[Change]:
    for path, before, after, tighter in exposure_differences(old, new):
        yield Change(path, before, after, Direction.TIGHTENS if tighter else Direction.LOOSENS)
    yield from _changed(
        "self_match.action", old.self_match.action, new.self_match.action, SELF_MATCH_STRENGTH.__getitem__
    )


def _confirmation_changes(old: ConfirmationLimits, new: ConfirmationLimits) -> Iterator[Change]:
    """To believe the first point is tightest of all; besides, each further way to be confirmed tightens."""
    for field in ("points", "seconds"):
        before, after = getattr(old, field), getattr(new, field)
        if before == after:
            continue
        if old.wanted and new.wanted:
            direction = _compare(before, after, strength=_cap_strength)
        else:
            direction = Direction.LOOSENS if new.wanted else Direction.TIGHTENS
        yield Change(f"confirmation.{field}", before, after, direction)


def _rule_changes(old: Limits, new: Limits) -> Iterator[Change]:
    for name in RuleName:
        before, after = old.rule_mode(name), new.rule_mode(name)
        yield from _changed(f"rules.{name}.mode", before, after, _STRENGTH.__getitem__)
        said, says = _off_reason(old, name), _off_reason(new, name)
        yield from _changed(f"rules.{name}.reason", said, says, lambda _: 0)


def _off_reason(limits: Limits, name: RuleName) -> str:
    setting = limits.rules.get(name)
    return "" if setting is None else setting.reason


def _drawdown_changes(old: Limits, new: Limits) -> Iterator[Change]:
    before = {rule.name: rule for rule in old.drawdown}
    after = {rule.name: rule for rule in new.drawdown}
    for name in sorted(before.keys() | after.keys()):
        path = f"drawdown.{name}"
        if name not in after:
            yield Change(path, before[name], None, Direction.LOOSENS)
        elif name not in before:
            yield Change(path, None, after[name], Direction.TIGHTENS)
        else:
            yield from _drawdown_rule_changes(path, before[name], after[name])


def _resume_changes(path: str, old: DrawdownLimit, new: DrawdownLimit) -> Iterator[Change]:
    """A stop that never ends by itself is tightest; to wait for a session and for minutes cannot be compared."""
    if old.resume is not new.resume:
        direction = Direction.TIGHTENS if new.resume is ResumeWhen.NEVER else Direction.LOOSENS
        yield Change(f"{path}.resume", old.resume, new.resume, direction)
    elif old.resume_minutes is not None and new.resume_minutes is not None:
        yield from _changed(f"{path}.resume_minutes", old.resume_minutes, new.resume_minutes, Decimal)


def _drawdown_rule_changes(path: str, old: DrawdownLimit, new: DrawdownLimit) -> Iterator[Change]:
    if old.mode is not new.mode:
        yield Change(f"{path}.mode", old.mode, new.mode, Direction.LOOSENS)
    kind = old.allowance.of is not new.allowance.of
    if kind:
        yield Change(f"{path}.allowance.of", old.allowance.of, new.allowance.of, Direction.LOOSENS)
    if old.allowance.value != new.allowance.value:
        wider = kind or new.allowance.value > old.allowance.value
        direction = Direction.LOOSENS if wider else Direction.TIGHTENS
        yield Change(f"{path}.allowance.value", old.allowance.value, new.allowance.value, direction)
    if old.action is not new.action:
        direction = Direction.TIGHTENS if new.action is BreachAction.HALTED else Direction.LOOSENS
        yield Change(f"{path}.action", old.action, new.action, direction)
    yield from _changed(f"{path}.alert_at", old.alert_at, new.alert_at, _cap_strength)
    yield from _resume_changes(path, old, new)
    if old.stops_rising_at_initial is not new.stops_rising_at_initial:
        loosens = Direction.LOOSENS if new.stops_rising_at_initial else Direction.TIGHTENS
        direction = loosens if new.mode in _TRAILING else Direction.NEUTRAL
        yield Change(
            f"{path}.stops_rising_at_initial",
            old.stops_rising_at_initial,
            new.stops_rising_at_initial,
            direction,
        )
    if old.reset_at != new.reset_at:
        direction = Direction.LOOSENS if new.mode in _RESETTING else Direction.NEUTRAL
        yield Change(f"{path}.reset_at", old.reset_at, new.reset_at, direction)
