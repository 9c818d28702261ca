"""The macro calendar as the gate sees it: the few events that matter around a moment."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from risk.models import Desk, MacroEvent
from risk.rules.blackout import NO_MORE
from risk.rules.facts import CalendarView, EventView
from risk.rules.limits import BlackoutLimits, Limits, WindowLimits
from risk.rules.recall import NEAR_AFTER
from risk.rules.window_presets import window_rules

LOOK_AHEAD = timedelta(hours=24)
"""Further than any answer is valid, so that windows which follow on one another are seen as one."""
BELOW_ALL = Decimal("0.9999")
"""What staff close by hand has the impact 1; it counts also where no limit lets an event's impact count."""
COLUMNS = ("id", "event_type", "start_at", "impact", "currency", "end_at", "by_staff", "waived")


def events_near(
    now: datetime,
    blackout: BlackoutLimits,
    more: WindowLimits = NO_MORE,
    *,
    reported_in: ZoneInfo | None = None,
) -> tuple[EventView, ...]:
    """The high-impact events that may matter at `now`, by start: one query.

    Those whose window is not over and begins within a day, those that market memory still goes by, and the next one
    after them however far. A caller who reports an event adds those of the same day in `reported_in`, the account's
    time zone, and the undated ones.
    """
    rules = window_rules(blackout, more)
    first = now - max(NEAR_AFTER, timedelta(minutes=max(rule.minutes_after for rule in rules)))
    last = now + timedelta(minutes=max(rule.minutes_before for rule in rules)) + LOOK_AHEAD
    high = events_above(blackout, more)
    following = Subquery(high.filter(start_at__gt=last).order_by("start_at").values("start_at")[:1])
    # One range of the index: between `last` and the next event lies none.
    wanted = Q(start_at__gte=first, start_at__lte=Coalesce(following, Value(last, DateTimeField())))
    wanted |= Q(end_at__gte=first, start_at__lt=first)
    if reported_in is not None:
        midnight, next_midnight = day_of(now, reported_in)
        wanted |= Q(start_at__isnull=True) | Q(start_at__gte=midnight, start_at__lt=next_midnight)
    return event_views(high.filter(wanted))


def events_between(
    since: datetime, until: datetime, blackout: BlackoutLimits, more: WindowLimits = NO_MORE
) -> tuple[EventView, ...]:
    """The high-impact events whose windows touch [since, until], by start; waived ones too."""
    rules = window_rules(blackout, more)
    first = since - timedelta(minutes=max(rule.minutes_after for rule in rules))
    last = until + timedelta(minutes=max(rule.minutes_before for rule in rules))
    touching = Q(start_at__gte=first) | Q(end_at__gte=first)
    return event_views(events_above(blackout, more).filter(touching, start_at__lte=last))


def events_above(blackout: BlackoutLimits, more: WindowLimits) -> QuerySet[MacroEvent]:
    """The events that any window looks at."""
    lowest = min(rule.impact_above for rule in window_rules(blackout, more))
    return MacroEvent.objects.filter(impact__gt=min(lowest, BELOW_ALL))


def event_views(rows: QuerySet[MacroEvent]) -> tuple[EventView, ...]:
    """The rows as the rules take them, by start."""
    return tuple(
        EventView(
            event_id=str(event_id),
            event_type=event_type,
            start_at=start_at,
            impact=impact,
            currency=currency or None,
            end_at=end_at,
            by_staff=by_staff,
            waived=waived,
        )
        for event_id, event_type, start_at, impact, currency, end_at, by_staff, waived in rows.order_by(
            "start_at", "event_type", "id"
        ).values_list(*COLUMNS)
    )


def calendar_view(
    now: datetime, limits: Limits | None, desk: Desk, *, event_reported: bool = False, zone: ZoneInfo
) -> CalendarView:
    """What the gate judges the calendar on; the default windows where no limits were set.

    `event_reported`: the caller says that an event is active; `zone` tells which day that is.
    """
    blackout, more = (BlackoutLimits(), NO_MORE) if limits is None else (limits.blackout, limits.windows)
    events = events_near(now, blackout, more, reported_in=zone if event_reported else None)
    return CalendarView(
        refreshed_at=desk.calendar_at, events=events, event_reported=event_reported, known_until=desk.calendar_until
    )


def day_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The midnights in `zone` between which `now` lies; 23 to 25 hours apart."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight, midnight + timedelta(days=1)
