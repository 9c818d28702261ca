"""A stored decision as the gate met it: the question again, and of its facts what was recorded beside the verdict."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from decisions.exposure_figures import quote_told, reserved
from decisions.models import Decision
from risk.models import FeatureSet
from risk.rules.ask import Ask, Effect, Side
from risk.rules.facts import (
    DoubtView,
    EquityView,
    FeatureView,
    PositionView,
    ScopedStopView,
    StateView,
    StopScope,
    TradingState,
)
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.replay_gate import carried_of
from risk.rules.replay_steps import Asked, Known
from risk.rules.verdict import VerdictKind

NEEDED = {
    RuleName.STATE: "desk_state",
    RuleName.EQUITY: "equity",
    RuleName.CHECKS: "checks_at",
    RuleName.CALENDAR: "calendar_refreshed_at",
    RuleName.FEATURES: "features",
}
"""What a rule is judged on beside what the account's history tells: a decision that was recorded without it, by an
older version or a file, cannot be judged anew."""
Told = Mapping[str, Any]


def asked_of(row: Decision, initial: Decimal) -> Asked:
    """The recorded decision as a step; `initial` is the account's initial balance."""
    told = row.judged_on or {}
    reasons = row.reasons
    return Asked(
        seq=row.seq, at=row.recorded_at, decision_id=str(row.id), ask=_ask(row), known=_known(row, told, initial),
        verdict=VerdictKind(row.verdict), effect=Effect(row.effect), max_quantity=row.max_quantity,
        codes=tuple(item["code"] for item in reasons), lasts=reserved(told),
        quote=quote_told(row.instrument, told.get("market")), carried=carried_of(reasons),
    )  # fmt: skip


def lacking(row: Decision, limits: Limits | None) -> str:
    """The rule of these limits that cannot judge the decision anew, since its facts were not recorded; "" for none."""
    told = row.judged_on or {}
    for rule, name in NEEDED.items():
        if name not in told and (limits is None or limits.rule_mode(rule) is not RuleMode.OFF):
            return rule.value
    if limits is None:
        return ""
    if limits.calendar.horizon_hours and _judges(limits, RuleName.CALENDAR) and "calendar_known_until" not in told:
        return RuleName.CALENDAR.value
    return "" if "exposure" in told else next((rule.value for rule in _priced(limits) if _judges(limits, rule)), "")


def _priced(limits: Limits) -> Iterator[RuleName]:
    """The rules of the limits that ask for prices: older decisions told none."""
    if limits.price.max_deviation is not None:
        yield RuleName.PRICE
    if limits.order.max_value is not None:
        yield RuleName.ORDER_SIZE
    if limits.exposure.valued:
        yield RuleName.EXPOSURE


def _judges(limits: Limits, rule: RuleName) -> bool:
    return limits.rule_mode(rule) is not RuleMode.OFF


def _ask(row: Decision) -> Ask:
    return Ask(
        trade_id=row.trade_id, decision=row.decision, instrument=row.instrument,
        side=Side(row.side) if row.side else None, quantity=row.quantity, price=row.price, decided_at=row.decided_at,
        signal_score=row.signal_score, algorithm=row.algorithm, client="" if row.client is None else row.client.name,
    )  # fmt: skip


def _known(row: Decision, told: Told, initial: Decimal) -> Known:
    return Known(
        desk_state=_state(told.get("desk_state")),
        equity=_equity(told.get("equity"), initial),
        position=_position(told.get("position")),
        checks_at=_moment(told.get("checks_at")),
        calendar_at=_moment(told.get("calendar_refreshed_at")),
        known_until=_moment(told.get("calendar_known_until")),
        features=_features(told.get("features")),
        desk_doubts=_desk_doubts(row, told),
        stops=tuple(_stop(stop) for stop in told.get("stops", ())),
        limits_version=row.limits_version,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _state(told: str | None) -> StateView | None:
    return None if told is None else StateView(state=TradingState(told))


def _equity(told: Told | None, initial: Decimal) -> EquityView | None:
    if not told:
        return None
    return EquityView(equity=Decimal(told["equity"]), at=datetime.fromisoformat(told["at"]), initial=initial)


def _position(told: Told | None) -> PositionView | None:
    if not told:
        return None
    return PositionView(
        quantity=Decimal(told["quantity"]), at=datetime.fromisoformat(told["at"]),
        pending_reductions=Decimal(told.get("pending_reductions", "0")),
    )  # fmt: skip


def _stop(told: Told) -> ScopedStopView:
    state = StateView(state=TradingState(told["state"]))
    return ScopedStopView(scope=StopScope(told["scope"]), key=told["key"], account=told["account"], view=state)


def _features(told: Told | None) -> FeatureView | None:
    if not told:
        return None
    loaded_at, ranks = _set(told["set"])
    missing, drift = tuple(told["missing_top"]), told.get("drift")
    return FeatureView(
        set_version=told["set"], coverage=Decimal(str(told["coverage"])), present=told["present"], count=told["count"],
        missing_top=missing, missing_ranks=tuple(ranks[name] for name in missing if name in ranks),
        drift=None if drift is None else Decimal(str(drift)), reference=told.get("reference"), loaded_at=loaded_at,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _set(version: str) -> tuple[datetime | None, dict[str, int]]:
    """When a feature set was loaded, and the rank of each feature: a set is in the order of importance."""
    row = FeatureSet.objects.filter(version=version).first()
    return (None, {}) if row is None else (row.recorded_at, {name: rank for rank, name in enumerate(row.names, 1)})


def _desk_doubts(row: Decision, told: Told) -> tuple[DoubtView, ...]:
    """The doubts that blocked, of rules that are not the account's own: those were the desk's."""
    own = {view["rule"] for view in told.get("drawdowns", ())}
    found = (item["evidence"] for item in row.reasons if item["code"] == "drawdown_unconfirmed")
    return tuple(
        DoubtView(
            rule=doubt["rule"], equity=Decimal(doubt["equity"]), floor=Decimal(doubt["floor"]),
            since=datetime.fromisoformat(doubt["since"]), points=doubt["points"],
        )
        for doubt in found
        if doubt["rule"] not in own
    )  # fmt: skip
