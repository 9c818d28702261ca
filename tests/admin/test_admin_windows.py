"""Windows in the admin: close a time, hold a window, open one in twos; the week; proposed memories."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from decisions.event_memory import memories_propose
from decisions.tasks import propose_memory
from mia_site.ops.clock import database_now
from risk.inputs import EquityInput
from risk.models import (
    Cluster,
    Desk,
    MacroEvent,
    MemoryProposal,
    MemoryRuling,
    SessionOverride,
    WindowOverride,
    WindowRuling,
)
from risk.risk_controller import equity_record
from risk.roles import COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import DecisionFactory, MacroEventFactory, TradingSessionFactory
from tests.risk.calendars import ACTOR, desk_account, event, load
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HOUR = timedelta(hours=1)
WEEK = "/admin/decisions/decision/week/"


def coming_event(name: str = "FOMC statement") -> MacroEvent:
    made: MacroEvent = MacroEventFactory(start_at=database_now() + 5 * HOUR, event_type=name)
    return made


def refused(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_manager_closes_a_time(as_role: Login) -> None:
    browser = as_role(RISK_MANAGER)
    start = (database_now() + HOUR).replace(microsecond=0)
    body = {
        "title": "Chair speaks", "starts_at": f"{start:%Y-%m-%d %H:%M:%S}",
        "ends_at": f"{start + HOUR:%Y-%m-%d %H:%M:%S}", "currency": "USD", "reason": "announced today", "close": "1",
    }  # fmt: skip
    answer = browser.post(reverse("admin:risk_windowoverride_close"), body, follow=True)
    assert "Chair speaks" in answer.content.decode()
    closing = MacroEvent.objects.get(source="staff")
    assert (closing.start_at, closing.by_staff, closing.currency) == (start, True, "USD")


def test_what_the_service_refuses_is_told_beside_its_field(as_role: Login) -> None:
    body = {"title": "x", "starts_at": "2020-01-01 10:00", "ends_at": "2020-01-01 09:00", "reason": "y", "close": "1"}
    html = as_role(RISK_MANAGER).post(reverse("admin:risk_windowoverride_close"), body).content.decode()
    assert "an end after the start, within 7 days" in refused(html)
    assert not WindowOverride.objects.exists()


def test_a_window_is_opened_by_one_who_asks_and_another_who_agrees(as_role: Login) -> None:
    fomc = coming_event()
    manager = as_role(RISK_MANAGER)
    page = html_of(manager, reverse("admin:risk_macroevent_change", args=[fomc.pk]))
    ask = reverse("admin:risk_windowoverride_open", args=[fomc.pk])
    assert ask in page
    manager.post(ask, {"reason": "no statement today", "ask": "1"})
    override = WindowOverride.objects.get()
    decide = reverse("admin:risk_windowoverride_decide", args=[override.pk])
    assert manager.get(decide).status_code == 403
    approver = as_role(RISK_APPROVER)
    assert decide in html_of(approver, reverse("admin:risk_windowoverride_change", args=[override.pk]))
    approver.post(decide, {"reason": "confirmed", "approve": "1"})
    fomc.refresh_from_db()
    assert fomc.waived and WindowRuling.objects.get().approved
    assert "This is decided already." in html_of(approver, decide)
    assert ask not in html_of(manager, reverse("admin:risk_macroevent_change", args=[fomc.pk]))


def test_who_asked_does_not_decide(as_superuser: Browser) -> None:
    fomc = coming_event()
    as_superuser.post(
        reverse("admin:risk_windowoverride_open", args=[fomc.pk]), {"reason": "no statement today", "ask": "1"}
    )
    decide = reverse("admin:risk_windowoverride_decide", args=[WindowOverride.objects.get().pk])
    assert "another person must decide" in html_of(as_superuser, decide)
    as_superuser.post(decide, {"reason": "me", "approve": "1"})
    assert not WindowRuling.objects.exists()


def test_a_viewer_acts_on_nothing(as_role: Login) -> None:
    viewer, fomc = as_role(COMPLIANCE_VIEWER), coming_event()
    for name in ("hold", "open"):
        assert viewer.get(reverse(f"admin:risk_windowoverride_{name}", args=[fomc.pk])).status_code == 403
    assert viewer.get(reverse("admin:risk_windowoverride_close")).status_code == 403
    assert "Hold longer" not in html_of(viewer, reverse("admin:risk_macroevent_change", args=[fomc.pk]))


def test_a_window_is_held_longer(as_role: Login) -> None:
    fomc = coming_event()
    until = database_now().replace(microsecond=0) + 8 * HOUR
    body = {"ends_at": f"{until:%Y-%m-%d %H:%M:%S}", "reason": "press conference", "hold": "1"}
    as_role(RISK_MANAGER).post(reverse("admin:risk_windowoverride_hold", args=[fomc.pk]), body)
    assert MacroEvent.objects.get(source="staff").end_at == until


def test_session_hours_that_say_nothing_are_refused(as_superuser: Browser) -> None:
    body = {"hours": "globex", "day": "2026-06-19", "source": "CME"}
    html = as_superuser.post("/admin/risk/sessionoverride/add/", body).content.decode()
    assert "Say when it opens or closes, or that it is closed." in refused(html)
    assert not SessionOverride.objects.exists()


# The week


def test_the_week_shows_sessions_windows_what_was_waived_and_what_was_refused(as_role: Login) -> None:
    account = desk_account("ES-DEMO", session={"hours": "globex"})
    now = database_now()
    monday = datetime.combine((now - timedelta(days=now.weekday())).date(), datetime.min.time(), UTC)
    at = monday + timedelta(days=2, hours=14)
    MacroEventFactory(start_at=at, event_type="FOMC statement", currency="USD")
    MacroEventFactory(start_at=at + 3 * HOUR, event_type="Beige Book", currency="USD", waived=True)
    TradingSessionFactory(day=(monday + timedelta(days=2)).date())
    DecisionFactory(account=account, at=at, blocked=True, trade_id="es-refused")
    html = html_of(as_role(COMPLIANCE_VIEWER), f"{WEEK}?day={monday:%Y-%m-%d}")
    assert re.search(r'desk-mark-block" style="left:56\.250%;width:4\.167%" title="13:30-14:30 FOMC statement"', html)
    assert "desk-mark-session" in html and "17:00 Beige Book (waived)" in html
    assert "es-refused: blackout" in html
    assert "the calendar was never loaded" in html


def test_the_week_counts_down_to_the_next_blackout(as_role: Login) -> None:
    fomc = coming_event()
    Desk.objects.update_or_create(id=1, defaults={"calendar_at": database_now()})
    html = html_of(as_role(COMPLIANCE_VIEWER), WEEK)
    assert fomc.start_at is not None
    opens = fomc.start_at - timedelta(minutes=30)
    assert f'data-until="{opens.isoformat(timespec="seconds")[:19]}' in html
    assert "FOMC statement" in html and "desk/countdown" in html


def test_the_week_in_french_names_its_days_and_counts_in_french(as_role: Login) -> None:
    coming_event()
    browser = as_role(COMPLIANCE_VIEWER)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    html = html_of(browser, f"{WEEK}?day=2026-11-25")
    assert re.findall(r'desk-week-name">([^<]+)', html)[:2] == ["lun 23 nov", "mar 24 nov"]
    assert 'data-day="j"' in html


def test_one_entry_of_the_menu_is_lit_on_the_week(as_role: Login) -> None:
    html = html_of(as_role(COMPLIANCE_VIEWER), WEEK)
    assert re.findall(r'<a href="([^"]+)" class="[^"]* active"', html) == [WEEK]


@pytest.mark.parametrize("query", ["day=never", "day=0001-01-01", "day=9999-12-31", "account=NOBODY", "day=2024-02-29"])
def test_a_week_that_nobody_understands_is_a_page_all_the_same(as_role: Login, query: str) -> None:
    assert "No window this week." in html_of(as_role(COMPLIANCE_VIEWER), f"{WEEK}?{query}")


def test_the_week_is_for_those_who_may_see_the_calendar(client: Browser) -> None:
    assert client.get(WEEK).status_code == 302


# Proposed memories


@pytest.fixture
def lived(desk_clock: StillClock) -> datetime:
    """FOMC, with equity of 50,000 before it and 49,500 after, and two refused decisions."""
    fomc = desk_clock.now + timedelta(minutes=10)
    account = desk_account("ES-DEMO")
    desk_account("ES-QUIET")
    load(event(fomc))
    for minutes, equity in ((0, 50_000), (30, 49_500)):
        desk_clock.now += timedelta(minutes=minutes)
        point = EquityInput(at=desk_clock.now, equity=Decimal(equity))
        equity_record(account="ES-DEMO", points=[point], actor=ACTOR)
    DecisionFactory.create_batch(2, account=account, at=fomc, blocked=True)
    return fomc


def test_what_happened_around_an_event_is_offered_once_its_hour_is_over(lived: datetime) -> None:
    assert memories_propose(lived + timedelta(minutes=59)) == 0
    assert memories_propose(lived + HOUR) == 1
    assert memories_propose(lived + HOUR) == 0, "offered once"
    offered = MemoryProposal.objects.get()
    assert (offered.account.code, offered.event_type, offered.at) == ("ES-DEMO", "FOMC", lived)
    assert offered.features == {
        "equity_before": 50000.0, "equity_after": 49500.0, "equity_move": -0.01, "impact": 1.0, "allowed": 0,
        "blocked": 2,
    }  # fmt: skip
    assert not Cluster.objects.exists(), "it counts once staff accept it"


def test_an_event_that_nobody_offered_for_two_days_is_forgotten(lived: datetime) -> None:
    assert memories_propose(lived + timedelta(days=2)) == 0


def test_staff_accept_a_memory_and_then_it_counts(as_role: Login, lived: datetime) -> None:
    memories_propose(lived + HOUR)
    offered = MemoryProposal.objects.get()
    manager = as_role(RISK_MANAGER)
    decide = reverse("admin:risk_memoryproposal_decide", args=[offered.pk])
    assert decide in html_of(manager, reverse("admin:risk_memoryproposal_change", args=[offered.pk]))
    manager.post(decide, {"reason": "a normal reaction", "accept": "1"})
    cluster = Cluster.objects.get()
    assert (cluster.event_type, cluster.at, cluster.features["equity_move"]) == ("FOMC", lived, -0.01)
    assert MemoryRuling.objects.get().cluster_id == cluster.id
    manager.post(decide, {"reason": "again", "accept": "1"})
    assert Cluster.objects.count() == 1


def test_a_memory_that_is_refused_is_no_cluster(as_role: Login, lived: datetime) -> None:
    memories_propose(lived + HOUR)
    decide = reverse("admin:risk_memoryproposal_decide", args=[MemoryProposal.objects.get().pk])
    as_role(RISK_MANAGER).post(decide, {"reason": "the feed was broken", "refuse": "1"})
    assert not MemoryRuling.objects.get().accepted and not Cluster.objects.exists()


def test_the_task_offers_what_the_service_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[datetime] = []
    monkeypatch.setattr("decisions.tasks.memories_propose", called.append)
    propose_memory()
    assert len(called) == 1
