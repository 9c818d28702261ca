"""A recorded decision asked again, of a world under other limits: the gate judges what the world says it would know.

Only rules whose facts were recorded can be judged anew. What any other rule said counts as it did (`Carried`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from risk.rules.ask import Effect
from risk.rules.codes import ReasonCode
from risk.rules.effect import side_of
from risk.rules.facts import (
    CalendarView,
    DoubtView,
    EventView,
    Facts,
    HeldView,
    LossView,
    MemoryView,
    OpeningView,
    PaceView,
    RegisteredView,
    SessionView,
    StateView,
)
from risk.rules.gate import judge
from risk.rules.limits import Limits, RuleMode, RuleName, RuleSetting
from risk.rules.pace import HOUR
from risk.rules.replay_algorithms import algorithm_opened, algorithm_settled, algorithm_view
from risk.rules.replay_orders import exposure_view, order_admitted, price_told
from risk.rules.replay_steps import Asked, Carried
from risk.rules.replay_world import World
from risk.rules.track import doubt_view
from risk.rules.verdict import VerdictKind

JUDGED_ANEW: Mapping[RuleName, frozenset[ReasonCode]] = {
    RuleName.STATE: frozenset(
        {
            ReasonCode.ACCOUNT_HALTED, ReasonCode.ACCOUNT_REDUCE_ONLY, ReasonCode.DESK_HALTED,
            ReasonCode.DESK_REDUCE_ONLY, ReasonCode.CLIENT_HALTED, ReasonCode.CLIENT_REDUCE_ONLY,
            ReasonCode.ALGORITHM_HALTED, ReasonCode.ALGORITHM_REDUCE_ONLY, ReasonCode.ALGORITHM_UNKNOWN,
            ReasonCode.INSTRUMENT_HALTED, ReasonCode.INSTRUMENT_REDUCE_ONLY, ReasonCode.STATE_UNKNOWN,
        }
    ),
    RuleName.LIMITS: frozenset({ReasonCode.LIMITS_MISSING}),
    RuleName.CLOCK_SKEW: frozenset({ReasonCode.CLOCK_SKEW}),
    RuleName.CHECKS: frozenset({ReasonCode.CHECKS_STALLED}),
    RuleName.EQUITY: frozenset({ReasonCode.EQUITY_MISSING, ReasonCode.EQUITY_STALE, ReasonCode.EQUITY_HELD}),
    RuleName.POSITIONS: frozenset({ReasonCode.POSITIONS_MISSING, ReasonCode.POSITIONS_STALE}),
    RuleName.DRAWDOWN: frozenset(
        {ReasonCode.DRAWDOWN_BREACHED, ReasonCode.DRAWDOWN_UNCONFIRMED, ReasonCode.DRAWDOWN_UNKNOWN}
    ),
    RuleName.LOSSES: frozenset({ReasonCode.PENALTY_ACTIVE, ReasonCode.COOLDOWN}),
    RuleName.CALENDAR: frozenset(
        {
            ReasonCode.CALENDAR_MISSING, ReasonCode.CALENDAR_STALE, ReasonCode.BLACKOUT, ReasonCode.CALENDAR_HORIZON,
            ReasonCode.EVENT_REPORTED, ReasonCode.WINDOW_REDUCED,
        }
    ),
    RuleName.FLAT: frozenset({ReasonCode.FLAT_TIME}),
    RuleName.SESSION: frozenset({ReasonCode.SESSION_CLOSED, ReasonCode.SESSION_UNKNOWN}),
    RuleName.PACE: frozenset({ReasonCode.PACE_EXCEEDED, ReasonCode.INTERVAL_TOO_SHORT}),
    RuleName.DUPLICATES: frozenset({ReasonCode.DUPLICATE_ORDER}),
    RuleName.ORDER_SIZE: frozenset(
        {ReasonCode.ORDER_TOO_LARGE, ReasonCode.QUANTITY_UNKNOWN, ReasonCode.ORDER_VALUE_TOO_LARGE}
    ),
    RuleName.CONTRACTS: frozenset({ReasonCode.CONTRACT_NOT_ALLOWED}),
    RuleName.PRICE: frozenset(
        {
            ReasonCode.PRICE_OUTSIDE_COLLAR, ReasonCode.PRICE_UNKNOWN, ReasonCode.REFERENCE_MISSING,
            ReasonCode.REFERENCE_STALE,
        }
    ),
    RuleName.EXPOSURE: frozenset(
        {
            ReasonCode.POSITION_CAP, ReasonCode.NOTIONAL_CAP, ReasonCode.EXPOSURE_UNKNOWN,
            ReasonCode.MULTIPLIER_UNKNOWN, ReasonCode.PRICE_UNKNOWN,
        }
    ),
    RuleName.MESSAGES: frozenset({ReasonCode.MESSAGES_EXCEEDED}),
    RuleName.ALGORITHMS: frozenset({ReasonCode.ALGORITHM_UNNAMED, ReasonCode.ALGORITHM_DISABLED}),
    RuleName.ALGORITHM_REGISTER: frozenset(
        {
            ReasonCode.ALGORITHM_UNREGISTERED, ReasonCode.ALGORITHM_UNAPPROVED, ReasonCode.ALGORITHM_WITHDRAWN,
            ReasonCode.ALGORITHM_PACE_EXCEEDED, ReasonCode.ALGORITHM_ORDER_TOO_LARGE,
        }
    ),
    RuleName.FEATURES: frozenset(
        {
            ReasonCode.FEATURES_SET_MISSING, ReasonCode.FEATURES_SET_STALE, ReasonCode.FEATURE_COVERAGE_LOW,
            ReasonCode.FEATURE_DRIFT_HIGH, ReasonCode.FEATURE_INFLUENTIAL_MISSING, ReasonCode.FEATURE_REFERENCE_MISSING,
        }
    ),
    RuleName.MEMORY: frozenset(
        {
            ReasonCode.MEMORY_MISSING, ReasonCode.MEMORY_STALE, ReasonCode.MEMORY_PACE_TIGHTENED,
            ReasonCode.MEMORY_ORDER_TIGHTENED,
        }
    ),
}  # fmt: skip
"""The rules that a replay judges, and all that they say."""
REMARKS = frozenset(
    {ReasonCode.SIDE_UNKNOWN, ReasonCode.POSITION_UNKNOWN, ReasonCode.POSITION_STALE, ReasonCode.POSITION_FLIP}
)
_ANEW = frozenset(code.value for codes in (*JUDGED_ANEW.values(), REMARKS) for code in codes)
_OFF = RuleSetting(mode=RuleMode.OFF, reason="its facts were not recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a moment was like beyond what is folded of the account, as the limits look at it: `messages` of its last
    minute, `entry` of the ask's algorithm in the register."""

    events: tuple[EventView, ...] = ()
    memory: MemoryView | None = None
    session: SessionView | None = None
    messages: tuple[datetime, ...] | None = None
    entry: RegisteredView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The answer that a decision would have got."""

    verdict: VerdictKind
    codes: tuple[str, ...]
    max_quantity: Decimal | None


def carried_of(reasons: list[dict[str, Any]]) -> tuple[Carried, ...]:
    """Return the recorded reasons that cannot be judged anew: those of other rules, and of the desk's caps."""
    return tuple(
        Carried(code=told["code"], max_quantity=_quantity(told))
        for told in reasons
        if told["code"] not in _ANEW or str(told["evidence"].get("scope", "")).split(" ")[0] == "desk"
    )


def _quantity(told: dict[str, Any]) -> Decimal | None:
    """What a reason left of the order; None where it blocked."""
    return Decimal(str(told["evidence"].get("max_quantity", 0))) or None


def rules_carried(limits: Limits) -> list[str]:
    """Return the rules of these limits that cannot be judged anew."""
    return [name.value for name in RuleName if name not in JUDGED_ANEW and limits.rule_mode(name) is not RuleMode.OFF]


def asked_again(world: World, step: Asked, around: Around) -> Replayed:
    """Ask the world, and let it remember what it lets through."""
    world.wait(step.seq, step.at)
    price_told(world.standing, step.quote)
    verdict = judge(step.ask, _facts(world, step, around), step.at)
    replayed = _with_carried(step, verdict.verdict, [item.code.value for item in verdict.reasons], verdict.max_quantity)
    if replayed.verdict is not VerdictKind.BLOCK:
        _admit(world, step, replayed, verdict.effect)
    elif step.verdict is not VerdictKind.BLOCK:
        world.standing.unmade.add(step.decision_id)
    algorithm_settled(world.standing, world.limits, step)
    return replayed


def _with_carried(step: Asked, kind: VerdictKind, codes: list[str], most: Decimal | None) -> Replayed:
    for carried in step.carried:
        codes.append(carried.code)
        if carried.max_quantity is None:
            kind = VerdictKind.BLOCK
        elif kind is not VerdictKind.BLOCK:
            kind, most = VerdictKind.REDUCE, min(most or carried.max_quantity, carried.max_quantity)
    return Replayed(verdict=kind, codes=tuple(codes), max_quantity=most if kind is VerdictKind.REDUCE else None)


def _admit(world: World, step: Asked, replayed: Replayed, effect: Effect) -> None:
    standing, limits = world.standing, world.limits
    quantity = replayed.max_quantity or step.ask.quantity
    lasts = step.lasts if limits is None else timedelta(minutes=limits.exposure.reservation_minutes)
    order_admitted(standing, step, effect=effect, quantity=quantity, lasts=lasts)
    if effect is not Effect.OPENS:
        return
    opened = OpeningView(
        id=step.decision_id, at=step.at, instrument=step.ask.instrument, side=side_of(step.ask), quantity=quantity
    )
    standing.openings = [*(told for told in standing.openings if told.at > step.at - HOUR), opened]
    standing.last_opening_at = step.at
    algorithm_opened(standing, step)


def _facts(world: World, step: Asked, around: Around) -> Facts:
    standing, limits, known = world.standing, world.limits, step.known
    return Facts(
        state=StateView(state=standing.state, since=standing.since, until=standing.until),
        desk_state=known.desk_state,
        limits=None if limits is None else _judgeable(limits),
        limits_version=known.limits_version,
        equity=known.equity,
        drawdowns=world.views(step.at),
        doubts=(*known.desk_doubts, *_doubts(world)),
        held=HeldView(count=standing.held, since=standing.held_since) if standing.held_since else None,
        losses=LossView(
            consecutive=standing.losses, last_loss_at=standing.last_loss_at, stopped_at=standing.stopped_at,
            penalties=tuple(view for _, view in sorted(standing.penalties.items())),
        ),
        position=known.position,
        pace=_pace(world, step.at),
        calendar=CalendarView(
            refreshed_at=known.calendar_at, events=around.events, known_until=known.known_until
        ),
        memory=around.memory,
        features=known.features,
        zone=world.ground.zone,
        checks_at=known.checks_at,
        session=around.session,
        openings=_openings(world, step.at),
        stops=known.stops,
        messages=around.messages,
        algorithm=algorithm_view(standing, limits, step, around.entry),
        exposure=None if limits is None else exposure_view(standing, limits, step.ask),
    )  # fmt: skip


def _judgeable(limits: Limits) -> Limits:
    """The limits without the rules that are carried."""
    carried = rules_carried(limits)
    if not carried:
        return limits
    return msgspec.structs.replace(limits, rules=limits.rules | {RuleName(name): _OFF for name in carried})


def _doubts(world: World) -> Iterator[DoubtView]:
    limits, tracks = world.limits, world.standing.tracks
    rules = () if limits is None else limits.drawdown
    views = (doubt_view(rule, tracks[rule.name]) for rule in rules if rule.name in tracks)
    return (view for view in views if view is not None)


def _pace(world: World, now: datetime) -> PaceView:
    lately = [told.at for told in world.standing.openings if told.at > now - HOUR]
    return PaceView(
        openings_last_hour=len(lately), oldest_at=min(lately, default=None),
        last_opening_at=world.standing.last_opening_at,
    )  # fmt: skip


def _openings(world: World, now: datetime) -> tuple[OpeningView, ...] | None:
    seconds = None if world.limits is None else world.limits.pace.duplicate_seconds
    if seconds is None:
        return None
    since = now - timedelta(seconds=seconds)
    return tuple(told for told in world.standing.openings if told.at > since)
