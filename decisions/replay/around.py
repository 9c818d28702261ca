"""Calendar, market memory, sessions, messages and the register of algorithms around a moment of the past, as limits
look at them: a day is read once."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import QuerySet

from decisions.models import Decision
from decisions.selectors import Message, messages_between
from risk.models import Account, AlgorithmEntry, Cluster
from risk.rules.facts import ClusterView, EventView, MemoryView, RegisteredView, SessionView
from risk.rules.limits import Limits, RuleMode, RuleName, SessionHours
from risk.rules.message_pace import MINUTE
from risk.rules.replay_gate import Around
from risk.rules.scopes import algorithm_key
from risk.selectors.algorithm_register import entries_known, entry_then
from risk.selectors.calendar import events_between
from risk.selectors.memory import COLUMNS, RECALLED_MOST, cluster_view, memory_of, recalls
from risk.selectors.sessions import session_of

DAY = timedelta(days=1)
LONGEST_BREAK = timedelta(days=5)
"""No market that an account trades is closed for longer: where the next session is later, its table has a gap."""


@dataclass
class Surroundings:
    """What a replay under one set of limits sees around it. Events are those of the calendar as it stands now."""

    account: Account
    _day: tuple[Limits | None, datetime | None] = None, None
    _events: tuple[EventView, ...] = ()
    _session: SessionView | None = None
    _hours: SessionHours = field(default=SessionHours.ANY)
    _heard_on: datetime | None = None
    _heard: list[Message] = field(default_factory=list)

    def at(self, row: Decision, limits: Limits | None) -> Around:
        """What the gate would have found as it judged the decision."""
        now = row.recorded_at
        events = self._around(now, limits)
        return Around(
            events=events, memory=self._memory(now, limits, events), session=self._open(now, limits),
            messages=self._messages(row, limits), entry=self._entry(row, limits),
        )  # fmt: skip

    def session_lacks(self, now: datetime, limits: Limits | None) -> bool:
        """Whether the limits ask for a session and nobody knows those around `now` any more."""
        if limits is None or limits.session.hours is SessionHours.ANY:
            return False
        if limits.rule_mode(RuleName.SESSION) is RuleMode.OFF:
            return False
        session = self._open(now, limits)
        return session is None or session.opens_at > now + LONGEST_BREAK

    def _around(self, now: datetime, limits: Limits | None) -> tuple[EventView, ...]:
        if limits is None:
            return ()
        day = _midnight(now)
        if self._day != (limits, day):
            self._day = limits, day
            self._events = events_between(day - DAY, day + 2 * DAY, limits.blackout, limits.windows)
        return self._events

    def _open(self, now: datetime, limits: Limits | None) -> SessionView | None:
        hours = SessionHours.ANY if limits is None else limits.session.hours
        if hours is SessionHours.ANY:
            return None
        known = self._session
        if self._hours is not hours or known is None or not known.is_open(now):
            self._hours, self._session = hours, session_of(hours, now)
        return self._session

    def _memory(self, now: datetime, limits: Limits | None, events: tuple[EventView, ...]) -> MemoryView | None:
        """As the live selector, of the clusters that were recorded by then."""
        most = RECALLED_MOST if limits is not None and recalls(limits) else 1
        known = [cluster for cluster, _ in zip(self._recorded(now), range(most), strict=False)]
        return memory_of(known, now, limits, events)

    def _messages(self, row: Decision, limits: Limits | None) -> tuple[datetime, ...] | None:
        """Those of the minute before the decision, the newest first: what its own body told is among them."""
        most, now = None if limits is None else limits.pace.max_messages_per_minute, row.recorded_at
        if most is None:
            return None
        day = _midnight(now)
        if self._heard_on != day:
            self._heard_on, self._heard = day, messages_between(self.account, day - MINUTE, day + DAY)
        first, end = (bisect_right(self._heard, at, key=lambda known: known.at) for at in (now - MINUTE, now))
        before = [known.at for known in self._heard[first:end] if (known.seq, known.asks) < (row.seq, True)]
        return tuple(before[: -most - 1 : -1])

    def _entry(self, row: Decision, limits: Limits | None) -> RegisteredView | None:
        """What the register said then of the decision's algorithm."""
        if limits is None or not limits.algorithms.required:
            return None
        return entry_then(self._register.get(algorithm_key(row.algorithm), ()), row.recorded_at)

    def _recorded(self, now: datetime) -> Iterator[ClusterView]:
        for place in range(bisect_right(self._clusters, now, key=lambda known: known.at) - 1, -1, -1):
            if self._recorded_at[place] <= now:
                yield self._clusters[place]

    @cached_property
    def _register(self) -> dict[str, list[AlgorithmEntry]]:
        return entries_known()

    @cached_property
    def _clusters(self) -> list[ClusterView]:
        return [cluster_view(*columns) for columns in _clusters_dated().values_list(*COLUMNS)]

    @cached_property
    def _recorded_at(self) -> list[datetime]:
        return list(_clusters_dated().values_list("recorded_at", flat=True))


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _clusters_dated() -> QuerySet[Cluster]:
    return Cluster.objects.order_by("at", "id")
