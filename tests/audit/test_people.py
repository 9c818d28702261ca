"""The journal of people: who came in, who failed to, whose access changed, and by whom (DESIGN 4.14)."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client as Browser

from mia_site.audit import people
from mia_site.audit.actors import Actor, actor_bound, current_actor, user_actor
from mia_site.audit.models import Entry, LoginFailure, PersonalData
from mia_site.audit.people import ALERT_FROM, NAMES_KEPT, OTHERS, WINDOW, failure_count, failures_record
from mia_site.audit.tasks import journal_login_failures
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from risk.roles import COMPLIANCE_VIEWER, RISK_MANAGER
from tests.environment import ROOT, child_environment
from tests.factories import PASSWORD, UserFactory

HOME = "192.0.2.7"
BOSS = Actor("user", "1000")


def entries(kind: str) -> list[Entry]:
    """Of a kind, oldest first; the roles that a migration made are among them."""
    return list(Entry.objects.filter(kind_name=kind).order_by("id"))


def told(entry: Entry) -> dict[str, Any]:
    """Before and after, as the entry has them."""
    fact: dict[str, Any] = json.loads(entry.body)["fact"]
    return fact


def beside(entry: Entry) -> dict[str, Any]:
    """The personal data beside the entry."""
    data: dict[str, Any] = PersonalData.objects.get(pk=entry.pk).data
    return data


def log_in(name: str, password: str, address: str = HOME) -> Browser:
    """Somebody at the admin's login page."""
    browser = Browser(REMOTE_ADDR=address)
    browser.post("/admin/login/?next=/admin/", {"username": name, "password": password})
    return browser


@pytest.fixture
def moment(db: None, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """When every login fails: as time passes, one would fall into the next window now and then."""
    at = database_now()
    monkeypatch.setattr(people, "database_now", lambda: at)
    return at


# Coming and going


def test_a_login_and_a_logout_are_journalled_with_the_address_beside_them(db: None) -> None:
    vera = UserFactory(username="vera", role=COMPLIANCE_VIEWER)

    browser = log_in("vera", PASSWORD)
    browser.post("/admin/logout/")

    for kind in ("logged_in", "logged_out"):
        [entry] = entries(kind)
        assert (entry.actor, entry.object_id) == (f"user:{vera.pk}", str(vera.pk))
        assert beside(entry) == {"user_name": "vera", "address": HOME}
        assert "vera" not in entry.body
        assert HOME not in entry.body


def test_failed_logins_of_an_address_are_one_entry_of_its_window(moment: datetime) -> None:
    vera = UserFactory(username="vera")
    for password in ("wrong", "Wrong", "WRONG"):
        log_in("vera", password)
    log_in("vera", "wrong", address="192.0.2.8")
    assert not entries("login_failed")

    assert failures_record(moment) == 0
    assert failures_record(moment + WINDOW) == 2
    assert failures_record(moment + WINDOW) == 0

    by_address = {beside(entry)["address"]: told(entry)["after"] for entry in entries("login_failed")}
    assert by_address[HOME]["names"] == {f"user:{vera.pk}": 3}
    assert by_address["192.0.2.8"]["count"] == 1
    assert {entry.actor for entry in entries("login_failed")} == {"system:login"}
    assert not LoginFailure.objects.exists()


def test_a_name_that_nobody_has_may_be_a_password_and_is_kept_only_as_an_hmac(moment: datetime) -> None:
    for _ in range(2):
        log_in("hunter2-my-password", "x")
    log_in("another", "x")

    failures_record(moment + WINDOW)

    [entry] = entries("login_failed")
    names = told(entry)["after"]["names"]
    assert sorted(names.values()) == [1, 2]
    assert all(name.startswith("unknown:") and len(name) == len("unknown:") + 32 for name in names)
    assert "hunter2" not in entry.body
    assert "hunter2" not in json.dumps(beside(entry))


def test_an_attack_with_many_names_takes_no_more_room_than_a_few(moment: datetime) -> None:
    names = {f"unknown:{number}": 1 for number in range(NAMES_KEPT)}
    failure_count("first", None)
    LoginFailure.objects.update(names=names, count=NAMES_KEPT)

    failure_count("one-more", None)
    failure_count("and-another", None)

    row = LoginFailure.objects.get()
    assert len(row.names) == NAMES_KEPT + 1
    assert row.names[OTHERS] == 2
    assert row.count == NAMES_KEPT + 2
    assert row.window <= moment


def test_many_failures_from_one_address_are_an_alert(moment: datetime) -> None:
    for _ in range(ALERT_FROM - 1):
        failure_count("vera", None)
    failures_record(moment + WINDOW)
    assert not Alert.objects.filter(code="login_failures").exists()

    for _ in range(ALERT_FROM):
        failure_count("vera", None)
    failures_record(moment + WINDOW)

    assert Alert.objects.get(code="login_failures").params == {"count": ALERT_FROM, "minutes": 5}


def test_the_task_writes_windows_that_are_over(db: None) -> None:
    log_in("vera", "x")
    LoginFailure.objects.update(window=database_now() - WINDOW - timedelta(seconds=1))

    journal_login_failures()

    assert len(entries("login_failed")) == 1


# Access


def access(who: Any) -> list[dict[str, Any]]:
    """What the journal says of somebody's access, oldest first."""
    found = Entry.objects.filter(kind_name="access_changed", object_type=who._meta.label_lower, object_id=str(who.pk))
    return [told(entry) for entry in found.order_by("id")]


def test_a_person_made_promoted_and_locked_out_is_three_entries_and_no_password(db: None) -> None:
    with actor_bound(lambda: BOSS):
        marc = User.objects.create_user("marc", password="a very secret one")
        marc.is_staff = True
        marc.save()
        marc.is_active = False
        marc.save(update_fields=["is_active"])
        marc.email = "marc@example.org"
        marc.save()

    made, promoted, locked = access(marc)
    assert made["before"] is None
    assert (promoted["before"], promoted["after"]) == ({"is_staff": False}, {"is_staff": True})
    assert (locked["before"], locked["after"]) == ({"is_active": True}, {"is_active": False})
    bodies = [entry.body for entry in entries("access_changed")]
    assert not any("secret" in body or "pbkdf2" in body or "example.org" in body for body in bodies)
    assert {entry.actor for entry in entries("access_changed")[-3:]} == {str(BOSS)}


def test_a_new_password_is_told_but_not_which(db: None) -> None:
    marc = UserFactory()
    marc.set_password("a very secret one")
    marc.save()

    assert access(marc)[-1] == {"before": {"password": "•••"}, "after": {"password": "•••"}}


def test_a_login_alone_changes_no_access(db: None) -> None:
    vera = UserFactory(username="vera", role=COMPLIANCE_VIEWER)
    before = len(access(vera))

    log_in("vera", PASSWORD)

    assert len(access(vera)) == before


def test_groups_given_taken_and_cleared_name_the_groups(db: None) -> None:
    marc = UserFactory()
    viewer, manager = (Group.objects.get(name=name) for name in (COMPLIANCE_VIEWER, RISK_MANAGER))

    marc.groups.add(viewer, manager)
    marc.groups.add(viewer)
    marc.groups.remove(viewer)
    marc.groups.clear()

    assert [line["after"] for line in access(marc)[1:]] == [
        {"added": [COMPLIANCE_VIEWER, RISK_MANAGER], "of": "groups"},
        {"removed": [COMPLIANCE_VIEWER], "of": "groups"},
        {"cleared": [RISK_MANAGER], "of": "groups"},
    ]


def test_a_group_that_takes_people_in_is_told_of_each_of_them(db: None) -> None:
    marc, vera = UserFactory(), UserFactory()
    viewer = Group.objects.get(name=COMPLIANCE_VIEWER)

    viewer.user_set.add(marc, vera)
    viewer.user_set.clear()

    for person in (marc, vera):
        assert [line["after"] for line in access(person)[1:]] == [
            {"added": [COMPLIANCE_VIEWER], "of": "groups"},
            {"cleared": [COMPLIANCE_VIEWER], "of": "groups"},
        ]
    assert access(viewer) == access(Group.objects.get(pk=viewer.pk))


def test_permissions_of_a_person_and_of_a_group_are_told_from_either_side(db: None) -> None:
    marc, group = UserFactory(), Group.objects.create(name="night desk")
    halt = Permission.objects.get(codename="halt", content_type__app_label="risk")

    marc.user_permissions.add(halt)
    group.permissions.add(halt)
    halt.group_set.remove(group)

    assert access(marc)[-1]["after"] == {"added": ["risk.halt"], "of": "permissions"}
    assert [line["after"] for line in access(group)] == [
        {"added": ["risk.halt"], "of": "permissions"},
        {"removed": ["risk.halt"], "of": "permissions"},
    ]


def test_a_person_or_group_that_is_deleted_leaves_what_it_could_do(db: None) -> None:
    marc, group = UserFactory(is_superuser=True), Group.objects.create(name="night desk")
    group.permissions.add(Permission.objects.get(codename="halt", content_type__app_label="risk"))
    number, group_number = marc.pk, group.pk

    marc.delete()
    group.delete()

    gone, disbanded = entries("access_changed")[-2:]
    assert (gone.object_id, told(gone)["after"]) == (str(number), {"deleted": True})
    assert told(gone)["before"]["is_superuser"] is True
    assert told(gone)["before"]["password"] == "•••"
    assert (disbanded.object_id, told(disbanded)["before"]) == (str(group_number), {"permissions": ["risk.halt"]})


# Who did it


def test_in_the_admin_it_was_the_person_at_the_keyboard(db: None) -> None:
    boss, marc = UserFactory(username="boss", is_superuser=True), UserFactory(username="marc")
    browser = log_in("boss", PASSWORD)

    browser.post(f"/admin/auth/user/{marc.pk}/change/", {"username": "marc", "is_active": "on", "is_superuser": "on"})

    entry = Entry.objects.filter(object_type="auth.user", object_id=str(marc.pk), kind_name="access_changed").latest(
        "id"
    )
    assert told(entry)["after"]["is_superuser"] is True
    assert entry.actor == str(user_actor(boss.pk))


def test_a_command_is_named_with_who_ran_it(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "createsuperuser"])

    call_command("createsuperuser", username="root2", email="", interactive=False)

    entry = Entry.objects.filter(kind_name="access_changed").latest("id")
    assert entry.actor.startswith("command:createsuperuser:uid")
    assert told(entry)["after"]["is_superuser"] is True


def test_a_shell_is_named_too(cloned_database: str) -> None:
    code = "from django.contrib.auth.models import User; User.objects.create_user('typed')"

    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=ROOT, env=child_environment(DATABASE_URL=cloned_database), check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    entry = Entry.objects.get(object_type="auth.user", object_id=str(User.objects.get(username="typed").pk))
    assert entry.kind_name == "access_changed"
    assert entry.actor.startswith("command:shell:uid")


def test_who_is_bound_acts_and_nobody_else_after(db: None) -> None:
    with actor_bound(lambda: BOSS):
        assert current_actor() == BOSS
    assert current_actor().kind == "command"
