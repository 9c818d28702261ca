"""Losing trades: reported outcomes grow a penalty, at its full weight openings are blocked, a person lifts it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from decisions.decision_log import outcome_record
from decisions.inputs import OutcomeInput
from decisions.models import Decision
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from risk.inputs import InputError
from risk.losses import penalty_lift
from risk.models import Account, Penalty
from risk.risk_controller import limits_submit
from risk.rules.losses import penalty_holds
from risk.selectors.losses import loss_view
from tests.factories import FACTORY, LIMITS, AccountFactory, DecisionFactory, state_of

pytestmark = pytest.mark.django_db


def account_with(**losses: Any) -> Account:
    account: Account = AccountFactory()
    limits_submit(account.code, LIMITS | {"losses": losses}, actor=FACTORY, reason="limits of the committee")
    return account


def closes(account: Account, pnl: int, *, decision: Decision | None = None, final: bool = True) -> Decision:
    decision = decision or DecisionFactory(account=account)
    told = OutcomeInput(pnl=Decimal(pnl), closed_at=database_now(), final=final)
    outcome_record(decision, told, actor=FACTORY)
    return decision


def penalties(account: Account) -> list[tuple[str, str, bool]]:
    rows = Penalty.objects.filter(account=account).order_by("id")
    return [(row.penalty_kind, f"{row.value.normalize():f}", row.penalty_active) for row in rows]


def blocked(account: Account) -> list[str]:
    now = database_now()
    return [item.kind for item in loss_view(state_of(account)).penalties if penalty_holds(item, now)]


def test_the_third_loss_in_a_row_blocks_for_an_hour() -> None:
    account = account_with(max_consecutive=3)
    for pnl in (-100, -50):
        closes(account, pnl)
    assert blocked(account) == []
    closes(account, -10)
    assert penalties(account) == [("losses", "0.3333", False), ("losses", "0.6667", False), ("losses", "1", True)]
    assert blocked(account) == ["losses"]
    newest = Penalty.objects.latest("id")
    assert newest.expires_at == newest.at + timedelta(hours=1)
    assert newest.reason == "3 losses in a row, the limit is 3"
    assert Alert.objects.filter(code="penalty_active", account=account.code).count() == 1


def test_a_trade_that_is_not_lost_ends_the_row_and_says_so() -> None:
    account = account_with(max_consecutive=3)
    for pnl in (-100, -50, 20):
        closes(account, pnl)
    assert state_of(account).losses == 0
    assert penalties(account)[-1] == ("losses", "0", False)
    closes(account, -10)
    assert penalties(account)[-1] == ("losses", "0.3333", False)


def test_a_better_trade_does_not_end_a_penalty_that_blocks() -> None:
    account = account_with(max_consecutive=2)
    for pnl in (-100, -50, 500):
        closes(account, pnl)
    assert state_of(account).losses == 0
    assert blocked(account) == ["losses"]


def test_a_correction_of_the_same_trade_is_no_second_loss() -> None:
    account = account_with(max_consecutive=3)
    trade = closes(account, -100)
    closes(account, -120, decision=trade)
    assert state_of(account).losses == 1
    closes(account, 30, decision=trade)
    assert state_of(account).losses == 0


def test_a_trade_that_is_still_open_counts_when_it_is_final() -> None:
    account = account_with(max_consecutive=1)
    trade = closes(account, -100, final=False)
    assert blocked(account) == [] and state_of(account).losses == 0
    closes(account, -100, decision=trade)
    assert blocked(account) == ["losses"]


@pytest.mark.parametrize(("pnl", "expected"), [(-50, []), (-51, ["trade_loss"])])
def test_one_trade_may_lose_fifty_and_no_more(pnl: int, expected: list[str]) -> None:
    account = account_with(max_per_trade="-50")
    closes(account, pnl)
    assert blocked(account) == expected


def test_a_person_lifts_a_penalty_and_the_row_starts_again() -> None:
    account = account_with(max_consecutive=2)
    for pnl in (-100, -50):
        closes(account, pnl)
    penalty_lift(account=account.code, kind="losses", reason="a fault of the feed, mended", actor=FACTORY)
    assert blocked(account) == []
    assert Penalty.objects.latest("id").reason == "a fault of the feed, mended"
    closes(account, -10)
    assert state_of(account).losses == 1 and blocked(account) == []


@pytest.mark.parametrize(("kind", "reason", "field"), [("losses", " ", "reason"), ("trade_loss", "why", "kind")])
def test_lifting_needs_a_penalty_and_a_reason(kind: str, reason: str, field: str) -> None:
    account = account_with(max_consecutive=1)
    closes(account, -10)
    with pytest.raises(InputError) as refused:
        penalty_lift(account=account.code, kind=kind, reason=reason, actor=FACTORY)
    assert refused.value.field == field


def test_without_loss_limits_losses_are_counted_and_cost_nothing() -> None:
    account = account_with()
    closes(account, -1000)
    state = state_of(account)
    assert (state.losses, state.penalties) == (1, {})
    assert state.last_loss_at is not None
    assert penalties(account) == []
