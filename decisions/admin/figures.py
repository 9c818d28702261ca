"""Reads of the desk's first page: counts by verdict, the latest blocks, how old what is known is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncHour

from decisions.models import Decision, Verdict
from mia_site.ops.models import Alert
from risk.models import AccountState, Desk, MacroEvent

HIGH_IMPACT = Decimal("0.7")
DAY, WEEK = timedelta(hours=24), timedelta(days=7)
VERDICTS = (Verdict.ALLOW, Verdict.REDUCE, Verdict.BLOCK)


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Decisions judged by verdict, hour by hour of the last day and day by day of the last week, oldest first."""

    hours: list[tuple[datetime, Counter[str]]]
    days: list[tuple[datetime, Counter[str]]]

    @property
    def last_day(self) -> "Counter[str]":
        return sum((counts for _at, counts in self.hours), Counter[str]())

    @property
    def last_week(self) -> "Counter[str]":
        return sum((counts for _at, counts in self.days), Counter[str]())


def verdict_counts(now: datetime) -> VerdictCounts:
    """One query over the index of (verdict, at): live and imported decisions that were judged."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    today = this_hour.replace(hour=0)
    first_hour, first_day = this_hour - DAY + timedelta(hours=1), today - WEEK + timedelta(days=1)
    hours = {first_hour + timedelta(hours=step): Counter[str]() for step in range(24)}
    days = {first_day + timedelta(days=step): Counter[str]() for step in range(7)}
    for hour, verdict, count in _grouped(first_day):
        days[hour.replace(hour=0)][verdict] += count
        if hour in hours:
            hours[hour][verdict] += count
    return VerdictCounts(sorted(hours.items()), sorted(days.items()))


def _grouped(since: datetime) -> Iterable[tuple[datetime, str, int]]:
    judged = Decision.objects.filter(verdict__in=[verdict.value for verdict in VERDICTS], at__gte=since)
    hourly = judged.order_by().annotate(hour=TruncHour("at")).values_list("hour", "verdict")
    return hourly.annotate(count=Count("pk"))


def latest_blocked(count: int) -> list[Decision]:
    """The newest blocked decisions, with their accounts."""
    blocked = Decision.objects.filter(verdict=Verdict.BLOCK).select_related("account").order_by("-at", "-id")
    return list(blocked.only("at", "trade_id", "account__code", "reasons", "reason_code", "instrument")[:count])


def next_events(now: datetime, count: int) -> list[MacroEvent]:
    """The next high-impact events, those of the last half hour included."""
    high = MacroEvent.objects.filter(start_at__gte=now - timedelta(minutes=30), impact__gt=HIGH_IMPACT)
    return list(high.order_by("start_at")[:count])


def open_alerts() -> "QuerySet[Alert]":
    """Alerts that somebody should look at: priority 3 and above, not acknowledged."""
    return Alert.objects.filter(priority__gte=3, acknowledged_at=None).order_by("-id")


def deadlines_missed(now: datetime) -> int:
    """Answers of the last day that came too late, or that their deadline kept from being recorded."""
    late = Alert.objects.filter(code="deadline_missed", last_at__gte=now - DAY)
    return late.aggregate(answers=Sum(F("repeats") + 1))["answers"] or 0


def account_states() -> list[AccountState]:
    """How every account stands."""
    return list(AccountState.objects.select_related("account", "limits").order_by("account__code"))


def input_ages(states: Iterable[AccountState], desk: Desk | None) -> list[tuple[str, str, datetime | None]]:
    """(what, whose, when it was last heard of) of everything the gate needs, the oldest first, never before all."""
    lines: list[tuple[str, str, datetime | None]] = [
        ("calendar", "", desk.calendar_at if desk else None),
        ("check", "", desk.checks_at if desk else None),
    ]
    for state in states:
        lines.append(("equity", state.account.code, state.equity_received_at))
        lines.append(("positions", state.account.code, state.positions_at))
    return sorted(lines, key=_heard)


def _heard(line: tuple[str, str, datetime | None]) -> tuple[bool, Any]:
    at = line[2]
    return at is not None, at or 0
