"""The same request again: the stored answer, as long as it may be acted on; never a second decision."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from decisions.decision_log import EngineUnavailable, KeyReused
from decisions.models import Decision, IdempotencyKey
from mia_site.audit.models import Entry
from risk.inputs import InputError
from risk.models import Admission
from risk.risk_controller import desk_halt, limits_submit, trading_halt
from risk.rules.facts import TradingState
from tests.decisions.bots import NO_FEATURES, Bot, trading_bot
from tests.factories import FACTORY, LIMITS
from tests.faults import failing_database
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
SECOND = timedelta(seconds=1)


def test_the_same_key_and_body_get_the_stored_decision(bot: Bot, gate_clock: StillClock) -> None:
    first = bot.asks(key="k1")
    entries = Entry.objects.count()
    gate_clock.now += 3 * SECOND
    again = bot.asks(key="k1")
    assert again.decision == first.decision and again.leaf == first.leaf
    assert not again.expired
    assert Decision.objects.count() == Admission.objects.count() == 1
    assert Entry.objects.count() == entries


def test_another_body_under_the_same_key_is_refused(bot: Bot) -> None:
    bot.asks(key="k1")
    with pytest.raises(KeyReused, match="k1"):
        bot.asks(key="k1", quantity="2")
    assert Decision.objects.count() == 1


def test_without_a_key_each_request_is_a_decision_of_its_own(bot: Bot) -> None:
    bot.asks()
    bot.asks()
    assert Decision.objects.count() == 2 and not IdempotencyKey.objects.exists()


def test_keys_of_two_clients_are_two_keys(bot: Bot, gate_clock: StillClock) -> None:
    other = trading_bot("ES-OTHER", now=gate_clock.now)
    assert bot.asks(key="k1").decision != other.asks(key="k1").decision


def test_a_replay_after_expiry_may_not_be_acted_on(bot: Bot, gate_clock: StillClock) -> None:
    bot.asks(key="k1")
    gate_clock.now += 5 * SECOND
    assert not bot.asks(key="k1").expired, "valid until five seconds later, that moment included"
    gate_clock.now += timedelta(microseconds=1)
    assert bot.asks(key="k1").expired


def test_a_replay_after_a_change_of_state_may_not_be_acted_on(bot: Bot) -> None:
    bot.asks(key="k1")
    trading_halt(account=bot.account.code, state=TradingState.HALTED, reason="a fault", actor=FACTORY)
    assert bot.asks(key="k1").expired


def test_a_replay_after_a_halt_of_the_desk_may_not_be_acted_on(bot: Bot) -> None:
    bot.asks(key="k1")
    desk_halt(state=TradingState.REDUCE_ONLY, reason="a fault", actor=FACTORY)
    assert bot.asks(key="k1").expired


def test_a_replay_under_other_limits_may_not_be_acted_on(bot: Bot) -> None:
    bot.asks(key="k1")
    tighter = {**LIMITS, **NO_FEATURES, "pace": {"max_openings_per_hour": 5}}
    limits_submit(bot.account.code, tighter, actor=FACTORY, reason="a calmer bot")
    assert bot.asks(key="k1").expired


def test_what_was_only_recorded_never_expires(bot: Bot, gate_clock: StillClock) -> None:
    bot.asks(key="k1", mode="record")
    gate_clock.now += 3600 * SECOND
    assert not bot.asks(key="k1", mode="record").expired


def test_a_batch_is_replayed_whole_and_in_its_order(bot: Bot) -> None:
    rows = [bot.sent(trade_id=f"T{number}") for number in range(4)]
    first = bot.submits(rows, key="k1", body=b"four rows")
    again = bot.submits(rows, key="k1", body=b"four rows")
    assert again.replayed and not first.replayed
    assert [answer.decision.trade_id for answer in again.answers] == ["T0", "T1", "T2", "T3"]
    assert again.answers == first.answers and Decision.objects.count() == 4


def test_a_request_that_failed_leaves_its_key_free(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", lambda seconds: None)
    disk = OperationalError("disk I/O error")
    with failing_database(disk, table="decisions_idempotencykey"), pytest.raises(EngineUnavailable):
        bot.asks(key="k1")
    assert not Decision.objects.exists()
    assert bot.asks(key="k1").decision.verdict == "allow"


@pytest.mark.parametrize("key", ["k" * 129, "k\n1", "k\x00"])
def test_a_key_is_a_short_printable_text(bot: Bot, key: str) -> None:
    with pytest.raises(InputError, match="Idempotency-Key"):
        bot.asks(key=key)
