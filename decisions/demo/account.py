"""A simulated account: what a bot's reports, fills and questions add up to, with the real rules and no database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from decisions.demo.sessions import ZONE
from risk.rules.ask import Side
from risk.rules.coverage import feature_view
from risk.rules.drawdown import Mark, Point, breached, mark_advance, mark_roll, mark_start, mark_view
from risk.rules.facts import (
    CalendarView,
    DrawdownView,
    EquityView,
    EventView,
    Facts,
    LossView,
    MemoryView,
    PaceView,
    PositionView,
    StateView,
    TradingState,
)
from risk.rules.limits import AllowanceOf, Limits
from risk.rules.messages import number
from risk.rules.overtrade import overtrade_risk_score
from risk.rules.sentences import BREACH

POINT_VALUE = Decimal(50)
"""Dollars that one point of one ES contract is worth."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class World:
    """What the week is judged on besides its own account. `memories` are oldest first."""

    limits: Limits
    limits_version: int
    events: tuple[EventView, ...]
    memories: tuple[MemoryView, ...]
    set_version: str
    names: tuple[str, ...]
    shares: tuple[float, ...]
    initial: Decimal
    instrument: str


@dataclass(frozen=True, slots=True)
class Equity:
    """One equity report."""

    at: datetime
    equity: Decimal
    balance: Decimal
    open_pnl: Decimal


@dataclass(frozen=True, slots=True)
class Held:
    """One position report: signed contracts."""

    at: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shot:
    """One risk snapshot. `reason` is set where it stopped the account."""

    at: datetime
    drawdown: Decimal
    limit: Decimal | None
    score: float
    penalty: bool
    cause: str
    evidence: dict[str, str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lifted:
    """A person ended the penalty of an earlier stop."""

    at: datetime
    score: float
    reason: str


@dataclass
class SimulatedAccount:
    """State of the account at the simulated moment, and everything it reported so far."""

    world: World
    balance: Decimal
    position: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)
    state: StateView = field(default_factory=lambda: StateView(state=TradingState.ACTIVE))
    marks: dict[str, Mark] = field(default_factory=dict)
    openings: list[datetime] = field(default_factory=list)
    reported: list[Equity] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    lifted: list[Lifted] = field(default_factory=list)

    def report(self, at: datetime, price: Decimal) -> None:
        """Tells equity and position; a breach stops the account then and there."""
        open_pnl = (price - self.entry) * self.position * POINT_VALUE
        equity = self.balance + open_pnl
        self.reported.append(Equity(at, equity, self.balance, open_pnl))
        self.hold(at)
        for rule in self.world.limits.drawdown:
            mark = self.marks.get(rule.name) or mark_start(rule, self.world.initial, at)
            self.marks[rule.name] = mark_advance(rule, mark, Point(at=at, equity=equity), ZONE)
        broken = [view for view in self.views(at) if breached(view)]
        if broken and self.state.state is TradingState.ACTIVE:
            self._stop(at, max(broken, key=lambda view: view.drawdown))

    def hold(self, at: datetime) -> None:
        """Tells the position, where it is another than before."""
        if not self.held or self.held[-1].quantity != self.position:
            self.held.append(Held(at, self.position))

    def fill(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Trades; returns what a close made."""
        signed = quantity if side is Side.BUY else -quantity
        if not self.position:
            self.position, self.entry = signed, price
            return Decimal(0)
        pnl = (price - self.entry) * self.position * POINT_VALUE
        self.balance += pnl
        self.position += signed
        return pnl

    def snapshot(self, at: datetime) -> None:
        """The periodic snapshot of the drawdown check."""
        views = self.views(at)
        stopped = self.state.state is not TradingState.ACTIVE
        limit = next(rule.allowance.value for rule in self.world.limits.drawdown)
        deepest = max(view.drawdown for view in views)
        evidence = {view.rule.name: number(view.drawdown) for view in views}
        self.shots.append(Shot(at, deepest, limit, self._score(at), stopped, "check", evidence))

    def resume(self, at: datetime, reason: str) -> None:
        """A person lets the stopped account trade again."""
        if self.state.state is not TradingState.ACTIVE:
            self.state = StateView(state=TradingState.ACTIVE, since=at, reason=reason)
            self.lifted.append(Lifted(at, self._score(at), reason))

    def views(self, at: datetime) -> tuple[DrawdownView, ...]:
        return tuple(
            mark_view(rule, mark_roll(rule, self.marks[rule.name], at, ZONE))
            for rule in self.world.limits.drawdown
            if rule.name in self.marks
        )

    def facts(self, at: datetime, vector: list[float]) -> Facts:
        """Everything the gate judges an ask of this moment on; equity and position were told with it."""
        world, newest = self.world, self.reported[-1]
        lately = [opening for opening in self.openings if opening > at - HOUR]
        return Facts(
            state=self.state,
            desk_state=StateView(state=TradingState.ACTIVE),
            limits=world.limits,
            limits_version=world.limits_version,
            equity=EquityView(equity=newest.equity, at=newest.at, initial=world.initial),
            drawdowns=self.views(at),
            doubts=(),
            held=None,
            losses=LossView(),
            position=PositionView(quantity=self.position, at=newest.at),
            pace=PaceView(
                openings_last_hour=len(lately),
                oldest_at=min(lately, default=None),
                last_opening_at=max(self.openings, default=None),
            ),
            calendar=CalendarView(refreshed_at=_quarter(at), events=world.events),
            memory=self._memory(at),
            features=feature_view(world.set_version, world.names, world.shares, vector),
            zone=ZONE,
            checks_at=at,
        )

    def _memory(self, at: datetime) -> MemoryView | None:
        return next((memory for memory in reversed(self.world.memories) if memory.at and memory.at <= at), None)

    def _score(self, at: datetime) -> float:
        memory = self._memory(at)
        return overtrade_risk_score(
            memory.vix_es_correlation if memory else None,
            sum(opening > at - HOUR for opening in self.openings),
            self.world.limits.pace.max_openings_per_hour,
        )

    def _stop(self, at: datetime, view: DrawdownView) -> None:
        allowance = view.rule.allowance
        evidence = {
            "rule": view.rule.name, "mode": view.rule.mode.value, "equity": number(view.equity),
            "reference": number(view.reference), "floor": number(view.floor), "drawdown": number(view.drawdown),
            "allowance": f"{number(allowance.value)} of {allowance.of.value}",
        }  # fmt: skip
        reason = BREACH % evidence
        to = TradingState(view.rule.action.value)
        self.state = StateView(state=to, since=at, reason=reason)
        limit = None if allowance.of is AllowanceOf.AMOUNT else allowance.value
        self.shots.append(Shot(at, view.drawdown, limit, self._score(at), True, "drawdown", evidence, reason))


def _quarter(at: datetime) -> datetime:
    """When the calendar was last read: it is read every 15 minutes."""
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
