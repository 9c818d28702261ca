"""The account as its bot and its people see it now."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mia_site.ops.clock import database_now
from risk.inputs import Aware
from risk.models import Account, AccountState, Desk
from risk.rules.blackout import next_window
from risk.rules.exposure_types import Holding
from risk.rules.facts import SEVERITY, ScopedStopView, TradingState
from risk.rules.holdings import holdings_of
from risk.rules.limits import Limits, limits_dump
from risk.rules.messages import number
from risk.selectors.calendar import events_near
from risk.selectors.drawdown import doubt_views, drawdown_views
from risk.selectors.exposure import orders_under_way, positions_of
from risk.selectors.limits import limits_readable
from risk.selectors.losses import loss_view
from risk.selectors.overtrade import overtrade_score
from risk.selectors.stops import scoped_stops

StateWord = Annotated[str, Meta(extra_json_schema={"enum": [state.value for state in TradingState]})]
"""A trading state as it is answered."""


class WorstDrawdown(msgspec.Struct, frozen=True):
    value: str
    peak_at: Aware | None
    trough_at: Aware | None
    recovered_at: Aware | None


class PenaltyAnswer(msgspec.Struct, frozen=True):
    """A penalty for losing trades; `value` is its weight, 0..1, which blocks at 1."""

    kind: str
    value: str
    since: Aware
    until: Aware | None
    reason: str


class StopAnswer(msgspec.Struct, frozen=True):
    """A stop of one client, algorithm or instrument; no `account`: on the whole desk."""

    scope: str
    key: str
    account: str | None
    state: StateWord
    reason: str
    since: Aware | None
    until: Aware | None


class HoldingAnswer(msgspec.Struct, frozen=True):
    """What is held in an instrument, fills told since the last report included, and what openings under way may still
    buy and sell. `unknown`: openings whose size nobody knows."""

    instrument: str
    position: str
    buying: str
    selling: str
    unknown: int


class Blackout(msgspec.Struct, frozen=True):
    opens_at: Aware
    closes_at: Aware


class Freshness(msgspec.Struct, frozen=True):
    """When each input was last heard of; null: never."""

    equity_at: Aware | None
    positions_at: Aware | None
    calendar_at: Aware | None
    checks_at: Aware | None


class AccountStateAnswer(msgspec.Struct, frozen=True):
    """Decimals are text; a drawdown is a positive fraction."""

    account: str
    state: StateWord
    account_state: StateWord
    desk_state: StateWord
    reason: str
    since: Aware | None
    until: Aware | None
    stops: list[StopAnswer]
    equity: str | None
    drawdowns: dict[str, str]
    worst_drawdown: WorstDrawdown
    doubts: list[str]
    held_points: int
    losses_in_a_row: int
    penalties: list[PenaltyAnswer]
    positions: dict[str, str]
    exposure: list[HoldingAnswer]
    limits: dict[str, Any] | None
    limits_version: int | None
    overtrade_risk_score: float
    next_blackout: Blackout | None
    freshness: Freshness
    now: Aware


def _stop(stop: ScopedStopView) -> StopAnswer:
    view = stop.view
    return StopAnswer(stop.scope.value, stop.key, stop.account, view.state.value, view.reason, view.since, view.until)


def _holding(held: Holding) -> HoldingAnswer:
    position, buying, selling = (number(quantity) for quantity in (held.position, held.buying, held.selling))
    return HoldingAnswer(held.instrument, position, buying, selling, held.unknown)


def _next_window(limits: Limits, now: datetime) -> tuple[datetime, datetime] | None:
    events = events_near(now, limits.blackout, limits.windows)
    return next_window(events, now, limits.blackout, "ES", limits.windows)


def account_state(account: Account) -> AccountStateAnswer:
    """Everything of DESIGN §5 `GET accounts/{code}/state`."""
    now = database_now()
    state = AccountState.objects.select_related("account", "limits").get(account=account)
    desk = Desk.objects.filter(id=1).first() or Desk()
    limits = limits_readable(state)
    window = None if limits is None else _next_window(limits, now)
    rows: list[Desk | AccountState] = [desk, state]
    row = max(rows, key=lambda row: SEVERITY[TradingState(row.state)])
    return AccountStateAnswer(
        account=account.code,
        state=row.state,
        account_state=state.state,
        desk_state=desk.state,
        reason=row.state_reason,
        since=row.state_since,
        until=row.state_until,
        stops=[_stop(stop) for stop in scoped_stops(account)],
        equity=None if state.equity is None else number(state.equity),
        drawdowns={
            view.rule.name: number(view.drawdown)
            for view in (() if limits is None else drawdown_views(state, limits, now))
        },
        worst_drawdown=WorstDrawdown(
            number(state.worst_drawdown),
            state.worst_peak_at,
            state.worst_trough_at,
            state.worst_recovered_at,
        ),
        doubts=[view.rule for view in (() if limits is None else doubt_views(state, limits))],
        held_points=state.held,
        losses_in_a_row=state.losses,
        penalties=[
            PenaltyAnswer(item.kind, number(item.value), item.since, item.until, item.reason)
            for item in loss_view(state).penalties
            if item.until is None or item.until > now
        ],
        positions=dict(state.positions),
        exposure=[_holding(held) for held in holdings_of(positions_of(state), orders_under_way(state))],
        limits=None if limits is None else limits_dump(limits),
        limits_version=None if state.limits is None else state.limits.version,
        overtrade_risk_score=overtrade_score(state, limits, now),
        next_blackout=None if window is None else Blackout(*window),
        freshness=Freshness(state.equity_at, state.positions_at, desk.calendar_at, desk.checks_at),
        now=now,
    )
