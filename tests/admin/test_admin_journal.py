"""What people do in the admin goes into the journal, and an object's history is read from it."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from django.urls import reverse
from knox.models import get_token_model

from mia_site.audit.models import Entry
from risk.accounts import client_issue
from risk.models import CalendarSource
from risk.risk_controller import trading_halt
from risk.roles import ADMINISTRATOR, COMPLIANCE_VIEWER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import (
    FACTORY,
    AccountFactory,
    AlertFactory,
    DecisionFactory,
    EquityPointFactory,
    MacroEventFactory,
    UserFactory,
)

SOURCE = {"name": "fed", "path": "/srv/fed.csv", "dialect": "mia", "every_minutes": 15, "enabled": "on"}
pytestmark = pytest.mark.django_db


def told(entry: Entry) -> dict[str, Any]:
    fact: dict[str, Any] = json.loads(entry.body)["fact"]
    return fact


def test_a_changed_object_is_journalled_with_before_and_after(as_role: Login) -> None:
    browser = as_role(ADMINISTRATOR)
    me = f"user:{browser.session['_auth_user_id']}"

    browser.post("/admin/risk/calendarsource/add/", SOURCE)
    source = CalendarSource.objects.get(name="fed")
    browser.post(f"/admin/risk/calendarsource/{source.pk}/change/", SOURCE | {"path": "/srv/fed.ics"})
    browser.post(f"/admin/risk/calendarsource/{source.pk}/delete/", {"post": "yes"})

    created, changed, deleted = Entry.objects.filter(object_type="risk.calendarsource").order_by("id")
    assert [entry.kind_name for entry in (created, changed, deleted)] == ["created", "changed", "deleted"]
    assert {created.actor, changed.actor, deleted.actor} == {me}
    assert told(created)["before"] is None
    assert told(created)["after"].items() >= {"name": "fed", "path": "/srv/fed.csv", "enabled": True}.items()
    assert told(changed) == {"before": {"path": "/srv/fed.csv"}, "after": {"path": "/srv/fed.ics"}}
    assert told(deleted)["before"]["path"] == "/srv/fed.ics"
    assert not LogEntry.objects.exists()


def test_deleting_several_at_once_is_journalled_for_each(as_superuser: Browser) -> None:
    sources = [CalendarSource.objects.create(name=name, path="/srv/x") for name in ("a", "b")]

    as_superuser.post(
        "/admin/risk/calendarsource/",
        {"action": "delete_selected", "_selected_action": [source.pk for source in sources], "post": "yes"},
    )

    assert not CalendarSource.objects.exists()
    assert Entry.objects.filter(object_type="risk.calendarsource", kind_name="deleted").count() == 2


def test_a_new_right_is_journalled_and_no_password_is(as_superuser: Browser) -> None:
    secret = "correct horse battery staple"
    viewer = Group.objects.get(name=COMPLIANCE_VIEWER)

    as_superuser.post(
        "/admin/auth/user/add/",
        {
            "username": "vera", "usable_password": "true", "password1": secret, "password2": secret, "is_staff": "on",
            "groups": [viewer.pk],
        },
    )  # fmt: skip
    vera = User.objects.get(username="vera")
    as_superuser.post(
        f"/admin/auth/user/{vera.pk}/password/", {"usable_password": "true", "password1": secret, "password2": secret}
    )

    entries = Entry.objects.filter(object_type="auth.user", object_id=str(vera.pk)).order_by("id")
    by_form = [entry for entry in entries if entry.kind_name != "access_changed"]
    assert [entry.kind_name for entry in by_form] == ["created", "changed"]
    assert told(by_form[0])["after"]["groups"] == [str(viewer.pk)]
    access = [told(entry)["after"] for entry in entries if entry.kind_name == "access_changed"]
    assert access[0]["is_staff"] is True
    assert {"added": [COMPLIANCE_VIEWER], "of": "groups"} in access
    assert not any(secret in entry.body or "pbkdf2" in entry.body for entry in entries)


def test_a_change_that_fails_leaves_no_entry(as_superuser: Browser) -> None:
    CalendarSource.objects.create(name="fed", path="/srv/x")

    as_superuser.post("/admin/risk/calendarsource/add/", {"name": "fed", "path": "/srv/y"})

    assert not Entry.objects.filter(object_type="risk.calendarsource").exists()


def test_history_tells_who_what_when_and_why(as_role: Login) -> None:
    account = AccountFactory(code="ES-TOLD")
    browser = as_role(RISK_MANAGER)
    name = User.objects.get(pk=browser.session["_auth_user_id"]).username
    browser.post(
        reverse("admin:risk_account_halt", args=[account.pk]), {"state": "HALTED", "words": "nobody at the desk"}
    )

    html = html_of(browser, reverse("admin:risk_account_history", args=[account.pk]))

    assert name in html
    assert "nobody at the desk" in html
    assert "State change" in html
    assert "Account opened" in html


def test_the_history_of_a_fact_is_its_entry(as_superuser: Browser) -> None:
    decision = DecisionFactory(trade_id="es-told")

    html = html_of(as_superuser, reverse("admin:decisions_decision_history", args=[decision.pk]))

    assert "es-told" in html
    assert html.count(reverse("admin:audit_entry_change", args=[decision.pk])) == 1


def test_a_point_is_proved_by_the_entry_of_its_batch(as_superuser: Browser) -> None:
    point = EquityPointFactory()

    html = html_of(as_superuser, reverse("admin:risk_equitypoint_change", args=[point.pk]))

    assert str(point.batch_id) in html
    assert bytes(Entry.objects.get(pk=point.batch_id).leaf_hash).hex() in html


def test_an_object_nobody_touched_has_an_empty_history(as_superuser: Browser) -> None:
    event = MacroEventFactory()

    assert "The journal has nothing on this object." in html_of(
        as_superuser, reverse("admin:risk_macroevent_history", args=[event.pk])
    )


def test_an_entry_shows_the_text_that_was_hashed(as_superuser: Browser) -> None:
    decision = DecisionFactory(trade_id="es-hashed")
    entry = Entry.objects.get(pk=decision.pk)

    html = html_of(as_superuser, reverse("admin:audit_entry_change", args=[entry.pk]))

    assert "es-hashed" in html
    assert bytes(entry.leaf_hash).hex() in html
    assert reverse("admin:decisions_decision_change", args=[decision.pk]) in html


def test_tokens_are_revoked_with_a_reason_and_journalled(as_role: Login) -> None:
    account = AccountFactory()
    client, token = client_issue("bot", account=account.code, actor=FACTORY)
    url = reverse("admin:risk_client_revoke", args=[client.pk])

    refused = as_role(RISK_MANAGER).post(url, {"reason": "no right"})
    as_role(ADMINISTRATOR).post(url, {"reason": "laptop lost"})

    entry = Entry.objects.get(kind_name="tokens_revoked")
    assert refused.status_code == 403
    assert entry.why == "laptop lost"
    assert not get_token_model().objects.filter(user=client.user).exists()
    assert token not in entry.body


def test_an_alert_is_acknowledged_once_and_journalled(as_role: Login) -> None:
    alert = AlertFactory()
    url = reverse("admin:ops_alert_acknowledge", args=[alert.pk])
    browser = as_role(RISK_MANAGER)

    assert as_role(COMPLIANCE_VIEWER).post(url).status_code == 403
    browser.post(url)
    again = browser.post(url, follow=True)

    entry = Entry.objects.get(kind_name="acknowledged")
    assert entry.actor == f"user:{browser.session['_auth_user_id']}"
    assert entry.object_id == str(alert.pk)
    assert "Somebody had acknowledged this alert before." in again.content.decode()


def test_actors_are_shown_by_name_and_bots_too(as_superuser: Browser) -> None:
    account = AccountFactory()
    marc = UserFactory(username="marc")
    client, _token = client_issue("mia-es", account=account.code, actor=FACTORY)
    trading_halt(account=account.code, reason="test", actor=type(FACTORY)("user", str(marc.pk)))
    DecisionFactory(account=account, actor=f"client:{client.pk}")

    journal = html_of(as_superuser, "/admin/audit/entry/")
    decision = html_of(as_superuser, "/admin/decisions/decision/?q=trade")

    assert f"marc (user:{marc.pk})" in journal
    assert decision
