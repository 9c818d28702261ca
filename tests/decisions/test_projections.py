"""Projections are what their facts add up to, after a day on which everything happened; a false one is mended."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.decision_log import decisions_write, outcome_record
from decisions.inputs import DecisionInput, OrderInput, OutcomeInput, RegimeInput
from decisions.models import Decision
from decisions.orders import order_record
from decisions.projections import projections_check
from mia_site.ops.clock import database_now
from risk.equity import equity_record, positions_record
from risk.held import held_rule
from risk.inputs import EquityInput, PositionInput, PositionsInput
from risk.losses import penalty_lift
from risk.models import Account, AccountState, Admission, Desk
from risk.peaks import peak_rebase
from risk.risk_controller import (
    desk_halt,
    desk_resume,
    drawdown_check,
    limits_decide,
    limits_submit,
    stop_judge,
    trading_halt,
    trading_resume,
)
from risk.rules.facts import TradingState
from risk.rules.order_life import OrderStatus
from tests.factories import FACTORY, AccountFactory, state_of
from tests.risk.accounts import APPROVER, MANAGER, drawdown_rule

pytestmark = pytest.mark.django_db

OFF = {"mode": "off", "reason": "not under test"}
DAILY = {"name": "daily_loss", "mode": "daily", "allowance": {"of": "amount", "value": "4000"}}
LIMITS: dict[str, Any] = {
    "drawdown": [drawdown_rule(), DAILY],
    "losses": {"max_consecutive": 3, "max_per_trade": "500"},
    "rules": dict.fromkeys(("features", "calendar", "checks"), OFF),
}


def account_under(**sections: Any) -> Account:
    account: Account = AccountFactory()
    limits_submit(account.code, LIMITS | sections, actor=MANAGER, reason="limits of the committee")
    return account


def reports(account: Account, *equities: int, flow: int = 0) -> None:
    now = database_now()
    points = [
        EquityInput(at=now - timedelta(seconds=len(equities) - place), equity=Decimal(equity), cash_flow=Decimal(flow))
        for place, equity in enumerate(equities, 1)
    ]
    equity_record(account=account.code, points=points, actor=FACTORY)


def holds(account: Account, **held: int) -> None:
    positions = tuple(PositionInput(instrument=name, quantity=Decimal(count)) for name, count in held.items())
    positions_record(account=account.code, report=PositionsInput(at=database_now(), positions=positions), actor=FACTORY)


def asks(account: Account, decision: str = "buy", quantity: int = 1) -> Decision:
    sent = DecisionInput(
        account=account.code, trade_id="T", decision=decision, signal_score=0.8, regime_probs=RegimeInput(),
        instrument="ES", quantity=Decimal(quantity),
    )  # fmt: skip
    return decisions_write([sent], account=account.code, client=None, actor=FACTORY).answers[0].decision


def closes(decision: Decision, pnl: int) -> None:
    told = OutcomeInput(pnl=Decimal(pnl), closed_at=database_now(), final=True)
    outcome_record(decision, told, actor=FACTORY)


def tells(account: Account, status: OrderStatus, filled: int, held: int) -> None:
    """The bot tells of the order of its last opening, and of its position as of now."""
    decision = Decision.objects.filter(account=account, effect="opens").order_by("seq").last()
    quantity = None if status is OrderStatus.REJECTED else Decimal(filled)
    if decision is not None:
        told = OrderInput(order_status=status, at=database_now(), filled_quantity=quantity, fill_price=Decimal(5_000))
        order_record(decision, told, actor=FACTORY)
    holds(account, ES=held)


def differences() -> list[str]:
    return [str(found) for found in projections_check()]


def eventful_day() -> Account:
    """Trades, losses, a penalty that is lifted, a breach, a call of `stop_trading`, stops and resumes, other limits."""
    account = account_under(plausibility={"max_move": "0.3"})
    reports(account, 50_000, 51_000)
    holds(account, ES=2)
    for pnl in (-100, -600, -10, 40):
        closes(asks(account), pnl)
    asks(account, "sell", 2)
    penalty_lift(account=account.code, kind="trade_loss", reason="slippage", actor=APPROVER)
    reports(account, 9, 50_900)
    held_rule(account=account.code, accept=False, reason="a bad tick", actor=APPROVER)
    reports(account, 57_900, flow=7_000)
    peak_rebase(account=account.code, rule="max_drawdown", reason="paid out", actor=APPROVER)
    stop_judge("0.06", account=account.code, actor=FACTORY)
    trading_resume(account=account.code, reason="a test of the call", actor=APPROVER)
    looser = LIMITS | {"drawdown": [drawdown_rule("0.06"), DAILY | {"reset_at": "00:00"}]}
    proposed = limits_submit(account.code, looser, actor=MANAGER, reason="room")
    limits_decide(proposed.version, approve=True, actor=APPROVER, reason="agreed")
    drawdown_check()
    reports(account, 54_000, 57_900)
    trading_halt(account=account.code, reason="end of the day", actor=MANAGER)
    desk_halt(reason="a drill", actor=MANAGER)
    desk_resume(reason="the drill is over", actor=APPROVER, state=TradingState.REDUCE_ONLY)
    return account


def test_after_an_eventful_day_every_projection_is_what_its_facts_say() -> None:
    account = eventful_day()
    state = state_of(account)
    assert (state.state, state.held, state.losses, state.penalty_active) == ("HALTED", 0, 0, True)
    assert Admission.objects.filter(account=account).count() > 1
    assert differences() == []


def test_a_breach_in_shadow_and_its_end_are_facts() -> None:
    account = account_under(rules=LIMITS["rules"] | {"drawdown": {"mode": "shadow"}})
    reports(account, 50_000, 40_000)
    assert state_of(account).penalty_active
    assert differences() == []
    reports(account, 40_000, 49_900)
    assert not state_of(account).penalty_active
    stop_judge("0.06", account=account.code, actor=FACTORY)
    assert differences() == []


def test_accepted_equity_is_replayed_where_it_counted() -> None:
    account = account_under(plausibility={"max_move": "0.3"})
    reports(account, 50_000, 30_000, 49_000)
    held_rule(account=account.code, accept=True, reason="the broker says the same", actor=APPROVER)
    assert state_of(account).state == "REDUCE_ONLY"
    assert differences() == []


def test_a_breach_that_time_confirmed_is_replayed_where_it_was_believed() -> None:
    account = account_under(confirmation={"seconds": 60})
    now = database_now()
    points = [
        EquityInput(at=now - timedelta(seconds=ago), equity=Decimal(equity))
        for ago, equity in ((100, 50_000), (90, 46_000), (80, 45_000))
    ]
    equity_record(account=account.code, points=points, actor=FACTORY)
    assert (state_of(account).state, differences()) == ("ACTIVE", [])
    drawdown_check()
    state = state_of(account)
    assert (state.state, state.worst_drawdown, differences()) == ("REDUCE_ONLY", Decimal("0.1"), [])


def spoilt() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "equity", {"equity": Decimal(1)}
    yield "marks", {"marks": {}}
    yield "worst_drawdown", {"worst_drawdown": Decimal("0.5")}
    yield "penalties", {"penalties": {"losses": {}}}
    yield "losses", {"losses": 7}
    yield "state", {"state": "ACTIVE"}
    yield "positions", {"positions": {"ES": "9"}}
    yield "limits_id", {"limits": None}


def test_each_false_projection_is_named_and_rebuilt() -> None:
    account = eventful_day()
    before = AccountState.objects.values().get(account=account)
    for name, change in spoilt():
        AccountState.objects.filter(account=account).update(**change)
        found = differences()
        assert [line.split(":")[0] for line in found] == [f"{account.code} {name}"], name
        assert len(list(projections_check([account.code], rebuild=True))) == 1
        assert AccountState.objects.values().get(account=account) == before


def test_a_missing_a_foreign_and_a_changed_admission_are_mended() -> None:
    account = eventful_day()
    admissions = list(Admission.objects.filter(account=account).order_by("seq"))
    admissions[0].delete()
    Admission.objects.filter(id=admissions[1].id).update(quantity=Decimal(9))
    Admission.objects.create(id=account_under_id(), account=account, seq=1, at=database_now(), effect="opens")
    assert len(differences()) == 3
    list(projections_check(rebuild=True))
    assert differences() == []
    assert list(Admission.objects.filter(account=account).order_by("seq").values_list("quantity", flat=True)) == [
        row.quantity for row in admissions
    ]


def account_under_id() -> str:
    """An id that no decision has."""
    return "01970c1e-0000-7000-8000-000000000000"


def test_the_desk_s_own_state_is_checked_too() -> None:
    eventful_day()
    Desk.objects.filter(id=1).update(state="ACTIVE")
    assert [line.split(":")[0] for line in differences()] == ["desk state"]
    list(projections_check(rebuild=True))
    assert Desk.objects.get().state == "REDUCE_ONLY"


def test_the_command_names_differences_and_mends_them() -> None:
    account = eventful_day()
    out = StringIO()
    call_command("rebuild_projections", "--check", stdout=out)
    assert out.getvalue() == "the projections are what their facts say\n"
    AccountState.objects.filter(account=account).update(losses=7)
    with pytest.raises(CommandError, match="1 differences"):
        call_command("rebuild_projections", "--check", "--account", account.code, stdout=out)
    assert f"{account.code} losses: stored 7, the facts say 0" in out.getvalue()
    call_command("rebuild_projections", stdout=out)
    call_command("rebuild_projections", "--check", stdout=out)
    with pytest.raises(CommandError, match="NOBODY"):
        call_command("rebuild_projections", "--account", "NOBODY", stdout=out)


@settings(max_examples=12)
@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(30_000, 70_000), min_size=1, max_size=3),
            st.sampled_from(["check", "resume", "halt", "accept", "reject", "ask", "lose", "win", "tighten"]),
            st.tuples(st.sampled_from([*OrderStatus]), st.integers(1, 3), st.integers(0, 3)),
        ),
        min_size=1,
        max_size=14,
    )
)
def test_whatever_happens_the_facts_say_the_same(happenings: list[Any]) -> None:
    account = account_under(plausibility={"max_move": "0.4"}, confirmation={"points": 3})
    for happening in happenings:
        happen(account, happening)
    assert [line for line in differences() if line.startswith(account.code)] == []


def happen(account: Account, happening: Any) -> None:
    state = state_of(account)
    if isinstance(happening, list):
        reports(account, *happening)
    elif isinstance(happening, tuple):
        tells(account, *happening)
    elif happening == "check":
        drawdown_check()
    elif happening == "resume" and state.state == "HALTED":
        trading_resume(account=account.code, reason="on", actor=APPROVER, state=TradingState.REDUCE_ONLY)
    elif happening == "halt" and state.state != "HALTED":
        trading_halt(account=account.code, reason="off", actor=MANAGER)
    elif happening in {"accept", "reject"} and state.held:
        held_rule(account=account.code, accept=happening == "accept", reason="seen", actor=APPROVER)
    elif happening == "ask":
        asks(account)
    elif happening in {"lose", "win"}:
        closes(asks(account), -10 if happening == "lose" else 10)
    elif happening == "tighten":
        limits_submit(
            account.code, LIMITS | {"drawdown": [drawdown_rule("0.04"), DAILY]}, actor=MANAGER, reason="less room"
        )
