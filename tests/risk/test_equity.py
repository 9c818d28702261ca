"""Equity and positions: stored and judged in one transaction, late points kept as late, nothing counted twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.equity import equity_record, points_digest, positions_record
from risk.inputs import EquityInput, InputError, PositionsInput
from risk.limits_law import marks_refresh
from risk.locking import AccountUnknown
from risk.models import EquityBatch, EquityPoint, Penalty, PositionReport, Snapshot, StateChange
from risk.risk_controller import limits_submit, trading_halt, trading_resume
from risk.rules.facts import TradingState
from risk.selectors.limits import limits_of
from tests.factories import AccountFactory
from tests.risk.accounts import (
    BOT,
    CODE,
    MANAGER,
    account_under,
    drawdown_rule,
    journal_kinds,
    point,
    positions,
    report,
    state_now,
)
from tests.risk.calendars import raised, told
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
SECOND = timedelta(seconds=1)
DAILY = drawdown_rule("1000", of="amount", name="daily_loss", mode="daily")


def holding(at: Any = NOON, **held: int) -> PositionsInput:
    return PositionsInput(at=at, positions=positions(**held))


# --- a point ------------------------------------------------------------------------------------------------


def test_a_point_becomes_a_batch_with_one_entry_and_the_accounts_equity() -> None:
    account_under()
    answer = report("50250.5", balance="50000", open_pnl="250.5")
    assert (answer.recorded, answer.unchanged, answer.state, len(answer.leaves)) == (1, 0, "ACTIVE", 1)
    batch, stored = EquityBatch.objects.get(), EquityPoint.objects.get()
    assert journal_kinds() == ["equity_batch"] and answer.leaves[0].entry_id == batch.pk == stored.batch_id
    assert batch.digest == points_digest([stored])
    state = state_now()
    assert (state.equity, state.equity_at, state.equity_received_at) == (Decimal("50250.5"), NOON, NOON)
    assert state.seq == state.equity_seq == batch.seq


def test_a_report_of_several_points_is_one_entry_and_folded_oldest_first() -> None:
    account_under()
    points = [point(49_000, NOON), point(51_000, NOON - SECOND)]
    answer = equity_record(account=CODE, points=points, actor=BOT)
    assert (answer.recorded, len(answer.leaves)) == (2, 1)
    assert state_now().equity == 49_000 and state_now().drawdown == Decimal("0.0392156863")
    assert list(EquityPoint.objects.order_by("ordinal").values_list("equity", "late")) == [
        (51_000, False),
        (49_000, False),
    ]


def test_equity_is_kept_also_without_limits() -> None:
    AccountFactory(code=CODE)
    assert report(40_000).state == "ACTIVE", "the gate blocks with limits_missing"
    assert state_now().equity == 40_000 and state_now().marks == {}


def test_an_unknown_account_is_refused() -> None:
    with pytest.raises(AccountUnknown):
        report(50_000)


def test_an_empty_report_changes_nothing() -> None:
    account_under()
    report(50_000)
    assert equity_record(account=CODE, points=[], actor=BOT).recorded == 0


# --- the same again -----------------------------------------------------------------------------------------


def test_the_same_point_again_adds_nothing() -> None:
    account_under()
    report(50_000, cash_flow=0)
    answer = report(50_000)
    assert (answer.recorded, answer.unchanged, answer.leaves) == (0, 1, [])
    assert EquityPoint.objects.count() == 1


def test_a_deposit_told_twice_in_one_report_counts_once() -> None:
    account_under()
    report(50_000, NOON - SECOND)
    deposit = point(60_000, NOON, cash_flow=10_000)
    answer = equity_record(account=CODE, points=[deposit, deposit], actor=BOT)
    assert (answer.recorded, answer.unchanged) == (1, 1)
    assert state_now().marks["max_drawdown"]["reference"] == "60000"


def test_another_equity_at_the_same_time_is_another_point() -> None:
    account_under()
    report(50_000)
    assert report(49_990).recorded == 1 and state_now().equity == 49_990


# --- a breach -----------------------------------------------------------------------------------------------


def test_a_point_below_the_floor_stops_the_account_in_the_transaction_that_stores_it() -> None:
    account_under()
    report(52_000, NOON - SECOND)
    answer = report(49_000)
    assert answer.state == "REDUCE_ONLY"
    assert sorted(journal_kinds()) == ["equity_batch", "equity_batch", "penalty", "snapshot", "state_change"]
    assert len(answer.leaves) == 4
    snapshot, penalty, change = Snapshot.objects.get(), Penalty.objects.get(), StateChange.objects.get()
    assert snapshot.drawdown == Decimal("0.0576923077") and snapshot.cause == change.cause == "drawdown"
    assert snapshot.evidence == change.evidence | {"worst_drawdown": "0.0576923077"}
    assert change.evidence == {
        "rule": "max_drawdown", "mode": "trailing_intraday", "equity": "49000", "reference": "52000",
        "floor": "49400", "drawdown": "0.0576923077", "allowance": "0.05 of reference",
    }  # fmt: skip
    assert penalty.reason == change.reason and "equity 49000 is below the floor 49400" in penalty.reason
    (alert,) = raised("drawdown_breached")
    assert told(alert) == f"{CODE}: drawdown 0.0576923077 is above the limit 0.05, trading is stopped"


@pytest.mark.parametrize(("equity", "state"), [("47500", "ACTIVE"), ("47499.9999", "REDUCE_ONLY")])
def test_the_floor_itself_is_no_breach(equity: str, state: str) -> None:
    account_under()
    assert report(equity).state == state


def test_a_rule_that_says_halted_halts() -> None:
    account_under(drawdown_rule(action="HALTED"))
    assert report(47_000).state == "HALTED"


def test_of_two_broken_rules_the_harder_action_counts_and_the_deeper_is_told() -> None:
    account_under(drawdown_rule("0.05"), drawdown_rule("0.01", name="hard", mode="static", action="HALTED"))
    report(55_000, NOON - SECOND)
    assert report(49_000).state == "HALTED"
    assert StateChange.objects.get().evidence["rule"] == "max_drawdown", "10.9 % of the peak, 2 % of the start"


def test_a_second_point_below_the_floor_stops_nothing_twice() -> None:
    account_under()
    report(47_000, NOON - SECOND)
    report(46_000)
    assert StateChange.objects.count() == Snapshot.objects.count() == 1
    assert state_now().worst_drawdown == Decimal("0.08")


def test_a_worse_rule_hardens_a_stop() -> None:
    account_under(drawdown_rule("0.05"), drawdown_rule("0.10", name="hard", action="HALTED"))
    assert report(47_000, NOON - SECOND).state == "REDUCE_ONLY"
    assert report(44_000).state == "HALTED"
    assert list(StateChange.objects.order_by("seq").values_list("from_state", "to_state")) == [
        ("ACTIVE", "REDUCE_ONLY"), ("REDUCE_ONLY", "HALTED"),
    ]  # fmt: skip


def test_a_breach_is_on_record_also_while_the_account_is_stopped_by_hand() -> None:
    account_under()
    trading_halt(account=CODE, reason="lunch", actor=MANAGER)
    report(47_000, NOON - SECOND)
    report(46_900)
    assert state_now().state == "HALTED" and state_now().penalty_active
    assert Penalty.objects.get().penalty_active and StateChange.objects.get().cause == "manual"
    assert len(raised("drawdown_breached")) == 1 and not raised("drawdown_in_shadow")


def test_in_shadow_a_breach_is_recorded_once_until_the_account_has_recovered() -> None:
    account_under(rules={"drawdown": {"mode": "shadow", "reason": "watched first"}})
    for seconds, equity in enumerate((47_000, 46_000, 50_000, 47_000)):
        assert report(equity, NOON - SECOND * (9 - seconds)).state == "ACTIVE"
    assert Snapshot.objects.count() == 2
    kinds = [row.penalty_kind for row in Penalty.objects.order_by("seq", "id")]
    assert kinds == ["drawdown", "lifted", "drawdown"]
    assert {row.evidence.get("shadow") for row in Snapshot.objects.all()} == {True}


def test_a_rule_that_is_off_is_not_judged() -> None:
    account_under(rules={"drawdown": {"mode": "off", "reason": "the broker's limit holds"}})
    assert report(1_000).state == "ACTIVE" and not Snapshot.objects.exists()


def test_after_a_resume_the_peak_is_intact() -> None:
    account_under()
    report(52_000, NOON - 3 * SECOND)
    report(49_000, NOON - 2 * SECOND)
    report(50_000, NOON - SECOND)
    trading_resume(account=CODE, reason="the trader was warned", actor=MANAGER)
    assert state_now().state == "ACTIVE"
    assert report("49399.99").state == "REDUCE_ONLY", "the floor is still 52,000 - 5 %"


def test_a_daily_loss_is_measured_from_the_last_reset(desk_clock: StillClock) -> None:
    """17:00 in Chicago is 22:00 UTC in May."""
    account_under(DAILY)
    report(51_000, NOON - timedelta(hours=20))
    assert report("50000.01", NOON - timedelta(hours=1)).state == "ACTIVE"
    assert report("49999.99").state == "REDUCE_ONLY", "51,000 at the reset, less 1,000"


# --- cash flows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flow", "equity"), [(10_000, 58_000), (-10_000, 38_000)])
def test_a_cash_flow_changes_no_drawdown(flow: int, equity: int) -> None:
    account_under()
    report(48_000, NOON - SECOND)
    before = state_now().drawdown
    assert report(equity, cash_flow=flow).state == "ACTIVE"
    assert state_now().drawdown == before == Decimal("0.04")


def test_a_flow_out_of_nothing_is_refused_and_nothing_is_kept() -> None:
    account_under()
    points = [point(50_000, NOON - SECOND), point(10_000, NOON, cash_flow=10_000)]
    with pytest.raises(InputError) as refused:
        equity_record(account=CODE, points=points, actor=BOT)
    assert refused.value.field == "[1].cash_flow"
    assert not EquityPoint.objects.exists() and state_now().equity is None


@pytest.mark.parametrize("limits", [True, False])
def test_a_flow_older_than_the_last_equity_is_refused(limits: bool) -> None:
    _ = account_under() if limits else AccountFactory(code=CODE)
    report(50_000)
    with pytest.raises(InputError, match=r"\[0\].cash_flow"):
        report(60_000, NOON - SECOND, cash_flow=10_000)
    assert EquityPoint.objects.count() == 1


# --- time ---------------------------------------------------------------------------------------------------


def test_a_late_point_raises_the_peak_and_never_becomes_the_current_equity() -> None:
    account_under()
    report(50_000)
    report(52_000, NOON - timedelta(minutes=5))
    state = state_now()
    assert (state.equity, state.equity_at) == (50_000, NOON)
    assert state.marks["max_drawdown"]["reference"] == "52000"
    assert EquityPoint.objects.get(late=True).equity == 52_000


def test_a_late_point_below_the_floor_stops() -> None:
    account_under()
    report(50_000)
    assert report(47_000, NOON - SECOND).state == "REDUCE_ONLY"
    stop = StateChange.objects.get()
    assert (stop.evidence["equity"], stop.evidence["drawdown"]) == ("47000", "0.06"), "as of the point that broke it"
    assert Snapshot.objects.get().drawdown == Decimal("0.06")


@pytest.mark.parametrize(("seconds", "taken"), [(5, True), (5.000001, False), (86_400, False)])
def test_a_time_ahead_of_the_desks_clock_is_wrong_beyond_5_seconds(seconds: float, taken: bool) -> None:
    account_under()
    at = NOON + timedelta(seconds=seconds)
    if taken:
        assert report(50_000, at).recorded == 1
        return
    with pytest.raises(InputError) as refused:
        report(50_000, at)
    assert refused.value.field == "[0].at" and "up to now" in str(refused.value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e11", "-1e11", "1e9999999", "0.00001", "1e-9999999"])
def test_money_must_be_finite_and_fit_its_column(value: str) -> None:
    for name in ("equity", "balance", "open_pnl", "cash_flow"):
        given_money: dict[str, Any] = {"equity": Decimal(1), name: Decimal(value)}
        with pytest.raises(ValueError, match=f"{name}: expected a number"):
            EquityInput(at=NOON, **given_money)


# --- positions ----------------------------------------------------------------------------------------------


def test_positions_come_with_a_point_or_alone_and_name_all_that_is_held() -> None:
    account_under()
    report(50_000, held={"ES": 2, "NQ": -1, "YM": 0})
    assert state_now().positions == {"ES": "2", "NQ": "-1"} and state_now().positions_at == NOON
    positions_record(account=CODE, report=holding(NOON + SECOND), actor=BOT)
    assert state_now().positions == {} and PositionReport.objects.count() == 2


def test_a_report_that_says_the_same_adds_nothing_and_an_older_one_is_kept_but_not_applied() -> None:
    account_under()
    assert positions_record(account=CODE, report=holding(ES=2), actor=BOT).recorded == 1
    again = positions_record(account=CODE, report=holding(ES=2), actor=BOT)
    assert (again.recorded, again.unchanged, again.leaves) == (0, 1, [])
    assert positions_record(account=CODE, report=holding(NOON - SECOND, ES=9), actor=BOT).recorded == 1
    assert state_now().positions == {"ES": "2"} and state_now().positions_at == NOON


def test_positions_from_the_future_are_refused() -> None:
    account_under()
    with pytest.raises(InputError) as refused:
        positions_record(account=CODE, report=holding(NOON + timedelta(minutes=1), ES=2), actor=BOT)
    assert refused.value.field == "at" and not PositionReport.objects.exists()


def test_an_instrument_stands_in_a_report_once() -> None:
    with pytest.raises(ValueError, match="each instrument once"):
        PositionsInput(at=NOON, positions=positions(ES=1) + positions(ES=2))


# --- what must always hold ----------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    steps=st.lists(
        st.tuples(st.integers(30_000, 70_000), st.sampled_from([0, 0, 0, 2_000, -2_000]), st.integers(1, 3_600)),
        min_size=1,
        max_size=12,
    )
)
def test_marks_rebuilt_from_the_stored_points_are_those_that_were_folded_live(
    steps: list[tuple[int, int, int]],
) -> None:
    account = AccountFactory()
    rules = [drawdown_rule("0.9"), {**DAILY, "allowance": {"of": "initial", "value": "0.9"}}]
    limits_submit(account.code, {"drawdown": rules}, actor=MANAGER, reason="a test")
    at = NOON - timedelta(days=1)
    for equity, flow, seconds in steps:
        at += timedelta(seconds=seconds)
        report(equity, at, code=account.code, cash_flow=flow)
    state = state_now(account.code)
    limits = limits_of(state)
    assert limits is not None
    live = dict(state.marks)
    marks_refresh(state, limits, {rule.name for rule in limits.drawdown})
    assert state.marks == live
    assert TradingState(state.state) is TradingState.ACTIVE
