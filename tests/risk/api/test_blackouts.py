"""The blackouts of a bot's account, as JSON and as iCalendar."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client as Web

from mia_site.ops.clock import database_now
from risk.models import MacroEvent
from risk.sources.calendars.dialects import parse_calendar
from risk.sources.calendars.settings import CalendarSettings
from tests.risk.api.conftest import Bot
from tests.risk.calendars import event, load

pytestmark = pytest.mark.django_db
URL = "events/blackouts"


@pytest.fixture
def week(bot: Bot) -> Bot:
    """A statement and a press conference that are one blackout, a low event, and one that two persons opened."""
    day = database_now() + timedelta(days=1)
    load(
        event(day), event(day + timedelta(minutes=30), "Press"), event(day, "PMI", "0.2"),
        event(day + timedelta(days=1), "CPI"),
    )  # fmt: skip
    MacroEvent.objects.filter(event_type="CPI").update(waived=True)
    return bot


def test_overlapping_windows_are_one_and_waived_events_are_told(week: Bot) -> None:
    told = week.get(URL).body
    (blackout,) = told["blackouts"]
    assert [one["event_type"] for one in blackout["events"]] == ["FOMC", "Press"]
    assert (blackout["action"], blackout["max_quantity"]) == ("block", None)
    assert [one["event_type"] for one in told["waived"]] == ["CPI"]
    assert told["refreshed_at"] and told["known_until"] and told["instrument"] == "ES"


def test_a_stretch_before_or_after_holds_none(week: Bot) -> None:
    later = (database_now() + timedelta(days=3)).isoformat()
    assert week.get(URL, since=later).body["blackouts"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-05-13T14:30:00"}, "since"),
        ({"since": "2026-13-13T14:30:00Z"}, "since"),
        ({"since": "2026-05-13T14:30:00Z", "until": "2026-05-13T14:30:00Z"}, "until"),
        ({"since": "2026-05-13T14:30:00Z", "until": "2027-07-13T14:30:00Z"}, "until"),
        ({"instrument": ""}, "instrument"),
        ({"instrument": "E" * 33}, "instrument"),
    ],
)
def test_a_question_that_is_not_understood_is_told_which_field(week: Bot, query: dict[str, str], field: str) -> None:
    assert week.get(URL, **query).error["field"] == field


def test_the_ics_holds_the_same_for_calendar_programs(week: Bot, token: str) -> None:
    answer = Web(headers={"authorization": f"Token {token}"}).get(f"/api/v1/{URL}.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    (entry,) = parse_calendar(answer.content, CalendarSettings(dialect="ics", impacts={"*": Decimal(1)})).records
    assert entry.event_type == "Blackout: FOMC; Press"
