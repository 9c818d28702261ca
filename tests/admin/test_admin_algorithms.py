"""A risk approver reviews an algorithm that was disabled; nobody else does."""

import pytest
from django.urls import reverse

from risk.models import AlgorithmSwitch
from risk.roles import COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import AlgorithmSwitchFactory

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
