"""The macro calendar as the gate sees it: the few events that matter around a moment."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, Q, Subquery, Value
from django.db.models.functions import Coalesce

from risk.models import Desk, MacroEvent
from risk.rules.limits import BlackoutLimits, Limits
from risk.rules.types import CalendarView, EventView

LOOK_AHEAD = timedelta(hours=24)
"""Further than any answer is valid, so that windows which follow on one another are seen as one."""


def events_near(
    now: datetime, blackout: BlackoutLimits, *, reported_in: ZoneInfo | None = None
) -> tuple[EventView, ...]:
    """The high-impact events that may matter at `now`, by start: one query.

    Those whose window is not over and begins within a day, and the next one after them however far. A caller
    who reports an event adds those of the same day in `reported_in`, the account's time zone, and the undated
    ones.
    """
    first = now - timedelta(minutes=blackout.minutes_after)
    last = now + timedelta(minutes=blackout.minutes_before) + LOOK_AHEAD
    high = MacroEvent.objects.filter(impact__gt=blackout.impact_above)
    following = Subquery(high.filter(start_at__gt=last).order_by("start_at").values("start_at")[:1])
    # One range of the index: between `last` and the next event lies none.
    wanted = Q(start_at__gte=first, start_at__lte=Coalesce(following, Value(last, DateTimeField())))
    if reported_in is not None:
        midnight, next_midnight = day_of(now, reported_in)
        wanted |= Q(start_at__isnull=True) | Q(start_at__gte=midnight, start_at__lt=next_midnight)
    rows = high.filter(wanted).order_by("start_at", "event_type", "id")
    return tuple(
        EventView(
            event_id=str(event_id),
            event_type=event_type,
            start_at=start_at,
            impact=impact,
            currency=currency or None,
        )
        for event_id, event_type, start_at, impact, currency in rows.values_list(
            "id", "event_type", "start_at", "impact", "currency"
        )
    )


def calendar_view(
    now: datetime, limits: Limits | None, desk: Desk, *, event_reported: bool = False, zone: ZoneInfo
) -> CalendarView:
    """What the gate judges the calendar on; the default windows where no limits were set.

    `event_reported`: the caller says that an event is active; `zone` tells which day that is.
    """
    blackout = BlackoutLimits() if limits is None else limits.blackout
    events = events_near(now, blackout, reported_in=zone if event_reported else None)
    return CalendarView(refreshed_at=desk.calendar_at, events=events, event_reported=event_reported)


def day_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The midnights in `zone` between which `now` lies; 23 to 25 hours apart."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight, midnight + timedelta(days=1)
