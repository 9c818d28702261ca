"""Algorithms in the admin: a review by a risk approver; the register in twos."""

import pytest
from django.urls import reverse

from risk.models import AlgorithmEntry, AlgorithmSwitch
from risk.roles import COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import AlgorithmEntryFactory, AlgorithmSwitchFactory

pytestmark = pytest.mark.django_db
REVIEW = "/admin/risk/algorithmswitch/review/"


@pytest.mark.parametrize("role", [COMPLIANCE_VIEWER, RISK_MANAGER])
def test_who_may_not_review_has_no_button_and_enables_nothing(as_role: Login, role: str) -> None:
    switch = AlgorithmSwitchFactory()
    browser = as_role(role)
    assert REVIEW not in html_of(browser, reverse("admin:risk_algorithmswitch_change", args=[switch.pk]))
    told = {"algorithm": "sac", "account": switch.account.code, "reason": "x"}
    assert browser.post(REVIEW, told).status_code == 403
    assert AlgorithmSwitch.objects.count() == 1


def test_an_approver_reviews_from_the_page_of_what_disabled_it(as_role: Login) -> None:
    switch = AlgorithmSwitchFactory()
    browser, page = as_role(RISK_APPROVER), reverse("admin:risk_algorithmswitch_change", args=[switch.pk])
    link = f"{REVIEW}?algorithm=sac&amp;account={switch.account.code}"
    assert link in html_of(browser, page)
    form = html_of(browser, link.replace("&amp;", "&"))
    assert 'value="sac"' in form and f'value="{switch.account.code}"' in form
    told = {"algorithm": "SAC", "account": switch.account.code.lower(), "reason": "its orders are as wanted"}
    assert "account: expected" in browser.post(REVIEW, told | {"account": "ES-NONE"}).content.decode()
    assert browser.post(REVIEW, told).status_code == 302
    review = AlgorithmSwitch.objects.get(action="reviewed")
    assert (review.key, review.executions, review.reason) == ("sac", 100, "its orders are as wanted")


REGISTER = "/admin/risk/algorithmentry/register/"
TREND = {"algorithm": "Trend 1.4", "owner": "M. Keller", "max_quantity": "2", "reason": "tested on 2024"}


def test_a_manager_registers_an_approver_approves_and_the_manager_withdraws(as_role: Login) -> None:
    manager, approver = as_role(RISK_MANAGER), as_role(RISK_APPROVER)
    assert REGISTER in html_of(manager, "/admin/risk/algorithmentry/")
    assert "owner: expected" in manager.post(REGISTER, TREND | {"owner": "\x07"}).content.decode()
    manager.post(REGISTER, TREND)
    entry = AlgorithmEntry.objects.get()
    page, decide, withdraw = (
        reverse(f"admin:risk_algorithmentry_{name}", args=[entry.pk]) for name in ("change", "decide", "withdraw")
    )
    assert decide not in html_of(manager, page) and withdraw in html_of(manager, page)
    assert decide in html_of(approver, page) and withdraw not in html_of(approver, page)
    assert "M. Keller" in html_of(approver, decide)
    approver.post(decide, {"approve": "1", "reason": "agreed"})
    assert "This is decided already." in html_of(approver, decide)
    manager.post(withdraw, {"reason": "its fills slip"})
    assert list(entry.rulings.order_by("id").values_list("action", flat=True)) == ["approved", "withdrawn"]
    assert "its fills slip" in html_of(manager, page) and withdraw not in html_of(manager, page)


def test_nobody_else_registers_approves_or_withdraws(as_role: Login) -> None:
    entry = AlgorithmEntryFactory()
    decide, withdraw = (
        reverse(f"admin:risk_algorithmentry_{name}", args=[entry.pk]) for name in ("decide", "withdraw")
    )
    for role, forbidden in (
        (COMPLIANCE_VIEWER, (REGISTER, decide, withdraw)), (RISK_MANAGER, (decide,)),
        (RISK_APPROVER, (REGISTER, withdraw)),
    ):  # fmt: skip
        browser = as_role(role)
        for url in forbidden:
            assert browser.post(url, TREND | {"approve": "1"}).status_code == 403, (role, url)
    assert not entry.rulings.exists()
