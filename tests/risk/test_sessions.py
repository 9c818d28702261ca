"""The table of sessions, from the library, what CME published and what staff know; and a week that opens on Sunday."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from mia_site.celery import PERIODS
from risk.inputs import EquityInput
from risk.limits_law import limits_submit
from risk.models import AccountState, Desk, SessionOverride, TradingSession
from risk.readiness import readiness
from risk.risk_controller import drawdown_check, equity_record
from risk.rules.gate import judge
from risk.rules.limits import SessionHours, limits_parse
from risk.selectors.facts import FactsBook
from risk.selectors.sessions import session_of
from risk.sessions import sessions_refresh
from tests.risk.calendars import ACTOR, DRAWDOWN, desk_account, raised
from tests.risk.rules.given import ask, codes
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
NOW = datetime(2025, 5, 7, 15, tzinfo=UTC)
FRIDAY_CLOSE = datetime(2025, 5, 9, 21, tzinfo=UTC)
SUNDAY_OPEN = datetime(2025, 5, 11, 22, tzinfo=UTC)


def utc(row: TradingSession) -> tuple[str, str]:
    return tuple(f"{at.astimezone(UTC):%m-%d %H:%M}" for at in (row.opens_at, row.closes_at))  # type: ignore[return-value]


def on(day: date, hours: str = "globex") -> TradingSession | None:
    return TradingSession.objects.filter(hours=hours, day=day).first()


def test_the_library_fills_the_table_for_a_year_ahead() -> None:
    assert sessions_refresh(NOW) > 600
    wednesday, regular = on(date(2025, 5, 7)), on(date(2025, 5, 7), "regular")
    assert wednesday is not None and utc(wednesday) == ("05-06 22:00", "05-07 21:00")
    assert regular is not None and utc(regular) == ("05-07 13:30", "05-07 20:00")
    winter = on(date(2025, 12, 10))
    assert winter is not None and utc(winter) == ("12-09 23:00", "12-10 22:00"), "clocks changed"
    assert on(date(2025, 12, 25)) is None and on(date(2025, 5, 10)) is None
    thanksgiving = on(date(2025, 11, 27))
    assert thanksgiving is not None and utc(thanksgiving)[1] == "11-27 18:00"
    juneteenth = on(date(2025, 6, 19))
    assert juneteenth is not None and utc(juneteenth)[1] == "06-19 17:00"
    assert on(date(2025, 6, 19), "regular") is None


def test_staff_know_better_and_again_is_the_same() -> None:
    day = date(2025, 5, 8)
    SessionOverride.objects.create(day=day, closes_at=datetime(2025, 5, 8, 15, tzinfo=UTC), source="CME notice 7")
    SessionOverride.objects.create(day=date(2025, 5, 9), closed=True, source="CME notice 8")
    SessionOverride.objects.create(day=date(2025, 5, 10), closes_at=FRIDAY_CLOSE, source="half of a day")
    count = sessions_refresh(NOW)
    assert sessions_refresh(NOW) == count == TradingSession.objects.count()
    row = on(day)
    assert row is not None and utc(row) == ("05-07 22:00", "05-08 15:00") and row.source == "CME notice 7"
    assert on(date(2025, 5, 9)) is None and on(date(2025, 5, 10)) is None


def test_the_command_and_the_task_do_the_same() -> None:
    call_command("refresh_sessions")
    assert TradingSession.objects.count() > 600
    assert PERIODS["risk.tasks.refresh_sessions"] == 86_400


# A week that opens on Sunday


def session_row(opens: datetime, closes: datetime) -> None:
    TradingSession.objects.create(hours="globex", day=closes.date(), opens_at=opens, closes_at=closes, source="test")


@pytest.fixture
def weekend(desk_clock: StillClock) -> StillClock:
    """An account of Globex hours that was well on Friday until the close."""
    session_row(FRIDAY_CLOSE - timedelta(hours=23), FRIDAY_CLOSE)
    session_row(SUNDAY_OPEN, SUNDAY_OPEN + timedelta(hours=23))
    desk_clock.now = FRIDAY_CLOSE - timedelta(seconds=30)
    desk_account(session={"hours": "globex"}, rules={"features": {"mode": "off", "reason": "none here"}})
    Desk.objects.update_or_create(id=1, defaults={"calendar_at": desk_clock.now, "checks_at": desk_clock.now})
    equity(desk_clock)
    return desk_clock


def equity(clock: StillClock) -> None:
    point = EquityInput(at=clock.now, equity=Decimal(50_000))
    equity_record(account="ES-DEMO", points=[point], actor=ACTOR)


def opening(clock: StillClock) -> list[str]:
    """Why an opening is refused now, with a calendar and checks that never stop."""
    Desk.objects.update(calendar_at=clock.now, checks_at=clock.now)
    book = FactsBook(AccountState.objects.select_related("account", "limits").get(), Desk.objects.get(), clock.now)
    return [code.value for code in codes(judge(ask(decided_at=clock.now), book.facts(ask(), None), clock.now).reasons)]


def test_a_weekend_raises_no_false_staleness_and_monday_demands_fresh_inputs(weekend: StillClock) -> None:
    while weekend.now < SUNDAY_OPEN + timedelta(seconds=120):
        drawdown_check()
        weekend.now += timedelta(minutes=97)
    assert not raised("equity_stale"), "a closed market sends nothing"
    weekend.now = SUNDAY_OPEN - timedelta(seconds=1)
    assert "session_closed" in opening(weekend)
    weekend.now = SUNDAY_OPEN + timedelta(seconds=5)
    assert set(opening(weekend)) == {"equity_stale", "position_unknown"}, "Friday's equity opens nothing on Monday"
    equity(weekend)
    assert opening(weekend) == []


def test_a_feed_that_stays_silent_after_the_opening_is_told(weekend: StillClock) -> None:
    weekend.now = SUNDAY_OPEN + timedelta(seconds=119)
    drawdown_check()
    assert not raised("equity_stale")
    weekend.now = SUNDAY_OPEN + timedelta(seconds=121)
    drawdown_check()
    assert len(raised("equity_stale")) == 1


def test_a_feed_that_breaks_while_the_market_is_open_is_told_as_ever(weekend: StillClock) -> None:
    weekend.now = SUNDAY_OPEN + timedelta(hours=2)
    equity(weekend)
    weekend.now += timedelta(seconds=121)
    drawdown_check()
    assert len(raised("equity_stale")) == 1


def test_the_table_says_which_session_is_open_or_next(weekend: StillClock) -> None:
    inside = session_of(SessionHours.GLOBEX, FRIDAY_CLOSE - timedelta(seconds=1))
    assert inside is not None and inside.closes_at == FRIDAY_CLOSE
    after = session_of(SessionHours.GLOBEX, FRIDAY_CLOSE)
    assert after is not None and after.opens_at == SUNDAY_OPEN
    assert session_of(SessionHours.REGULAR, NOW) is None
    assert session_of(SessionHours.GLOBEX, SUNDAY_OPEN + timedelta(days=30)) is None


def test_readiness_tells_of_the_session_and_the_horizon_that_the_limits_ask_for(weekend: StillClock) -> None:
    document = {"drawdown": [DRAWDOWN], "session": {"hours": "globex"}, "calendar": {"horizon_hours": 72}}
    features = {"features": {"mode": "off", "reason": "none here"}}
    limits_submit("ES-DEMO", document | {"rules": features}, actor=ACTOR, reason="reach further")

    def told() -> dict[str, tuple[bool, str]]:
        return {line.name: (line.ok, line.detail) for line in readiness("ES-DEMO")}

    Desk.objects.update(calendar_until=weekend.now + timedelta(hours=71, minutes=30))
    assert told()["session"] == (True, f"open until {FRIDAY_CLOSE.isoformat()}")
    assert told()["calendar horizon"] == (False, "events are known 71 h ahead, at least 72 h")
    weekend.now = FRIDAY_CLOSE
    assert told()["session"] == (True, f"closed; openings are blocked until {SUNDAY_OPEN.isoformat()}")
    TradingSession.objects.all().delete()
    assert told()["session"] == (False, "no session is known")


def test_limits_that_ask_for_no_session_cost_no_query(weekend: StillClock, django_assert_num_queries: object) -> None:
    limits = limits_parse({"drawdown": [DRAWDOWN]})
    from risk.selectors.sessions import session_view

    with django_assert_num_queries(0):  # type: ignore[operator]
        assert session_view(NOW, limits) is None
