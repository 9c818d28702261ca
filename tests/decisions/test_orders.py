"""From an allow to the end of its order: what is reserved, what a report frees, and what a position report settles."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from decisions.decision_log import outcome_record
from decisions.inputs import OrderInput, OutcomeInput
from decisions.models import Decision, OrderReport
from decisions.orders import order_record
from decisions.projections import projections_check
from mia_site.audit.models import Entry
from mia_site.ops.models import Alert
from risk.desk_limits import desk_limits_submit
from risk.inputs import InputError
from risk.models import Account, AccountState, Admission, Desk
from risk.selectors.account_state import account_state
from tests.decisions.bots import Bot, codes, trading_bot
from tests.factories import FACTORY, LIMITS, DeskLimitsVersionFactory, state_of
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
CAP: dict[str, Any] = {"exposure": {"max_position": "3"}}
SECOND = timedelta(seconds=1)


def tells(bot: Bot, decision: Decision, status: str, **fields: Any) -> OrderReport:
    told = msgspec.convert({"order_status": status, "at": NOON.isoformat(), **fields}, OrderInput)
    return order_record(decision, told, actor=bot.actor)[0]


def later(clock: StillClock, bot: Bot, *, quantity: int = 0) -> None:
    """A minute on: the bot reports equity and its position."""
    clock.now += 60 * SECOND
    bot.reports(quantity=quantity)


@pytest.fixture
def capped(gate_clock: StillClock) -> Bot:
    return trading_bot(now=gate_clock.now, **CAP)


def opens(bot: Bot, quantity: int = 1, **changes: Any) -> Decision:
    return bot.asks(quantity=str(quantity), **changes).decision


def no_differences() -> bool:
    return [str(found) for found in projections_check()] == []


def test_an_allow_is_reserved_at_once_and_a_reject_frees_it(capped: Bot) -> None:
    allowed = [opens(capped), opens(capped), opens(capped)]
    assert codes(opens(capped)) == ["position_cap"]
    tells(capped, allowed[0], "rejected")
    assert opens(capped).verdict == "allow"
    assert no_differences()


def test_a_report_of_an_order_is_a_fact_with_an_entry(capped: Bot) -> None:
    report = tells(capped, opens(capped), "filled", fill_price="5912.25")
    assert report.seq == state_of(capped.account).seq
    assert json.loads(Entry.objects.get(id=report.id).body)["fact"]["status"] == "filled"
    assert state_of(capped.account).prices == {"ES": {"price": "5912.25", "at": NOON.isoformat()}}


def test_the_same_report_again_adds_nothing(capped: Bot) -> None:
    decision = opens(capped)
    assert tells(capped, decision, "cancelled") == tells(capped, decision, "cancelled")
    assert OrderReport.objects.count() == 1


def test_a_fill_counts_once_before_and_after_the_report_that_shows_it(capped: Bot, gate_clock: StillClock) -> None:
    decision = opens(capped, 2)
    tells(capped, decision, "filled", at=(NOON + SECOND).isoformat())
    assert opens(capped, 2).max_quantity == 1, "two are held, one is under way now"
    later(gate_clock, capped, quantity=2)
    assert codes(opens(capped)) == ["position_cap"], "two are held, and one is still under way"
    later(gate_clock, capped, quantity=0)
    assert opens(capped, 5).max_quantity == 2
    assert no_differences()


def test_an_opening_nobody_tells_of_counts_until_a_report_later_than_its_life(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, exposure={"max_position": "3", "reservation_minutes": 2})
    opens(bot, 3)
    later(gate_clock, bot, quantity=0)
    assert codes(opens(bot)) == ["position_cap"]
    later(gate_clock, bot, quantity=0)
    assert opens(bot).verdict == "allow"


def test_the_profit_of_a_closed_trade_ends_its_order(capped: Bot) -> None:
    decision = opens(capped, 3)
    told = OutcomeInput(pnl=Decimal(5), closed_at=NOON, final=True)
    outcome_record(decision, told, actor=capped.actor)
    assert opens(capped, 3).verdict == "allow"
    assert no_differences()


def test_a_cancelled_exit_lets_the_next_one_be_an_exit(bot: Bot) -> None:
    bot.reports(quantity=2)
    sell: dict[str, Any] = {"decision": "exit_long", "side": "sell", "quantity": "2"}
    first = bot.asks(**sell).decision
    assert bot.asks(**sell).decision.effect == "opens", "two are being closed already"
    tells(bot, first, "cancelled", filled_quantity="1", at=(NOON + SECOND).isoformat())
    assert bot.asks(**sell | {"quantity": "1"}).decision.effect == "reduces"
    assert bot.asks(**sell | {"quantity": "1"}).decision.effect == "opens"
    assert no_differences()


def test_an_exit_that_came_with_its_positions_is_under_way_too(bot: Bot) -> None:
    sell: dict[str, Any] = {"decision": "exit_long", "side": "sell", "quantity": "2"}
    held = [{"instrument": "ES", "quantity": "2"}]
    assert bot.asks(**sell, positions=held).decision.effect == "reduces"
    assert bot.asks(**sell).decision.effect == "opens"


def test_the_account_shows_what_is_under_way(capped: Bot) -> None:
    tells(capped, opens(capped, 3), "partially_filled", filled_quantity="1", at=(NOON + SECOND).isoformat())
    (shown,) = account_state(capped.account).exposure
    assert (shown.instrument, shown.position, shown.buying, shown.selling) == ("ES", "1", "2", "0")


def test_a_batch_counts_its_own_openings(capped: Bot) -> None:
    answers = capped.submits([capped.sent(trade_id=f"T{number}") for number in range(4)]).answers
    assert [answer.decision.verdict for answer in answers] == ["allow"] * 3 + ["block"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"order_status": "partially_filled"}, "filled_quantity"),
        ({"order_status": "filled", "filled_quantity": "0"}, "filled_quantity"),
        ({"order_status": "rejected", "filled_quantity": "1"}, "filled_quantity"),
        ({"order_status": "gone"}, "order_status"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({"at": NOON.isoformat(), **fields}, OrderInput)


def test_a_fill_of_tomorrow_is_refused(capped: Bot) -> None:
    with pytest.raises(InputError, match="at"):
        tells(capped, opens(capped), "filled", at=(NOON + 600 * SECOND).isoformat())


def test_the_price_sent_is_the_reference_and_then_the_last_known_one(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, price={"max_deviation": "0.01", "reference_seconds": 30})
    assert codes(opens(bot, price="5000")) == ["reference_missing"]
    assert opens(bot, price="5000", market={"bid": "4999.75", "ask": "5000.25"}).verdict == "allow"
    far = opens(bot, price="5051")
    assert (codes(far), far.reasons[0]["evidence"]["source"]) == (["price_outside_collar"], "known")
    crossed = opens(bot, price="6000", market={"bid": "6001", "ask": "5999"})
    assert codes(crossed) == ["price_outside_collar"], "a crossed market is no reference"
    assert no_differences()
    later(gate_clock, bot)
    assert codes(opens(bot, price="5000")) == ["reference_stale"]
    assert opens(bot, price="5000", market={"reference": "5001", "at": gate_clock.now.isoformat()}).verdict == "allow"


def test_the_desk_caps_what_all_accounts_open_together(capped: Bot, gate_clock: StillClock) -> None:
    other = trading_bot("ES-TWO", now=gate_clock.now)
    desk_limits_submit({"exposure": {"max_position": "4"}}, actor=FACTORY, reason="the whole desk")
    assert opens(other, 3).verdict == "allow"
    reduced = opens(capped, 2)
    assert (reduced.max_quantity, codes(reduced)) == (1, ["position_cap"])
    assert reduced.reasons[0]["evidence"]["scope"] == "desk"


def test_an_ask_that_brings_its_equity_is_held_against_the_desks_caps_too(capped: Bot, gate_clock: StillClock) -> None:
    desk_limits_submit({"exposure": {"max_position": "2"}}, actor=FACTORY, reason="the whole desk")
    equity = {"at": gate_clock.now.isoformat(), "equity": "50000", "positions": []}
    assert opens(capped, 1, equity=equity).verdict == "allow"
    reduced = opens(capped, 2, equity=equity)
    assert (reduced.max_quantity, codes(reduced)) == (1, ["position_cap"])


def test_positions_that_an_account_never_told_keep_the_desk_from_opening(capped: Bot, gate_clock: StillClock) -> None:
    other = trading_bot("ES-TWO", now=gate_clock.now)
    opens(other)
    desk_limits_submit(
        {"drawdown": LIMITS["drawdown"][:1], "exposure": {"max_position": "4"}}, actor=FACTORY, reason="the whole desk"
    )
    AccountState.objects.filter(account=other.account).update(positions_at=None)
    assert codes(opens(capped)) == ["engine_unavailable"]


def test_rules_of_the_desk_that_cannot_be_read_block_openings_and_trap_no_exit(capped: Bot) -> None:
    Desk.objects.update(limits=DeskLimitsVersionFactory(body={"of": "another release"}))
    capped.reports(quantity=1)
    assert codes(opens(capped)) == ["engine_unavailable"]
    assert opens(capped, decision="exit_long", side="sell").verdict == "allow"


def test_accounts_of_one_owner_do_not_open_against_each_other(gate_clock: StillClock) -> None:
    bots = [trading_bot(code, now=gate_clock.now, self_match={"action": "block"}) for code in ("ES-ONE", "ES-TWO")]
    sell: dict[str, Any] = {"decision": "enter_short", "side": "sell"}
    assert [opens(bots[0]).verdict, opens(bots[1], **sell).verdict] == ["allow", "allow"], "nobody owns both"
    Account.objects.update(owner="Lovelace")
    blocked = opens(bots[1], **sell)
    assert (codes(blocked), blocked.reasons[0]["evidence"]["accounts"]) == (["self_match"], "ES-ONE")
    assert Alert.objects.get(code="self_match").account == "ES-TWO"
    for row in Decision.objects.filter(account=bots[0].account, verdict="allow"):
        tells(bots[0], row, "cancelled")
    assert opens(bots[1], **sell).verdict == "allow"


def test_a_false_reservation_is_named_and_mended(capped: Bot) -> None:
    tells(capped, opens(capped, 2), "partially_filled", filled_quantity="1")
    Admission.objects.update(working=0, filled=0)
    assert not no_differences()
    list(projections_check(rebuild=True))
    assert no_differences()
    assert Admission.objects.values_list("working", "filled").get() == (1, 1)
