"""What people rule on an account: held equity, penalties for losing trades, peaks."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.urls import reverse

from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.equity import equity_record
from risk.inputs import EquityInput
from risk.losses import outcome_apply
from risk.models import Account, HeldRuling, PeakRebase, Penalty
from risk.risk_controller import limits_submit
from risk.roles import COMPLIANCE_VIEWER, RISK_APPROVER, RISK_MANAGER
from tests.admin.conftest import Login
from tests.factories import FACTORY, LIMITS, AccountFactory, state_of

pytestmark = pytest.mark.django_db


def page(account: Account, name: str) -> str:
    return reverse(f"admin:risk_account_{name}", args=[account.pk])


def held_account() -> Account:
    """50,000, then 51,000, then an equity of 50 that nobody believes."""
    account: Account = AccountFactory()
    limits = {**LIMITS, "plausibility": {"max_move": "0.2"}, "losses": {"max_per_trade": "50"}}
    limits_submit(account.code, limits, actor=FACTORY, reason="limits of the committee")
    now = database_now()
    points = [
        EquityInput(at=now - timedelta(seconds=3 - place), equity=Decimal(equity))
        for place, equity in enumerate((51_000, 50_500, 50))
    ]
    equity_record(account=account.code, points=points, actor=FACTORY)
    return account


def test_an_approver_rejects_held_equity_with_a_reason(as_role: Login) -> None:
    account, browser = held_account(), as_role(RISK_APPROVER)
    assert "1 equity points are held" in browser.get(reverse("admin:risk_account_change", args=[account.pk])).text
    assert "99.9" in browser.get(page(account, "held")).text

    browser.post(page(account, "held"), {"choice": "reject", "reason": "a decimal point in the wrong place"})

    ruling = HeldRuling.objects.get()
    assert (ruling.accepted, state_of(account).held) == (False, 0)
    assert Entry.objects.get(pk=ruling.pk).why == "a decimal point in the wrong place"
    assert "There is nothing to rule on." in browser.get(page(account, "held")).text


def test_an_accepted_equity_stops_the_account(as_role: Login) -> None:
    account = held_account()
    as_role(RISK_APPROVER).post(page(account, "held"), {"choice": "accept", "reason": "the broker says the same"})
    assert state_of(account).state == "REDUCE_ONLY"


def test_an_approver_lifts_a_penalty_with_a_reason(as_role: Login) -> None:
    account, browser = held_account(), as_role(RISK_APPROVER)
    state = state_of(account)
    outcome_apply(state, pnl=Decimal(-51), losses=1, seq=9, now=database_now())
    state.save()
    assert "a trade lost 51, the limit is 50" in browser.get(page(account, "lift")).text

    browser.post(page(account, "lift"), {"choice": "trade_loss", "reason": "slippage of the exchange's outage"})

    assert state_of(account).penalties == {}
    assert Penalty.objects.get().reason == "slippage of the exchange's outage"


def test_the_desks_own_reason_for_a_penalty_is_told_in_french(as_role: Login) -> None:
    account, browser = held_account(), as_role(RISK_APPROVER)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    state = state_of(account)
    outcome_apply(state, pnl=Decimal(-51), losses=1, seq=9, now=database_now())
    state.save()

    for address in (page(account, "lift"), reverse("admin:risk_account_change", args=[account.pk])):
        assert "une transaction a perdu 51, la limite est de 50" in browser.get(address).text


def test_an_approver_moves_a_peak_down_with_a_reason(as_role: Login) -> None:
    account, browser = held_account(), as_role(RISK_APPROVER)

    refused = browser.post(page(account, "peak"), {"choice": "max_drawdown", "reference": "60000", "reason": "why"})
    assert "up to below the present one 51000" in refused.text
    browser.post(page(account, "peak"), {"choice": "max_drawdown", "reference": "", "reason": "profit was paid out"})

    rebase = PeakRebase.objects.get()
    assert (rebase.before, rebase.reference) == (Decimal(51_000), Decimal(50_500))
    assert str(rebase.reason) in browser.get(reverse("admin:risk_account_history", args=[account.pk])).text


@pytest.mark.parametrize("name", ["held", "lift", "peak"])
@pytest.mark.parametrize("role", [COMPLIANCE_VIEWER, RISK_MANAGER])
def test_only_an_approver_rules(as_role: Login, role: str, name: str) -> None:
    assert as_role(role).get(page(AccountFactory(), name)).status_code == 403


@pytest.mark.parametrize("name", ["held", "lift", "peak"])
def test_a_ruling_needs_a_reason(as_role: Login, name: str) -> None:
    account = held_account()
    choice = {"held": "reject", "lift": "trade_loss", "peak": "max_drawdown"}[name]
    answer = as_role(RISK_APPROVER).post(page(account, name), {"choice": choice, "reason": " "})
    assert answer.status_code == 200
    assert not (HeldRuling.objects.exists() or PeakRebase.objects.exists() or Penalty.objects.exists())
