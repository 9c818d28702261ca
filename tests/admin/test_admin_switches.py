"""The kill switch by hand, for one account and for the desk."""

from decimal import Decimal

import pytest
from django.urls import reverse

from mia_site.audit.actors import Actor
from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.equity import equity_record
from risk.inputs import EquityInput
from risk.models import Account, Desk, StateChange, StateReview
from risk.risk_controller import desk_halt, desk_limits_decide, desk_limits_submit, limits_submit, trading_halt
from risk.roles import ADMINISTRATOR, COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from risk.rules.facts import TradingState
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import FACTORY, LIMITS, AccountFactory, state_of

pytestmark = pytest.mark.django_db
STOP = {"state": "HALTED", "preset": "Market conditions", "words": "spread of 3 points"}


def page(account: Account, name: str) -> str:
    return reverse(f"admin:risk_account_{name}", args=[account.pk])


def test_a_risk_manager_stops_an_account_and_the_record_says_why(as_role: Login) -> None:
    account = AccountFactory()
    browser = as_role(RISK_MANAGER)

    answer = browser.post(page(account, "halt"), STOP, follow=True)

    change = StateChange.objects.get(account=account)
    assert state_of(account).state == TradingState.HALTED
    assert change.reason == "Market conditions: spread of 3 points"
    assert change.actor == f"user:{browser.session['_auth_user_id']}"
    assert Entry.objects.get(pk=change.pk).why == change.reason
    assert "Done, and recorded with your reason." in answer.content.decode()


def test_a_stop_without_a_reason_is_not_made(as_role: Login) -> None:
    account = AccountFactory()

    answer = as_role(RISK_MANAGER).post(page(account, "halt"), {"state": "HALTED", "preset": "", "words": " "})

    assert "Give a reason" in answer.content.decode()
    assert state_of(account).state == TradingState.ACTIVE


def test_looking_at_the_form_stops_nothing(as_role: Login) -> None:
    account = AccountFactory()

    answer = as_role(RISK_MANAGER).get(page(account, "halt"), STOP)

    assert answer.status_code == 200
    assert state_of(account).state == TradingState.ACTIVE


def test_the_form_of_another_site_stops_nothing(as_role: Login) -> None:
    account = AccountFactory()
    browser = as_role(RISK_MANAGER)
    browser.handler.enforce_csrf_checks = True

    assert browser.post(page(account, "halt"), STOP).status_code == 403
    assert state_of(account).state == TradingState.ACTIVE


@pytest.mark.parametrize("role", [COMPLIANCE_VIEWER, RISK_APPROVER])
def test_only_who_may_halt_halts(as_role: Login, role: str) -> None:
    account = AccountFactory()
    browser = as_role(role)

    assert browser.post(page(account, "halt"), STOP).status_code == 403
    assert browser.post("/admin/risk/desk/halt/", STOP).status_code == 403
    assert state_of(account).state == TradingState.ACTIVE


@pytest.mark.parametrize("role", [COMPLIANCE_VIEWER, RISK_MANAGER])
def test_only_who_may_resume_resumes(as_role: Login, role: str) -> None:
    account = AccountFactory()
    trading_halt(account=account.code, reason="test", actor=FACTORY)

    answer = as_role(role).post(page(account, "resume"), {"state": "ACTIVE", "words": "fine"})

    assert answer.status_code == 403
    assert state_of(account).state == TradingState.HALTED


def test_an_approver_resumes_in_steps(as_role: Login) -> None:
    account = AccountFactory()
    trading_halt(account=account.code, reason="test", actor=FACTORY)
    browser = as_role(RISK_APPROVER)

    browser.post(page(account, "resume"), {"state": "REDUCE_ONLY", "words": "exits first"})
    assert state_of(account).state == TradingState.REDUCE_ONLY

    browser.post(page(account, "resume"), {"state": "ACTIVE", "preset": "Positions reconciled"})
    assert state_of(account).state == TradingState.ACTIVE


def test_an_account_below_its_floor_stays_stopped_and_the_page_says_so(as_role: Login) -> None:
    account = AccountFactory()
    limits_submit(account.code, LIMITS, actor=FACTORY, reason="first")
    low = EquityInput(at=database_now(), equity=Decimal(47_000))
    equity_record(account=account.code, points=[low], actor=FACTORY)

    answer = as_role(RISK_APPROVER).post(page(account, "resume"), {"state": "ACTIVE", "words": "please"})

    html = answer.content.decode()
    assert state_of(account).state == TradingState.REDUCE_ONLY
    assert "47500" in html
    assert "max_drawdown" in html


def test_a_stop_milder_than_the_present_one_is_not_offered(as_role: Login) -> None:
    account = AccountFactory()
    trading_halt(account=account.code, reason="test", actor=FACTORY)
    browser = as_role(ADMINISTRATOR)

    html = browser.get(page(account, "halt")).content.decode()
    browser.post(page(account, "halt"), {"state": "REDUCE_ONLY", "words": "milder"})

    assert "Trading is stopped already" in html
    assert state_of(account).state == TradingState.HALTED


def test_the_whole_desk_stops_and_resumes(as_role: Login) -> None:
    browser = as_role(ADMINISTRATOR)

    browser.post("/admin/risk/desk/halt/", STOP)
    assert Desk.objects.get(id=1).state == TradingState.HALTED
    assert "Resume the desk" in browser.get("/admin/risk/desk/1/change/").content.decode()

    as_role(RISK_APPROVER).post("/admin/risk/desk/resume/", {"state": "ACTIVE", "words": "over"})
    assert Desk.objects.get(id=1).state == TradingState.ACTIVE


def test_buttons_are_shown_to_those_who_may_press_them(as_role: Login) -> None:
    account = AccountFactory()
    desk_halt(reason="test", actor=FACTORY)
    url = reverse("admin:risk_account_change", args=[account.pk])

    viewer, manager = (as_role(role).get(url).content.decode() for role in (COMPLIANCE_VIEWER, RISK_MANAGER))

    assert page(account, "halt") not in viewer
    assert page(account, "halt") in manager
    assert page(account, "propose") not in viewer


def test_an_account_that_does_not_exist_is_404(as_role: Login) -> None:
    browser = as_role(ADMINISTRATOR)

    assert [browser.get(f"/admin/risk/account/999/{name}/").status_code for name in ("halt", "resume", "propose")] == [
        404,
        404,
        404,
    ]


def test_who_halted_is_refused_and_breaks_the_glass_where_the_desk_allows_it(as_role: Login) -> None:
    account = AccountFactory()
    halt, resume, home = (page(account, name) for name in ("halt", "resume", "change"))
    browser = as_role(ADMINISTRATOR)
    browser.post(halt, {"state": "HALTED", "words": "a fault"})
    answer = browser.post(resume, {"state": "ACTIVE", "words": "my own"})
    assert "another person: who halted by hand does not resume" in answer.content.decode()
    assert state_of(account).state == "HALTED" and 'name="break_glass"' not in answer.content.decode()

    version = desk_limits_submit({"loosening": {"break_glass": True}}, actor=FACTORY, reason="one person").version
    desk_limits_decide(version, approve=True, actor=Actor("user", "0"), reason="agreed")
    assert 'name="break_glass"' in html_of(browser, resume)
    browser.post(resume, {"state": "ACTIVE", "words": "only me here", "break_glass": "on"})
    assert state_of(account).state == "ACTIVE"
    for shown in (home, "/admin/", "/admin/risk/desk/1/change/"):
        assert f"resume: account {account}" in html_of(browser, shown), shown

    change = StateChange.objects.get(review_by__isnull=False)
    review = reverse("admin:risk_statechange_review", args=[change.pk])
    assert 'name="keep"' not in html_of(browser, review)
    as_role(RISK_APPROVER).post(review, {"reason": "rightly so", "keep": "1"})
    assert StateReview.objects.get().step == "kept" and "open-reviews" not in html_of(browser, home)
    assert "There is nothing to review." in html_of(browser, review)
