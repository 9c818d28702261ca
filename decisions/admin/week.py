"""The calendar's week on one page: sessions, windows, events, what was blocked, and when the next blackout opens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from decisions.models import Decision, Verdict
from mia_site.audit.admin.rendering import moment, number
from mia_site.ops.clock import database_now
from risk.models import AccountState, Desk, TradingSession
from risk.rules.codes import ReasonCode
from risk.rules.facts import EventView
from risk.rules.limits import Limits, SessionHours, WindowAction
from risk.rules.window_spans import Span
from risk.selectors.limits import limits_readable
from risk.selectors.windows import spans_between

VIEW = "risk.view_macroevent"
WEEK, DAY = timedelta(days=7), timedelta(days=1)
INSTRUMENT = "ES"
CODES = [
    code.value
    for code in (
        ReasonCode.BLACKOUT, ReasonCode.EVENT_REPORTED, ReasonCode.WINDOW_REDUCED, ReasonCode.SESSION_CLOSED,
        ReasonCode.SESSION_UNKNOWN, ReasonCode.CALENDAR_MISSING, ReasonCode.CALENDAR_STALE, ReasonCode.CALENDAR_HORIZON,
    )
]  # fmt: skip
BLOCKED_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on a day's line: from `left` for `width` per cent of the day; `title` says what it is."""

    kind: str
    left: str
    width: str
    title: str


@dataclass(slots=True)
class DayLine:
    """One day, midnight to midnight UTC."""

    name: str
    today: bool
    marks: list[Mark] = field(default_factory=list)


def week_view(page: ModelAdmin[Any], request: HttpRequest) -> HttpResponseBase:
    """The page. `?day=` any day of the week that is shown, `?account=` whose windows they are."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    now = database_now()
    monday = _monday(request.GET.get("day", ""), now)
    states = list(AccountState.objects.select_related("account", "limits").order_by("account__code"))
    state = _chosen(states, request.GET.get("account", ""))
    limits = None if state is None else limits_readable(state)
    spans, events = spans_between(monday, monday + WEEK, limits, INSTRUMENT)
    coming = _coming(now, limits)
    context = {
        **page.admin_site.each_context(request),
        "title": _("Week of the calendar"),
        "lines": _lines(monday, now, limits, spans, events, state),
        "hours": [f"{hour:02d}" for hour in range(0, 24, 3)],
        "spans": [_span_row(span, now) for span in spans],
        "waived": [_waived_row(event) for event in events if event.waived],
        "coming": coming,
        "coming_on": coming is not None and coming.opens_at <= now,
        "calendar": Desk.objects.filter(id=1).values("calendar_at", "calendar_until").first(),
        "accounts": [one.account.code for one in states],
        "account": "" if state is None else state.account.code,
        "monday": monday.date(),
        "before": (monday - DAY).date().isoformat(),
        "after": (monday + WEEK).date().isoformat(),
        "may_close": request.user.has_perm("risk.add_windowoverride"),
        "close_url": reverse("admin:risk_windowoverride_close"),
        "opts": page.opts,
    }
    return TemplateResponse(request, "admin/desk/week.html", context)


def _chosen(states: Sequence[AccountState], code: str) -> AccountState | None:
    """The account that was asked for, else the first."""
    asked = [state for state in states if state.account.code == code]
    return next(iter([*asked, *states]), None)


def _coming(now: datetime, limits: Limits | None) -> Span | None:
    """The blackout that is on, else the next one within two weeks."""
    spans = spans_between(now, now + 2 * WEEK, limits, INSTRUMENT)[0]
    return next((span for span in spans if span.action is WindowAction.BLOCK), None)


def _monday(raw: str, now: datetime) -> datetime:
    """Midnight UTC of the Monday of the asked day; of this week where none was understood."""
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        day = now.astimezone(UTC).date()
    day = min(max(day, date(1970, 1, 5)), date(2199, 12, 1))
    return datetime.combine(day - timedelta(days=day.weekday()), time(), UTC)


def _lines(
    monday: datetime,
    now: datetime,
    limits: Limits | None,
    spans: Sequence[Span],
    events: Sequence[EventView],
    state: AccountState | None,
) -> list[DayLine]:
    days = [monday + number_of * DAY for number_of in range(7)]
    lines = [DayLine(formats.date_format(day, "WEEK_DAY_FORMAT"), day <= now < day + DAY) for day in days]
    for opens, closes, kind, title in (
        *_sessions(monday, limits), *_windows(spans), *_events(events), *_blocked(monday, state),
    ):  # fmt: skip
        for day, line in zip(days, lines, strict=True):
            if opens < day + DAY and closes >= day:
                line.marks.append(_mark(day, max(opens, day), min(closes, day + DAY), kind, title))
    return lines


Stretch = tuple[datetime, datetime, str, str]


def _mark(day: datetime, opens: datetime, closes: datetime, kind: str, title: str) -> Mark:
    left, width = (opens - day) / DAY * 100, (closes - opens) / DAY * 100
    return Mark(kind, f"{left:.3f}", f"{width:.3f}", title)


def _sessions(monday: datetime, limits: Limits | None) -> Iterator[Stretch]:
    hours = SessionHours.ANY if limits is None else limits.session.hours
    shown = SessionHours.GLOBEX if hours is SessionHours.ANY else hours
    rows = TradingSession.objects.filter(hours=shown.value, closes_at__gt=monday, opens_at__lt=monday + WEEK)
    for row in rows:
        yield row.opens_at, row.closes_at, "session", f"{_('session')} {_hours(row.opens_at, row.closes_at)}"


def _windows(spans: Iterable[Span]) -> Iterator[Stretch]:
    for span in spans:
        kind = "block" if span.action is WindowAction.BLOCK else "reduce"
        yield span.opens_at, span.closes_at, kind, f"{_hours(span.opens_at, span.closes_at)} {span.names}"


def _events(events: Iterable[EventView]) -> Iterator[Stretch]:
    for event in events:
        if event.start_at is not None:
            what = f"{event.start_at:%H:%M} {event.event_type}"
            title = f"{what} ({_('waived')})" if event.waived else what
            yield event.start_at, event.start_at, "waived" if event.waived else "event", title


def _blocked(monday: datetime, state: AccountState | None) -> Iterator[Stretch]:
    if state is None:
        return
    rows = Decision.objects.filter(
        account_id=state.account_id, at__gte=monday, at__lt=monday + WEEK, reason_code__in=CODES
    ).exclude(verdict=Verdict.ALLOW)
    for at, trade_id, code in rows.order_by("-at").values_list("at", "trade_id", "reason_code")[:BLOCKED_SHOWN]:
        yield at, at, "refused", f"{at:%H:%M:%S} {trade_id}: {code}"


def _hours(opens: datetime, closes: datetime) -> str:
    return f"{opens.astimezone(UTC):%H:%M}-{closes.astimezone(UTC):%H:%M}"


def _span_row(span: Span, now: datetime) -> dict[str, Any]:
    events = [
        {"name": window.event.event_type, "url": reverse("admin:risk_macroevent_change", args=[window.event.event_id])}
        for window in span.windows
    ]
    return {
        "opens": moment(span.opens_at), "closes": moment(span.closes_at), "events": events,
        "most": None if span.max_quantity is None else number(span.max_quantity),
        "on": span.opens_at <= now <= span.closes_at, "over": span.closes_at < now,
    }  # fmt: skip


def _waived_row(event: EventView) -> dict[str, Any]:
    url = reverse("admin:risk_macroevent_change", args=[event.event_id])
    return {"name": event.event_type, "start": moment(event.start_at), "url": url}
