"""Equity that is not believed at once: a breach in doubt, points held for a ruling, and peaks that people move."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from risk.equity import equity_record
from risk.held import held_rule
from risk.inputs import EquityInput, InputError
from risk.models import Account, HeldPoint, HeldRuling, PeakRebase, Snapshot
from risk.peaks import peak_rebase
from risk.risk_controller import drawdown_check, limits_submit
from risk.selectors.drawdown import doubt_views, drawdown_views, held_view
from risk.selectors.limits import limits_of
from tests.factories import FACTORY, AccountFactory, state_of

pytestmark = pytest.mark.django_db

RULE = {"name": "max_drawdown", "mode": "trailing_intraday", "allowance": {"of": "reference", "value": "0.05"}}


def account_with(rule: dict[str, Any] = RULE, **sections: Any) -> Account:
    account: Account = AccountFactory(initial_balance=Decimal(100_000))
    limits_submit(account.code, {"drawdown": [rule], **sections}, actor=FACTORY, reason="limits of the committee")
    return account


def reports(account: Account, *equities: int, end: datetime | None = None) -> None:
    """One point a second, the last of them at `end` (now)."""
    last = end or database_now()
    points = [
        EquityInput(at=last - timedelta(seconds=len(equities) - place), equity=Decimal(equity))
        for place, equity in enumerate(equities, 1)
    ]
    equity_record(account=account.code, points=points, actor=FACTORY)


def drawdown_of(account: Account) -> Decimal:
    state = state_of(account)
    limits = limits_of(state)
    assert limits is not None
    return drawdown_views(state, limits, database_now())[0].drawdown


def doubted(account: Account) -> Sequence[str]:
    state = state_of(account)
    limits = limits_of(state)
    assert limits is not None
    return [view.rule for view in doubt_views(state, limits)]


def test_a_bad_tick_is_in_doubt_and_stops_nothing() -> None:
    account = account_with(confirmation={"points": 3})
    reports(account, 100_000, 50)
    assert doubted(account) == ["max_drawdown"]
    reports(account, 99_000)
    state = state_of(account)
    assert (state.state, state.worst_drawdown, doubted(account)) == ("ACTIVE", Decimal("0.01"), [])


def test_three_bad_points_in_a_row_stop_the_account() -> None:
    account = account_with(confirmation={"points": 3})
    reports(account, 100_000, 94_000, 93_000)
    assert state_of(account).state == "ACTIVE"
    reports(account, 94_000)
    state = state_of(account)
    assert (state.state, state.worst_drawdown) == ("REDUCE_ONLY", Decimal("0.07"))


def test_the_periodic_check_believes_a_breach_that_lasted() -> None:
    account = account_with(confirmation={"seconds": 30})
    now = database_now()
    reports(account, 100_000, 94_000, end=now - timedelta(seconds=20))
    drawdown_check()
    assert state_of(account).state == "ACTIVE"
    other = account_with(confirmation={"seconds": 30})
    reports(other, 100_000, 94_000, end=now - timedelta(seconds=31))
    drawdown_check()
    assert (state_of(other).state, doubted(other)) == ("REDUCE_ONLY", [])


def test_limits_without_confirmation_believe_what_was_in_doubt() -> None:
    account = account_with(confirmation={"points": 3})
    reports(account, 100_000, 94_000)
    limits_submit(account.code, {"drawdown": [RULE]}, actor=FACTORY, reason="believe each point")
    assert state_of(account).state == "REDUCE_ONLY"


def test_a_late_bad_tick_stops_nothing_where_confirmation_is_asked_for() -> None:
    account = account_with(confirmation={"points": 3})
    now = database_now()
    reports(account, 100_000, end=now)
    reports(account, 50, end=now - timedelta(seconds=5))
    assert (state_of(account).state, doubted(account)) == ("ACTIVE", ["max_drawdown"])


def test_an_implausible_point_is_held_and_nothing_follows_from_it() -> None:
    account = account_with(plausibility={"max_move": "0.2"})
    reports(account, 100_000, 50)
    state = state_of(account)
    assert (state.state, state.equity, state.held) == ("ACTIVE", 100_000, 1)
    assert held_view(state) is not None
    held = HeldPoint.objects.get()
    assert (held.equity, held.previous, held.move) == (50, 100_000, Decimal("0.9995"))
    assert Alert.objects.filter(code="equity_held", account=account.code).count() == 1


def test_a_rejected_point_never_counts() -> None:
    account = account_with(plausibility={"max_move": "0.2"})
    reports(account, 100_000, 50)
    held_rule(account=account.code, accept=False, reason="a decimal point in the wrong place", actor=FACTORY)
    reports(account, 99_000)
    limits_submit(
        account.code,
        {"drawdown": [RULE, RULE | {"name": "strict", "allowance": {"of": "reference", "value": "0.04"}}]},
        actor=FACTORY,
        reason="one rule more: it is measured from history",
    )
    state = state_of(account)
    assert (state.state, state.held, state.worst_drawdown) == ("ACTIVE", 0, Decimal("0.01"))
    assert {ruling.accepted for ruling in HeldRuling.objects.all()} == {False}


def test_an_accepted_point_counts_from_the_ruling_on() -> None:
    account = account_with(plausibility={"max_move": "0.2"})
    reports(account, 100_000, 70_000, 69_000)
    assert state_of(account).held == 2
    held_rule(account=account.code, accept=True, reason="the broker says the same", actor=FACTORY)
    state = state_of(account)
    assert (state.state, state.equity, state.held) == ("REDUCE_ONLY", 69_000, 0)
    assert Snapshot.objects.get().drawdown == Decimal("0.3")


@pytest.mark.parametrize(("reason", "field"), [("", "reason"), ("why", "account")])
def test_a_ruling_needs_something_held_and_a_reason(reason: str, field: str) -> None:
    account = account_with()
    with pytest.raises(InputError) as refused:
        held_rule(account=account.code, accept=True, reason=reason, actor=FACTORY)
    assert refused.value.field == field


def test_a_deposit_is_no_implausible_move() -> None:
    account = account_with(plausibility={"max_move": "0.2"})
    reports(account, 100_000)
    deposit = EquityInput(at=database_now(), equity=Decimal(150_000), cash_flow=Decimal(50_000))
    equity_record(account=account.code, points=[deposit], actor=FACTORY)
    assert (state_of(account).held, state_of(account).equity) == (0, 150_000)


def test_an_alert_comes_once_when_eight_tenths_of_the_allowance_are_used() -> None:
    account = account_with(RULE | {"alert_at": "0.8"})
    reports(account, 100_000, 96_001)
    alerts = Alert.objects.filter(code="drawdown_near", account=account.code)
    assert not alerts.exists()
    reports(account, 96_000)
    reports(account, 95_900)
    assert [alert.params["used"] for alert in alerts] == ["0.8"]
    assert state_of(account).state == "ACTIVE"


def test_a_person_moves_a_peak_and_says_why() -> None:
    account = account_with()
    reports(account, 120_000, 115_000)
    before = drawdown_of(account)
    peak_rebase(account=account.code, rule="max_drawdown", reason="profit was paid out", actor=FACTORY)
    assert (round(before, 4), drawdown_of(account)) == (Decimal("0.0417"), Decimal(0))
    fact = PeakRebase.objects.get()
    assert (fact.before, fact.reference, fact.reason) == (120_000, 115_000, "profit was paid out")
    assert state_of(account).worst_drawdown == round(before, 10)


def test_a_rule_measured_anew_remembers_that_a_person_moved_its_peak() -> None:
    account = account_with()
    reports(account, 120_000, 115_000)
    peak_rebase(account=account.code, rule="max_drawdown", reason="profit was paid out", actor=FACTORY)
    eod = {"name": "eod", "mode": "trailing_eod", "allowance": {"of": "reference", "value": "0.05"}}
    limits_submit(account.code, {"drawdown": [RULE, eod]}, actor=FACTORY, reason="one rule more")
    assert drawdown_of(account) == 0


@pytest.mark.parametrize(
    ("rule", "reference", "field"),
    [("daily_loss", None, "rule"), ("max_drawdown", "120000", "reference"), ("max_drawdown", "1", "reference")],
)
def test_only_a_trailing_peak_moves_and_only_down(rule: str, reference: str | None, field: str) -> None:
    account = account_with()
    reports(account, 120_000, 115_000)
    with pytest.raises(InputError) as refused:
        peak_rebase(
            account=account.code, rule=rule, reason="why", actor=FACTORY,
            reference=None if reference is None else Decimal(reference),
        )  # fmt: skip
    assert refused.value.field == field
    assert not PeakRebase.objects.exists()


def test_the_account_says_when_its_worst_drawdown_was_recovered() -> None:
    account = account_with()
    reports(account, 100_000, 97_000)
    assert state_of(account).worst_recovered_at is None
    reports(account, 100_000)
    state = state_of(account)
    assert (state.worst_drawdown, state.worst_recovered_at) == (Decimal("0.03"), state.equity_at)
