"""Limits by hand: proposed by one person, decided on by another."""

import copy
import re
from typing import Any

import pytest
import yaml
from django.urls import reverse

from mia_site.audit.actors import Actor
from risk.models import Account, DeskLimitsStep, DeskLimitsVersion, LimitsApproval, LimitsStep, LimitsVersion
from risk.risk_controller import desk_limits_decide, desk_limits_submit, limits_submit
from risk.roles import ADMINISTRATOR, COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import FACTORY, LIMITS, AccountFactory, state_of

pytestmark = pytest.mark.django_db


def document(**changes: Any) -> str:
    text: str = yaml.safe_dump({**copy.deepcopy(LIMITS), **changes}, sort_keys=False)
    return text


def account_with_limits() -> Account:
    account: Account = AccountFactory()
    limits_submit(account.code, LIMITS, actor=FACTORY, reason="first")
    return account


def version_in_force(account: Account) -> int | None:
    limits = state_of(account).limits
    return limits.version if limits else None


def propose(account: Account) -> str:
    return reverse("admin:risk_account_propose", args=[account.pk])


def decide(version: LimitsVersion) -> str:
    return reverse("admin:risk_limitsversion_decide", args=[version.pk])


def test_limits_that_tighten_are_in_force_at_once(as_role: Login) -> None:
    account = account_with_limits()

    answer = as_role(RISK_MANAGER).post(
        propose(account), {"document": document(pace={"max_openings_per_hour": 4}), "reason": "quieter"}, follow=True
    )

    assert "Limits v2 are in force." in answer.content.decode()
    assert version_in_force(account) == 2


def test_limits_that_loosen_wait_for_a_second_person(as_role: Login) -> None:
    account = account_with_limits()
    loose = {"document": document(pace={"max_openings_per_hour": 40}), "reason": "busier"}

    as_role(RISK_MANAGER).post(propose(account), loose)
    version = LimitsVersion.objects.get(account=account, version=2)
    assert version_in_force(account) == 1

    page = as_role(RISK_APPROVER).post(decide(version), {"reason": "agreed", "approve": "1"}, follow=True)

    assert "Limits v2 are in force." in page.content.decode()
    assert version_in_force(account) == 2
    assert LimitsApproval.objects.get(limits=version).approved


def test_a_rejected_proposal_changes_nothing_and_is_decided_once(as_role: Login) -> None:
    account = account_with_limits()
    loose = {"document": document(pace={"max_openings_per_hour": 40}), "reason": "busier"}
    as_role(RISK_MANAGER).post(propose(account), loose)
    version = LimitsVersion.objects.get(account=account, version=2)
    approver = as_role(RISK_APPROVER)

    approver.post(decide(version), {"reason": "too much", "reject": "1"})
    again = approver.post(decide(version), {"reason": "after all", "approve": "1"})

    assert version_in_force(account) == 1
    assert not LimitsApproval.objects.get(limits=version).approved
    assert "This version is decided already." in again.content.decode()


def test_who_proposed_does_not_approve_not_even_an_administrator(as_role: Login) -> None:
    account = account_with_limits()
    browser = as_role(ADMINISTRATOR)
    browser.post(propose(account), {"document": document(pace={"max_openings_per_hour": 40}), "reason": "busier"})
    version = LimitsVersion.objects.get(account=account, version=2)

    answer = browser.post(decide(version), {"reason": "I agree with myself", "approve": "1"})

    assert "another person must decide" in answer.content.decode()
    assert version_in_force(account) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drawdown: [", "expected YAML"),
        ("- a list", "expected a mapping of limits"),
        (document(pace={"max_openings_per_hour": 0}), "pace.max_openings_per_hour: expected a whole number"),
        (document(drawdwon=[]), "expected only known fields"),
    ],
)
def test_a_document_that_cannot_be_used_names_field_value_and_what_was_expected(
    as_role: Login, text: str, said: str
) -> None:
    account = account_with_limits()

    answer = as_role(RISK_MANAGER).post(propose(account), {"document": text, "reason": "a try"})

    assert said in answer.content.decode()
    assert LimitsVersion.objects.filter(account=account).count() == 1


def test_only_who_may_propose_proposes_and_only_who_may_approve_decides(as_role: Login) -> None:
    account = account_with_limits()
    version = LimitsVersion.objects.get(account=account)
    given = {"document": document(), "reason": "a try"}

    for role in (COMPLIANCE_VIEWER, RISK_APPROVER):
        assert as_role(role).post(propose(account), given).status_code == 403
    for role in (COMPLIANCE_VIEWER, RISK_MANAGER):
        assert as_role(role).post(decide(version), {"reason": "a try", "approve": "1"}).status_code == 403


def test_the_page_of_a_version_says_what_it_changed(as_role: Login) -> None:
    account = account_with_limits()
    as_role(RISK_MANAGER).post(
        propose(account), {"document": document(pace={"max_openings_per_hour": 40}), "reason": "busier"}
    )
    version = LimitsVersion.objects.get(account=account, version=2)

    html = as_role(RISK_APPROVER).get(reverse("admin:risk_limitsversion_change", args=[version.pk])).content.decode()

    assert "pace.max_openings_per_hour" in html
    assert "loosens" in html
    assert decide(version) in html


def broken_glass(browser: Any, account: Account) -> LimitsVersion:
    """The desk's policy lets one person loosen; this one does."""
    policy = {"loosening": {"break_glass": True, "delay": "next_session"}}
    version = desk_limits_submit(policy, actor=FACTORY, reason="a desk of one").version
    desk_limits_decide(version, approve=True, actor=Actor("user", "0"), reason="agreed")
    loose = {"document": document(pace={"max_openings_per_hour": 40}), "reason": "busier", "way": "break_glass"}
    answer = browser.post(propose(account), loose, follow=True)
    assert "another person must review them until" in answer.content.decode()
    return LimitsVersion.objects.get(account=account, version=2)


def step(version: LimitsVersion | DeskLimitsVersion) -> str:
    return reverse(f"admin:risk_{version._meta.model_name}_step", args=[version.pk])


def test_the_form_offers_the_ways_of_the_desk_s_policy_only(as_role: Login) -> None:
    account = account_with_limits()
    browser = as_role(RISK_MANAGER)
    assert 'name="way"' not in html_of(browser, propose(account))
    broken_glass(browser, account)
    assert html_of(browser, propose(account)).count('name="way"') == 3


def test_an_open_review_is_shown_until_another_person_keeps_the_limits(as_role: Login) -> None:
    account = account_with_limits()
    manager = as_role(RISK_MANAGER)
    version = broken_glass(manager, account)
    page = reverse("admin:risk_account_change", args=[account.pk])
    assert version_in_force(account) == 2 and "break-glass: to be reviewed until" in html_of(manager, page)
    assert 'name="keep"' not in html_of(manager, step(version)) and 'name="revoke"' in html_of(manager, step(version))
    as_role(RISK_APPROVER).post(step(version), {"reason": "rightly so", "keep": "1"})
    assert LimitsStep.objects.get().step == "kept"
    assert "break-glass: to be reviewed until" not in html_of(manager, page)
    assert "This version is decided already." in html_of(manager, step(version))


def test_who_broke_the_glass_takes_it_back_in_the_admin(as_role: Login) -> None:
    account = account_with_limits()
    manager = as_role(RISK_MANAGER)
    manager.post(step(broken_glass(manager, account)), {"reason": "the day is over", "revoke": "1"})
    assert version_in_force(account) == 3
    listed = html_of(manager, reverse("admin:risk_limitsversion_changelist"))
    assert "reviewed and revoked" in listed and "version 2 was revoked: the day is over" in listed


def test_a_proposal_for_the_desk_is_withdrawn(as_role: Login) -> None:
    version = desk_limits_submit({"loosening": {"break_glass": True}}, actor=FACTORY, reason="x").version
    assert as_role(COMPLIANCE_VIEWER).get(step(version)).status_code == 403
    as_role(RISK_MANAGER).post(step(version), {"reason": "not yet", "withdraw": "1"})
    assert DeskLimitsStep.objects.get().step == "withdrawn"
    listed = html_of(as_role(COMPLIANCE_VIEWER), reverse("admin:risk_desklimitsversion_changelist"))
    assert "withdrawn" in listed


def test_a_version_shows_which_of_its_limits_are_the_desk_s(as_role: Login) -> None:
    account = AccountFactory()
    defaults = {"pace": {"max_openings_per_hour": 6}}
    desk = desk_limits_submit({"accounts": defaults}, actor=FACTORY, reason="one desk").version
    own = {"drawdown": LIMITS["drawdown"], "order": {"max_quantity": "2"}}
    version = limits_submit(account.code, own, actor=FACTORY, reason="its own part").version
    browser = as_role(RISK_MANAGER)

    page = html_of(browser, reverse("admin:risk_limitsversion_change", args=[version.pk]))
    form = html_of(browser, propose(account))

    row = re.search(r"<tr><td>pace.max_openings_per_hour</td>.*?</tr>", page)
    assert row is not None
    assert ">6<" in row[0] and ">desk</span>" in row[0]
    assert reverse("admin:risk_desklimitsversion_change", args=[desk.pk]) in row[0]
    assert "#   max_openings_per_hour: 6  # desk" in form
    assert "  max_quantity: &#x27;2&#x27;" in form
