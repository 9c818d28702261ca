"""Everything the gate judges on, read once per transaction; what the gate itself admits is folded in, not re-read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from risk.models import Account, AccountState, AlgorithmSwitch, Desk
from risk.rules.ask import Ask, Effect
from risk.rules.drift import Reference
from risk.rules.effect import side_of
from risk.rules.facts import (
    AlgorithmView,
    CalendarView,
    EquityView,
    Facts,
    FeatureView,
    MemoryView,
    OpeningView,
    PaceView,
    PositionView,
    ScopedStopView,
    SessionView,
    StateView,
    TradingState,
)
from risk.rules.holdings import OrderView
from risk.rules.limits import Limits
from risk.rules.message_pace import MINUTE
from risk.rules.reference import Quote
from risk.rules.scopes import algorithm_key
from risk.selectors.algorithms import algorithm_view
from risk.selectors.calendar import calendar_view
from risk.selectors.desk import desk_doubts
from risk.selectors.drawdown import doubt_views, drawdown_views, held_view
from risk.selectors.exposure_book import ExposureBook
from risk.selectors.features import LoadedSet, feature_set, feature_vector, reference_of, view_of
from risk.selectors.limits import limits_readable
from risk.selectors.losses import loss_view
from risk.selectors.memory import memory_view
from risk.selectors.pace import opening_views, pace_view, position_view
from risk.selectors.sessions import session_view
from risk.selectors.stops import scoped_stops


def state_view(row: AccountState | Desk) -> StateView:
    """The trading state of an account or of the desk, as the gate judges it."""
    return StateView(
        state=TradingState(row.state), since=row.state_since, reason=row.state_reason, until=row.state_until
    )


@dataclass
class FactsBook:
    """The facts of one locked account at `now`, for one decision or a batch of them.

    `message_times(account, since, most)`: when its newest messages came, newest first; decisions are read elsewhere.
    """

    state: AccountState
    desk: Desk
    now: datetime
    message_times: Callable[[Account, datetime, int], tuple[datetime, ...]] | None = None
    _algorithms: dict[str, AlgorithmView] = field(default_factory=dict)
    _admitted: list[tuple[int, OrderView]] = field(default_factory=list)

    @cached_property
    def limits(self) -> Limits | None:
        return limits_readable(self.state)

    @property
    def measurable(self) -> bool:
        """Whether equity can be judged: not where there are limits that this release cannot read."""
        return self.limits is not None or self.state.limits is None

    @cached_property
    def features(self) -> LoadedSet | None:
        return None if self.desk.feature_set_id is None else feature_set(self.desk.feature_set_id)

    @cached_property
    def reference(self) -> Reference | None:
        return None if self.features is None else reference_of(self.features, self.desk.feature_reference_id)

    @cached_property
    def memory(self) -> MemoryView | None:
        return memory_view(self.now, self.limits, self.calendar.events)

    @cached_property
    def calendar(self) -> CalendarView:
        if self.limits is None:
            return CalendarView(refreshed_at=self.desk.calendar_at)
        return calendar_view(self.now, self.limits, self.desk, zone=self.state.account.zone)

    @cached_property
    def session(self) -> SessionView | None:
        return session_view(self.now, self.limits)

    @cached_property
    def stops(self) -> tuple[ScopedStopView, ...]:
        return scoped_stops(self.state.account)

    @cached_property
    def pace(self) -> PaceView:
        return pace_view(self.state, self.now)

    @cached_property
    def openings(self) -> tuple[OpeningView, ...] | None:
        seconds = None if self.limits is None else self.limits.pace.duplicate_seconds
        return None if seconds is None else opening_views(self.state, self.now - timedelta(seconds=seconds))

    @cached_property
    def messages(self) -> tuple[datetime, ...] | None:
        most = None if self.limits is None else self.limits.pace.max_messages_per_minute
        if most is None or self.message_times is None:
            return None
        return self.message_times(self.state.account, self.now - MINUTE, most)

    def algorithm(self, ask: Ask) -> AlgorithmView | None:
        """What is known of the algorithm that `ask` names; None where it names none or no limits ask for it."""
        key = algorithm_key(ask.algorithm)
        if not key or self.limits is None or not self.limits.algorithms.wanted:
            return None
        if key not in self._algorithms:
            asked = self.limits.algorithms
            self._algorithms[key] = algorithm_view(self.state.account, key, asked, self.now)
        return self._algorithms[key]

    def algorithm_disabled(self, switch: AlgorithmSwitch) -> None:
        """Takes note that this transaction disables an algorithm."""
        known = self._algorithms[switch.key]
        self._algorithms[switch.key] = replace(known, disabled_at=switch.recorded_at, limit=switch.limit)

    def vector(self, features: Mapping[str, float]) -> list[float] | None:
        """The packed order of `features`; None where no set is loaded. Raises KeyError for an unknown name."""
        return None if self.features is None else feature_vector(self.features, features)

    def facts(self, ask: Ask, vector: list[float] | None, sent: Quote | None = None) -> Facts:
        """What is known as `ask` is judged; `sent` is the price that came with it."""
        state, admitted = self.state, [order for _, order in self._admitted]
        return Facts(
            state=state_view(state),
            desk_state=state_view(self.desk),
            limits=self.limits,
            limits_version=None if state.limits is None else state.limits.version,
            equity=self._equity(),
            drawdowns=() if self.limits is None else drawdown_views(state, self.limits, self.now),
            doubts=(*desk_doubts(self.desk), *(() if self.limits is None else doubt_views(state, self.limits))),
            held=held_view(state),
            losses=loss_view(state),
            position=self._position(ask.instrument),
            pace=self.pace,
            calendar=self.calendar,
            memory=self.memory,
            features=self._coverage(vector),
            zone=state.account.zone,
            checks_at=self.desk.checks_at,
            session=self.session,
            openings=self.openings,
            stops=self.stops,
            desk_limits_version=None if self.desk.limits is None else self.desk.limits.version,
            algorithm=self.algorithm(ask),
            exposure=None if self.limits is None else self._exposure.view(ask, self.limits, admitted, sent),
            messages=self.messages,
        )

    def heard(self, count: int) -> None:
        """Takes note of so many messages of this transaction."""
        self.messages = None if self.messages is None else (self.now,) * count + self.messages

    def admitted(self, ask: Ask, effect: Effect, *, id: UUID, quantity: Decimal | None) -> None:
        """Takes note of a decision of this transaction that was let through, for `quantity`."""
        if effect is Effect.NEUTRAL:
            return
        side = side_of(ask)
        order = OrderView(instrument=ask.instrument, effect=effect, side=side, working=quantity)
        self._admitted.append((self.state.seq, order))
        if effect is Effect.OPENS:
            self._algorithm_opened(ask)
            opened = OpeningView(id=str(id), at=self.now, instrument=ask.instrument, side=side, quantity=quantity)
            self.openings = None if self.openings is None else (*self.openings, opened)
            self.pace = replace(
                self.pace,
                openings_last_hour=self.pace.openings_last_hour + 1,
                oldest_at=self.pace.oldest_at or self.now,
                last_opening_at=self.now,
            )

    def _algorithm_opened(self, ask: Ask) -> None:
        view = self.algorithm(ask)
        if view is not None:
            entry = view.entry and replace(
                view.entry,
                openings_last_hour=view.entry.openings_last_hour + 1,
                oldest_at=view.entry.oldest_at or self.now,
            )
            self._algorithms[view.key] = replace(view, executions=view.executions + 1, entry=entry)

    def positions_reported(self) -> None:
        """A newer report answers for the exits that were under way, and for the fills that it shows."""
        self._positions.clear()
        self._exposure.positions_reported()

    @cached_property
    def _exposure(self) -> ExposureBook:
        return ExposureBook(self.state, self.desk)

    @cached_property
    def _positions(self) -> dict[str, PositionView | None]:
        return {}

    def _position(self, instrument: str) -> PositionView | None:
        if instrument not in self._positions:
            self._positions[instrument] = position_view(self.state, instrument)
        view = self._positions[instrument]
        if view is None or not view.quantity:
            return view
        return replace(view, pending_reductions=view.pending_reductions + self._pending(instrument))

    def _pending(self, instrument: str) -> Decimal:
        """What exits of this transaction may still close, where the last report is not newer."""
        exits = (
            order.working
            for seq, order in self._admitted
            if order.effect is Effect.REDUCES and order.instrument == instrument and seq >= self.state.positions_seq
        )
        return sum((quantity for quantity in exits if quantity is not None), Decimal(0))

    def _equity(self) -> EquityView | None:
        state = self.state
        if state.equity is None or state.equity_at is None or state.equity_received_at is None:
            return None
        return EquityView(
            equity=state.equity,
            at=min(state.equity_at, state.equity_received_at),
            initial=state.account.initial_balance,
        )

    def _coverage(self, vector: list[float] | None) -> FeatureView | None:
        return None if self.features is None or vector is None else view_of(self.features, vector, self.reference)
