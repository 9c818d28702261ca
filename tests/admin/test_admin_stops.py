"""The kill switch on every page: one click opens it, the second stops."""

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from decisions.models import Decision
from mia_site.audit.models import Entry
from risk.admin import kill_menu
from risk.models import Account, Client, Desk, ScopedStop, StateChange
from risk.risk_controller import desk_halt, scope_halt, stop_place
from risk.roles import ADMINISTRATOR, COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from risk.rules.facts import StopScope
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import FACTORY, AccountFactory, ClientFactory, DecisionFactory, state_of

pytestmark = pytest.mark.django_db
KILL = "/admin/risk/scopedstop/kill/"
HALT = "/admin/risk/scopedstop/halt/"


def offered(browser: Browser, url: str) -> list[str]:
    """What the menu of the page can stop, in its order."""
    return re.findall(r'name="target" value="([^"]*)"', html_of(browser, url))


def kill(browser: Browser, target: str, **changes: str) -> Any:
    return browser.post(KILL, {"target": target, "preset": "Market conditions", "state": "HALTED", **changes})


@pytest.mark.parametrize("role", [COMPLIANCE_VIEWER, RISK_APPROVER, ""])
def test_who_may_not_stop_has_no_switch_and_stops_nothing(as_role: Login, role: str) -> None:
    AccountFactory(code="ES-A")
    browser = as_role(role)
    assert 'id="kill-switch"' not in html_of(browser, "/admin/")
    assert kill(browser, "account|ES-A|").status_code == 403
    assert browser.post(HALT, {}).status_code == 403
    assert not StateChange.objects.exists()


def test_what_the_page_is_about_stands_first(as_role: Login) -> None:
    bot = ClientFactory(account=AccountFactory(code="ES-B"), name="mia")
    AccountFactory(code="ES-A")
    decision = DecisionFactory(account=bot.account, client=bot, algorithm="trend", instrument="ESZ6")
    browser = as_role(RISK_MANAGER)
    everywhere = ["desk||", "account|ES-A|"]
    assert offered(browser, "/admin/") == [*everywhere, "account|ES-B|"]
    page = reverse("admin:risk_account_change", args=[bot.account.pk])
    assert offered(browser, page) == ["account|ES-B|", *everywhere]
    listed = f"/admin/decisions/decision/?account__exact={bot.account.pk}"
    assert offered(browser, listed) == ["account|ES-B|", *everywhere]
    assert offered(browser, reverse("admin:decisions_decision_change", args=[decision.pk])) == [
        "account|ES-B|", "client|ES-B|mia", "algorithm|ES-B|trend", "instrument|ES-B|ESZ6", *everywhere,
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["x", "²", "9" * 400, "-1", ""])
def test_a_filter_of_somebody_s_own_making_is_no_error(as_role: Login, number: str) -> None:
    assert offered(as_role(RISK_MANAGER), f"/admin/?account__exact={number}") == ["desk||"]


def test_the_second_click_halts_with_the_preset_reason_and_leads_back(as_role: Login) -> None:
    account = AccountFactory(code="ES-A")
    browser = as_role(RISK_MANAGER)
    answer = kill(browser, "account|ES-A|", next="/admin/decisions/decision/?q=x")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/decisions/decision/?q=x")
    change = StateChange.objects.get()
    assert state_of(account).state == "HALTED" and change.reason == "Market conditions"
    assert change.actor == f"user:{browser.session['_auth_user_id']}"
    assert Entry.objects.get(pk=change.pk).why == "Market conditions"
    assert "Stopped: account ES-A." in html_of(browser, "/admin/")
    assert offered(browser, "/admin/") == ["desk||"], "what is halted is not offered again"


def test_it_stops_the_desk_and_the_finer_scopes_too(as_role: Login) -> None:
    bot = ClientFactory(account=AccountFactory(code="ES-A"), name="mia")
    browser = as_role(RISK_MANAGER)
    for target in ("desk||", "client|ES-A|mia", "algorithm|ES-A|trend", "instrument||ES"):
        kill(browser, target, state="REDUCE_ONLY")
    assert Desk.objects.get().state == "REDUCE_ONLY"
    stops = ScopedStop.objects.order_by("id").values_list("scope", "key", "account", "state")
    assert list(stops) == [
        ("client", "mia", bot.account.pk, "REDUCE_ONLY"), ("algorithm", "trend", bot.account.pk, "REDUCE_ONLY"),
        ("instrument", "ES", None, "REDUCE_ONLY"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "account|ES-NONE|"}, {"target": ""}, {"target": "galaxy||"}, {"target": "instrument||"},
        {"target": "client||nobody"}, {"preset": "because"}, {"preset": ""}, {"state": "ACTIVE"}, {"state": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_stopped_is_told_and_nothing_is(as_role: Login, changes: dict[str, str]) -> None:
    AccountFactory(code="ES-A")
    browser = as_role(RISK_MANAGER)
    answer = kill(browser, **{"target": "account|ES-A|", **changes})
    assert answer.status_code == 302 and not StateChange.objects.exists()
    assert "Stopped:" not in html_of(browser, "/admin/")


def test_neither_a_look_nor_another_site_s_form_nor_address_does_anything(as_role: Login) -> None:
    AccountFactory(code="ES-A")
    browser = as_role(RISK_MANAGER)
    assert browser.get(KILL, {"target": "account|ES-A|"}).status_code == 405
    browser.handler.enforce_csrf_checks = True
    assert kill(browser, "account|ES-A|").status_code == 403
    assert not StateChange.objects.exists()
    browser.handler.enforce_csrf_checks = False
    assert kill(browser, "desk||", next="https://evil.example/")["Location"] == "/admin/risk/scopedstop/"


def test_the_form_stops_anything_with_words_and_an_end(as_role: Login) -> None:
    AccountFactory(code="ES-A")
    browser = as_role(RISK_MANAGER)
    asked = {
        "scope": "algorithm", "key": "Trend", "account": "es-a", "state": "HALTED", "words": "loops",
        "until": "2100-01-01T12:00",
    }  # fmt: skip
    browser.post(HALT, asked)
    stop = ScopedStop.objects.get()
    assert (stop.key, stop.state_reason, f"{stop.state_until:%Y-%m-%d %H:%M %Z}") == (
        "trend", "loops", "2100-01-01 12:00 UTC",
    )  # fmt: skip
    html = browser.post(HALT, {**asked, "account": "ES-NONE"}).content.decode()
    assert "account: expected" in html and ScopedStop.objects.count() == 1


def test_an_approver_lifts_one_stop_and_a_manager_does_not(as_role: Login) -> None:
    scope_halt(stop_place(StopScope.INSTRUMENT, "ES"), reason="rollover", actor=FACTORY)
    url = reverse("admin:risk_scopedstop_resume", args=[ScopedStop.objects.get().pk])
    assert as_role(RISK_MANAGER).post(url, {"state": "ACTIVE", "words": "x"}).status_code == 403
    as_role(RISK_APPROVER).post(url, {"state": "ACTIVE", "words": "rolled"})
    assert not ScopedStop.objects.exists()
    assert as_role(RISK_APPROVER).get(url).status_code == 404


def test_stops_in_force_are_shown_where_people_look(as_role: Login) -> None:
    account = AccountFactory(code="ES-A")
    other = AccountFactory(code="ES-B")
    scope_halt(stop_place(StopScope.INSTRUMENT, "ES", "ES-A"), reason="rollover", actor=FACTORY)
    desk_halt(reason="x", actor=FACTORY)
    browser = as_role(COMPLIANCE_VIEWER)
    for url in ("/admin/", "/admin/risk/desk/1/change/", reverse("admin:risk_account_change", args=[account.pk])):
        assert "instrument ES (ES-A)" in html_of(browser, url), url
    assert "stops-in-force" not in html_of(browser, reverse("admin:risk_account_change", args=[other.pk]))


def test_an_administrator_gives_a_client_the_right_to_stop(as_role: Login) -> None:
    bot = ClientFactory()
    url = reverse("admin:risk_client_halt-right", args=[bot.pk])
    assert as_role(RISK_MANAGER).post(url, {"reason": "x"}).status_code == 403
    as_role(ADMINISTRATOR).post(url, {"reason": "watchdog"})
    assert Client.objects.get(pk=bot.pk).can_halt
    assert Entry.objects.get(kind_name="halt_right_changed").why == "watchdog"


def test_a_page_shows_the_switch_whatever_it_is_about(as_role: Login) -> None:
    decision = DecisionFactory(client=None, algorithm="x" * 64, instrument="ES")
    assert Decision.objects.count() == 1 and Account.objects.count() == 1
    found = offered(as_role(RISK_MANAGER), reverse("admin:decisions_decision_change", args=[decision.pk]))
    assert found[1] == f"algorithm|{decision.account.code}|{'x' * 64}"


def test_accounts_that_no_menu_can_bear_are_a_list_away(as_role: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill_menu, "ACCOUNTS_SHOWN", 1)
    AccountFactory(code="ES-A")
    browser = as_role(RISK_MANAGER)
    assert "All accounts…" not in html_of(browser, "/admin/")
    AccountFactory(code="ES-B")
    assert offered(browser, "/admin/") == ["desk||", "account|ES-A|"]
    assert 'href="/admin/risk/account/">All accounts…' in html_of(browser, "/admin/")
