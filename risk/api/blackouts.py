"""The blackouts of the client's account, as JSON for bots and as iCalendar for the calendar programs of people."""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from mia_site.ops.clock import database_now
from mia_site.ops.openapi import body_schema
from risk.api.base import DeskView, client_of
from risk.api.filters import query_check
from risk.inputs import INSTRUMENT, Aware, InputError, moment_utc
from risk.models import AccountState, Desk
from risk.rules.facts import EventView
from risk.rules.messages import number
from risk.rules.window_ics import blackouts_ics
from risk.rules.window_spans import Span
from risk.selectors.limits import limits_of
from risk.selectors.windows import spans_between

AHEAD = timedelta(days=7)
LONGEST = timedelta(days=400)


class BlackoutEvent(msgspec.Struct, frozen=True):
    id: str
    event_type: str
    start_at: Aware | None
    end_at: Aware | None
    impact: str
    currency: str | None


class BlackoutSpan(msgspec.Struct, frozen=True):
    """`action` is block, or reduce: then openings of at most `max_quantity` pass. Both ends are included."""

    opens_at: Aware
    closes_at: Aware
    action: str
    max_quantity: str | None
    events: list[BlackoutEvent]


class BlackoutsAnswer(msgspec.Struct, frozen=True):
    """`waived`: events whose window two persons opened. `known_until`: beyond it an empty list means nothing."""

    since: Aware
    until: Aware
    instrument: str
    refreshed_at: Aware | None
    known_until: Aware | None
    blackouts: list[BlackoutSpan]
    waived: list[BlackoutEvent]


PARAMETERS = [
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="default: now"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="default: 7 days after since; at most 400"),
    OpenApiParameter("instrument", OpenApiTypes.STR, description="default: ES"),
]


class _Asked(msgspec.Struct, frozen=True):
    since: Aware
    until: Aware
    instrument: str
    spans: tuple[Span, ...]
    events: tuple[EventView, ...]
    now: Aware


class BlackoutsView(DeskView):
    @extend_schema(
        summary="When the account's openings are blocked or capped by the calendar, overlapping windows as one",
        parameters=PARAMETERS,
        responses={200: OpenApiResponse(body_schema(BlackoutsAnswer))},
    )
    def get(self, request: Request) -> Response:
        asked = _asked(request)
        desk = Desk.objects.filter(id=1).first() or Desk()
        answer: Any = BlackoutsAnswer(
            asked.since, asked.until, asked.instrument, desk.calendar_at, desk.calendar_until,
            blackouts=[_span(span) for span in asked.spans],
            waived=[_event(event) for event in asked.events if event.waived],
        )  # fmt: skip
        return Response(answer)


class BlackoutsFile(DeskView):
    @extend_schema(
        summary="The same as iCalendar, from 7 days ago unless `since` says otherwise",
        parameters=PARAMETERS,
        responses={(200, "text/calendar"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        asked = _asked(request, back=AHEAD)
        name = f"{client_of(request).account.code} {asked.instrument}"
        body = blackouts_ics(asked.spans, name=name, site=settings.SITE_NAME, now=asked.now)
        headers = {"Content-Disposition": 'attachment; filename="blackouts.ics"'}
        return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)


def _asked(request: Request, back: timedelta = timedelta(0)) -> _Asked:
    """The spans of the client's account. Raises `InputError`."""
    query_check(request, (parameter.name for parameter in PARAMETERS))
    now = database_now()
    since = _moment(request, "since") or now - back
    until = _moment(request, "until") or since + back + AHEAD
    if not since < until <= since + LONGEST:
        raise InputError("until", until.isoformat(), "a time after since, at most 400 days")
    instrument = request.query_params.get("instrument", "ES").strip().upper()
    if not re.fullmatch(INSTRUMENT, instrument):
        raise InputError("instrument", instrument[:40], "1 to 32 characters, such as ES")
    state = AccountState.objects.select_related("account", "limits").get(account=client_of(request).account_id)
    spans, events = spans_between(since, until, limits_of(state), instrument)
    return _Asked(since, until, instrument, spans, events, now)


def _moment(request: Request, name: str) -> datetime | None:
    raw = request.query_params.get(name)
    if raw is None:
        return None
    moment = None
    with suppress(ValueError):
        found = parse_datetime(raw.strip().replace(" ", "+"))
        moment = None if found is None else moment_utc(name, found)
    if moment is None:
        raise InputError(name, raw[:40], "a time with its time zone, such as 2026-05-13T14:30:00Z")
    return moment


def _span(span: Span) -> BlackoutSpan:
    most = None if span.max_quantity is None else number(span.max_quantity)
    events = [_event(window.event) for window in span.windows]
    return BlackoutSpan(span.opens_at, span.closes_at, span.action.value, most, events)


def _event(event: EventView) -> BlackoutEvent:
    impact = number(event.impact)
    return BlackoutEvent(event.event_id, event.event_type, event.start_at, event.end_at, impact, event.currency)
