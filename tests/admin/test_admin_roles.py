"""Four roles: what each of them may and may not do."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser

from mia_site.ops.registry import bootstrap_run
from risk.roles import (
    ACKNOWLEDGE,
    ADMINISTRATOR,
    APPROVE_ALGORITHMS,
    APPROVE_LIMITS,
    CHANGE_WINDOWS,
    COMPLIANCE_VIEWER,
    CONTINUE_LEDGER,
    EXPORT,
    HALT,
    LEARN_FEATURES,
    MANAGED,
    PROPOSE_LIMITS,
    REGISTER_ALGORITHMS,
    RESUME,
    REVIEW_ALGORITHMS,
    RISK_APPROVER,
    RISK_MANAGER,
    RULE_MEMORY,
    RULE_WINDOWS,
    fact_writes,
    roles_ensure,
)
from tests.admin.conftest import Login
from tests.admin.pages import desk_models
from tests.factories import UserFactory

ROLES = (COMPLIANCE_VIEWER, RISK_MANAGER, RISK_APPROVER, ADMINISTRATOR)
MANAGES = {HALT, PROPOSE_LIMITS, CHANGE_WINDOWS, RULE_MEMORY, LEARN_FEATURES, REGISTER_ALGORITHMS, ACKNOWLEDGE}
APPROVES = {RESUME, APPROVE_LIMITS, RULE_WINDOWS, REVIEW_ALGORITHMS, APPROVE_ALGORITHMS, ACKNOWLEDGE}
FORMS = {
    CONTINUE_LEDGER,
    PROPOSE_LIMITS,
    APPROVE_LIMITS,
    CHANGE_WINDOWS,
    RULE_WINDOWS,
    RULE_MEMORY,
    LEARN_FEATURES,
    REVIEW_ALGORITHMS,
    REGISTER_ALGORITHMS,
    APPROVE_ALGORITHMS,
}
pytestmark = pytest.mark.django_db


def person(role: str) -> User:
    return User.objects.get(pk=UserFactory(role=role).pk)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_everything_and_exports(role: str) -> None:
    someone = person(role)

    unseen = [
        model._meta.label
        for model in desk_models()
        if not someone.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
    ]

    assert unseen == []
    assert someone.has_perm(EXPORT)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (COMPLIANCE_VIEWER, set()),
        (RISK_MANAGER, MANAGES),
        (RISK_APPROVER, APPROVES),
        (ADMINISTRATOR, {*MANAGES, *APPROVES, *MANAGED}),
    ],
)
def test_a_role_has_its_rights_and_no_other(role: str, rights: set[str]) -> None:
    someone = person(role)

    held = {name for name in someone.get_all_permissions() if ".view_" not in name} - {EXPORT}

    assert held == {right for right in rights if ".view_" not in right}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_write_facts_but_through_the_services_forms(role: str) -> None:
    held = person(role).get_all_permissions()

    assert held & set(fact_writes()) <= FORMS


def test_who_stops_does_not_resume_and_who_resumes_does_not_stop() -> None:
    manager, approver = person(RISK_MANAGER), person(RISK_APPROVER)

    assert (manager.has_perm(HALT), manager.has_perm(RESUME)) == (True, False)
    assert (approver.has_perm(HALT), approver.has_perm(RESUME)) == (False, True)


def test_roles_are_made_after_migrate_and_making_them_again_changes_nothing() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)

    assert list(roles_ensure()) == []


def test_a_role_that_somebody_widened_is_put_right_at_the_next_start() -> None:
    viewer = Group.objects.get(name=COMPLIANCE_VIEWER)
    viewer.permissions.add(*Group.objects.get(name=ADMINISTRATOR).permissions.all())

    said = [line for step, line in bootstrap_run() if step == "roles"]

    assert said == [f"role {COMPLIANCE_VIEWER}: {viewer.permissions.count()} permissions"]
    assert not person(COMPLIANCE_VIEWER).has_perm(HALT)


def test_a_person_s_roles_are_boxes_to_tick(as_role: Login) -> None:
    viewer = person(COMPLIANCE_VIEWER)

    page = as_role(ADMINISTRATOR).get(f"/admin/auth/user/{viewer.pk}/change/").content.decode()

    boxes = [tag for tag in re.findall("<input[^>]*>", page) if 'name="groups"' in tag]
    assert all('type="checkbox"' in box for box in boxes)
    assert [bool(re.search(r" checked[ >]", box)) for box in boxes] == [name == COMPLIANCE_VIEWER for name in ROLES]


def test_an_administrator_who_is_no_superuser_cannot_become_one(as_role: Login) -> None:
    browser = as_role(ADMINISTRATOR)
    me = User.objects.get(pk=browser.session["_auth_user_id"])

    answer = browser.post(
        f"/admin/auth/user/{me.pk}/change/",
        {"username": me.username, "is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": []},
    )

    me.refresh_from_db()
    assert answer.status_code == 302
    assert not me.is_superuser


def test_an_administrator_cannot_touch_a_superuser(as_role: Login) -> None:
    root = UserFactory(is_superuser=True, username="root")
    browser = as_role(ADMINISTRATOR)

    page = browser.post(f"/admin/auth/user/{root.pk}/change/", {"username": "nobody"})
    password = browser.post(f"/admin/auth/user/{root.pk}/password/", {"password1": "x", "password2": "x"})

    root.refresh_from_db()
    assert (page.status_code, password.status_code) == (403, 403)
    assert root.username == "root"


def test_nobody_deletes_a_person(as_superuser: Browser) -> None:
    someone = UserFactory()

    answer = as_superuser.post(f"/admin/auth/user/{someone.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=someone.pk).exists()


def test_a_person_without_a_role_sees_a_word_and_no_figures(as_role: Login) -> None:
    html = as_role("").get("/admin/").content.decode()

    assert "an administrator gives you one" in html
    assert "Latest blocked decisions" not in html
