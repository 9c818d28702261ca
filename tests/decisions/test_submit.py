"""Asking the desk: what opens and what closes, exits under way, how long an answer holds, what it was judged on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from decisions.decision_log import OtherAccount, submit
from decisions.models import Decision
from mia_site.audit.models import Entry
from risk.accounts import client_issue
from risk.inputs import InputError
from risk.models import Admission, EquityPoint, PositionReport, StateChange
from risk.risk_controller import trading_halt
from risk.rules.facts import TradingState
from tests.decisions.bots import Bot, codes, desk_refresh, trading_bot
from tests.factories import FACTORY, AccountFactory, state_of
from tests.risk.calendars import event, load
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
SELL: dict[str, Any] = {"decision": "sell", "side": "sell"}
HOLD: dict[str, Any] = {"decision": "hold", "side": None, "quantity": None}
SECOND = timedelta(seconds=1)


def verdict(decision: Decision) -> tuple[str, str]:
    return decision.verdict, decision.effect


def halt(bot: Bot, state: TradingState) -> None:
    trading_halt(account=bot.account.code, state=state, reason="a person says so", actor=FACTORY)


# --- what it does to the account's risk ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "asked", "effect"),
    [
        (0, {}, "opens"),
        (2, {}, "opens"),
        (2, SELL, "reduces"),
        (2, {**SELL, "quantity": "2"}, "reduces"),
        (2, {**SELL, "quantity": "3"}, "opens"),
        (2, {**SELL, "decision": "enter_short"}, "opens"),
        (-2, {"decision": "buy"}, "reduces"),
        (2, {**SELL, "instrument": "NQ"}, "opens"),
        (2, {**SELL, "quantity": None}, "opens"),
        (2, HOLD, "neutral"),
    ],
)
def test_the_effect_follows_from_side_quantity_and_position(
    bot: Bot, held: int, asked: dict[str, Any], effect: str
) -> None:
    bot.reports(quantity=held)
    assert verdict(bot.asks(**asked).decision) == ("allow", effect)


def test_an_exit_needs_a_position_that_is_known(bot: Bot, gate_clock: StillClock) -> None:
    bot.reports(quantity=2)
    gate_clock.now += 121 * SECOND
    assert bot.asks(**SELL).decision.effect == "opens"


def test_stopped_it_lets_exits_pass_and_no_flip(bot: Bot) -> None:
    bot.reports(quantity=2)
    halt(bot, TradingState.REDUCE_ONLY)
    assert verdict(bot.asks().decision) == ("block", "opens")
    assert verdict(bot.asks(**SELL, quantity="2").decision) == ("allow", "reduces")
    assert verdict(bot.asks(**HOLD).decision) == ("allow", "neutral")
    flip = bot.asks(**SELL, quantity="3").decision
    assert verdict(flip) == ("block", "opens")
    assert codes(flip) == ["account_reduce_only", "position_flip"]


def test_halted_nothing_passes_and_everything_is_recorded(bot: Bot) -> None:
    bot.reports(quantity=2)
    halt(bot, TradingState.HALTED)
    assert codes(bot.asks(**SELL).decision) == ["account_halted"]
    assert verdict(bot.asks(**HOLD).decision) == ("allow", "neutral")
    assert Decision.objects.filter(trading_state="HALTED").count() == 2


# --- exits under way ----------------------------------------------------------------------------------------


def test_exits_that_are_under_way_are_not_allowed_twice(bot: Bot) -> None:
    bot.reports(quantity=2)
    halt(bot, TradingState.REDUCE_ONLY)
    answers = [bot.asks(**SELL).decision.verdict for _ in range(3)]
    assert answers == ["allow", "allow", "block"]
    assert Admission.objects.filter(effect="reduces").count() == 2


def test_one_batch_closes_a_position_once(bot: Bot) -> None:
    bot.reports(quantity=2)
    halt(bot, TradingState.REDUCE_ONLY)
    told = bot.submits([bot.sent(**SELL, trade_id=f"T{number}") for number in range(3)])
    assert [answer.decision.verdict for answer in told.answers] == ["allow", "allow", "block"]


def test_a_new_report_answers_for_the_exits_before_it(bot: Bot, gate_clock: StillClock) -> None:
    bot.reports(quantity=2)
    halt(bot, TradingState.REDUCE_ONLY)
    assert bot.asks(**SELL, quantity="2").decision.verdict == "allow"
    assert bot.asks(**SELL).decision.verdict == "block"
    gate_clock.now += SECOND
    bot.reports(quantity=1)  # one of the two was filled
    assert bot.asks(**SELL).decision.verdict == "allow"
    assert bot.asks(**SELL).decision.verdict == "block"


def test_what_is_blocked_reserves_nothing(bot: Bot) -> None:
    bot.reports(quantity=2)
    halt(bot, TradingState.HALTED)
    bot.asks(**SELL, quantity="2")
    assert not Admission.objects.exists()


# --- pace and size ------------------------------------------------------------------------------------------


def test_the_eleventh_opening_within_an_hour_is_blocked_until_the_first_is_an_hour_old(
    bot: Bot, gate_clock: StillClock
) -> None:
    told = bot.submits([bot.sent(trade_id=f"T{number}") for number in range(12)])
    assert [answer.decision.verdict for answer in told.answers] == ["allow"] * 10 + ["block"] * 2
    refused = told.answers[-1].decision
    assert (codes(refused), refused.retry_at) == (["pace_exceeded"], NOON + timedelta(hours=1))
    assert Admission.objects.count() == 10, "a blocked opening is none"


def test_an_order_above_the_cap_is_reduced_to_it(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, order={"max_quantity": "3"})
    decision = bot.asks(quantity="5").decision
    assert (decision.verdict, decision.max_quantity, codes(decision)) == ("reduce", Decimal(3), ["order_too_large"])
    assert Admission.objects.get().quantity == 3


# --- how long an answer holds -------------------------------------------------------------------------------


def test_an_answer_holds_five_seconds(bot: Bot) -> None:
    decision = bot.asks().decision
    assert decision.at == NOON and decision.valid_until == NOON + 5 * SECOND


def test_an_answer_never_holds_past_the_opening_of_the_next_window(bot: Bot) -> None:
    load(event(NOON + timedelta(minutes=30) + 2 * SECOND))
    assert bot.asks().decision.valid_until == NOON + 2 * SECOND


def test_inside_the_window_it_says_when_to_ask_again(bot: Bot, gate_clock: StillClock) -> None:
    load(event(NOON + timedelta(minutes=30)))
    decision = bot.asks().decision
    assert (decision.verdict, codes(decision)) == ("block", ["blackout"])
    assert decision.retry_at == NOON + timedelta(minutes=60)
    gate_clock.now = decision.retry_at + timedelta(microseconds=1)
    desk_refresh(gate_clock.now)
    bot.reports()
    assert bot.asks().decision.verdict == "allow"


# --- what it was judged on ----------------------------------------------------------------------------------


def test_a_decision_says_what_it_was_judged_on(bot: Bot) -> None:
    bot.reports(quantity=2, equity=49_000)
    judged = bot.asks(market={"bid": "5912", "ask": "5912.25"}).decision.judged_on
    assert judged is not None
    assert judged["account_state"] == judged["desk_state"] == "ACTIVE"
    assert judged["equity"] == {"equity": "49000", "at": "2025-05-13T17:00:00+00:00"}
    assert judged["position"]["quantity"] == "2" and judged["openings_last_hour"] == 0
    assert [view["rule"] for view in judged["drawdowns"]] == ["max_drawdown", "daily_loss"]
    at = "2025-05-13T17:00:00+00:00"
    assert judged["market"] == {"bid": "5912", "ask": "5912.25", "reference": None, "at": at}
    assert judged["exposure"] == {
        "reservation_minutes": 1440, "reference": {"price": "5912.125", "at": at, "source": "sent"},
    }  # fmt: skip


def test_without_limits_or_equity_it_blocks_and_says_so(gate_clock: StillClock) -> None:
    account = AccountFactory(code="ES-NEW")
    bot = Bot(*client_issue("new", account=account.code, actor=FACTORY))
    assert codes(bot.asks().decision)[0] == "limits_missing"


def test_equity_that_is_too_old_blocks_openings(bot: Bot, gate_clock: StillClock) -> None:
    gate_clock.now += 119 * SECOND
    assert bot.asks().decision.verdict == "allow", "reported a second before noon, 120 s may pass"
    gate_clock.now += SECOND
    (stale,) = bot.asks().decision.reasons
    assert stale["code"] == "equity_stale" and stale["evidence"]["max_age_seconds"] == 120


def test_a_bots_clock_that_is_off_blocks_its_openings(bot: Bot) -> None:
    assert codes(bot.asks(decided_at=(NOON - 6 * SECOND).isoformat()).decision) == ["clock_skew"]
    assert bot.asks(decided_at=(NOON - 5 * SECOND).isoformat()).decision.verdict == "allow"


# --- what comes inside the body -----------------------------------------------------------------------------


def test_equity_and_positions_inside_the_body_are_stored_and_judged_with_it(bot: Bot, gate_clock: StillClock) -> None:
    gate_clock.now += 600 * SECOND
    point = {"at": gate_clock.now.isoformat(), "equity": "50100", "cash_flow": "0"}
    positions = [{"instrument": "ES", "quantity": "1"}]
    decision = bot.asks(**SELL, equity=point, positions=positions).decision
    assert verdict(decision) == ("allow", "reduces")
    assert EquityPoint.objects.latest("at").equity == 50_100
    assert PositionReport.objects.latest("at").positions == {"ES": "1"}


def test_a_breach_inside_the_body_stops_the_account_and_blocks_the_decision(bot: Bot) -> None:
    decision = bot.asks(equity={"at": NOON.isoformat(), "equity": "47000"}).decision
    assert verdict(decision) == ("block", "opens")
    assert {"account_reduce_only", "drawdown_breached"} <= set(codes(decision))
    assert state_of(bot.account).state == "REDUCE_ONLY"
    assert StateChange.objects.filter(account=bot.account, cause="drawdown").count() == 1


def test_a_report_that_cannot_be_taken_records_nothing_at_all(bot: Bot) -> None:
    entries = Entry.objects.count()
    with pytest.raises(InputError, match="at"):
        bot.asks(equity={"at": (NOON + 6 * SECOND).isoformat(), "equity": "50000"})
    assert not Decision.objects.exists() and Entry.objects.count() == entries


# --- order and ownership ------------------------------------------------------------------------------------


def test_each_decision_has_the_accounts_next_number(bot: Bot) -> None:
    told = bot.submits([bot.sent(trade_id=f"T{number}") for number in range(3)])
    first = told.answers[0].decision.seq
    assert [answer.decision.seq for answer in told.answers] == [first, first + 1, first + 2]
    assert state_of(bot.account).seq == first + 2


def test_another_account_is_refused_before_anything_is_read(bot: Bot) -> None:
    AccountFactory(code="ES-OTHER")
    with pytest.raises(OtherAccount):
        submit([bot.sent(), bot.sent(account="ES-OTHER")], client=bot.client, actor=bot.actor)
    assert not Decision.objects.exists()


def test_a_recorded_only_decision_counts_nowhere(bot: Bot) -> None:
    bot.reports(quantity=2)
    decision = bot.asks(**SELL, mode="record").decision
    assert (decision.verdict, decision.effect, decision.valid_until) == ("", "reduces", None)
    assert decision.reasons == [] and not Admission.objects.exists()
