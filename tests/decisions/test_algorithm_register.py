"""The register of algorithms: entries, a second person, withdrawals; and what the gate makes of them."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from decisions.models import Decision
from decisions.projections import projections_check
from mia_site.audit.models import Entry
from mia_site.ops.registry import readiness_run
from risk.algorithm_register import algorithm_decide, algorithm_register, algorithm_withdraw
from risk.inputs import InputError
from risk.models import AlgorithmEntry, AlgorithmRuling
from tests.decisions.bots import Bot, codes, trading_bot
from tests.risk.accounts import APPROVER, MANAGER
from tests.risk.calendars import raised, told
from tests.stillness import StillClock
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")
ASKED: dict[str, Any] = {"algorithms": {"required": True}}


def registered(**limits: Any) -> AlgorithmEntry:
    return algorithm_register(
        algorithm="Trend 1.4", owner="M. Keller", reason="tested on 2024", actor=MANAGER, **limits
    )


def approved(**limits: Any) -> AlgorithmEntry:
    entry = registered(**limits)
    algorithm_decide(entry, approve=True, reason="agreed", actor=APPROVER)
    return entry


def said(bot: Bot, **changes: Any) -> list[str]:
    return codes(bot.asks(algorithm="trend 1.4", **changes).decision)


@pytest.mark.django_db
def test_an_algorithm_opens_from_its_approval_to_its_withdrawal() -> None:
    bot = trading_bot(**ASKED)
    assert said(bot) == ["algorithm_unregistered"] == codes(bot.asks().decision)
    entry = registered()
    assert (entry.key, entry.version, entry.proposer) == ("trend 1.4", 1, str(MANAGER))
    assert said(bot) == ["algorithm_unapproved"]
    algorithm_decide(entry, approve=True, reason="agreed", actor=APPROVER)
    assert said(bot) == []
    algorithm_withdraw(entry, reason="its fills slip", actor=MANAGER)
    decision = bot.asks(algorithm="TREND 1.4").decision
    assert codes(decision) == ["algorithm_withdrawn"] and "its fills slip" in decision.reasons[0]["message"]
    kinds = Entry.objects.filter(kind_name__startswith="algorithm_").order_by("id").values_list("kind_name", "why")
    assert list(kinds) == [
        ("algorithm_entry", "tested on 2024"), ("algorithm_ruling", "agreed"), ("algorithm_ruling", "its fills slip"),
    ]  # fmt: skip
    (alert,) = raised("algorithm_withdrawn")
    assert told(alert).endswith("(v1) was withdrawn by user:1: its fills slip")


@pytest.mark.django_db
def test_a_new_entry_counts_once_it_is_approved_and_no_older_one_comes_back() -> None:
    bot = trading_bot(**ASKED)
    approved(max_quantity=Decimal(2))
    second = registered(max_quantity=Decimal(1))
    assert bot.asks(algorithm="trend 1.4", quantity="9").decision.max_quantity == 2, "the second waits"
    algorithm_decide(second, approve=True, reason="smaller", actor=APPROVER)
    assert bot.asks(algorithm="trend 1.4", quantity="9").decision.max_quantity == 1
    algorithm_withdraw(second, reason="x", actor=MANAGER)
    assert said(bot) == ["algorithm_withdrawn"]
    algorithm_decide(registered(), approve=False, reason="not tested", actor=APPROVER)
    assert said(bot) == ["algorithm_withdrawn"]
    approved()
    assert said(bot) == [] and AlgorithmEntry.objects.latest("version").version == 4


@pytest.mark.django_db
def test_who_registers_does_not_approve_and_nobody_decides_twice() -> None:
    entry = registered()
    with pytest.raises(InputError, match="a second person"):
        algorithm_decide(entry, approve=True, reason="mine", actor=MANAGER)
    algorithm_decide(entry, approve=False, reason="not tested", actor=APPROVER)
    with pytest.raises(InputError, match="waits for a second person"):
        algorithm_decide(entry, approve=True, reason="after all", actor=APPROVER)
    with pytest.raises(InputError, match="is approved or waits"):
        algorithm_withdraw(entry, reason="x", actor=MANAGER)
    assert AlgorithmRuling.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"algorithm": " "}, "algorithm"), ({"algorithm": "x" * 65}, "algorithm"), ({"owner": " "}, "owner"),
        ({"owner": "x" * 121}, "owner"), ({"reason": ""}, "reason"), ({"max_quantity": Decimal(0)}, "max_quantity"),
        ({"max_quantity": Decimal("0.00001")}, "max_quantity"), ({"max_openings_per_hour": 0}, "max_openings_per_hour"),
    ],
)  # fmt: skip
def test_an_entry_that_says_too_little_is_refused(changes: dict[str, Any], field: str) -> None:
    given = {"algorithm": "trend", "owner": "M. Keller", "reason": "tested"} | changes
    with pytest.raises(InputError) as refused:
        algorithm_register(actor=MANAGER, **given)
    assert refused.value.field == field and not AlgorithmEntry.objects.exists()


@pytest.mark.django_db
def test_the_limits_of_an_entry_hold_beside_the_account_s(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, order={"max_quantity": "5"}, **ASKED)
    approved(max_quantity=Decimal(2), max_openings_per_hour=2)
    batch = [bot.sent(algorithm="trend 1.4", quantity="3", trade_id=f"T{number}") for number in range(3)]
    first, _second, third = (answer.decision for answer in bot.submits(batch).answers)
    assert (first.verdict, first.max_quantity, codes(first)) == ("reduce", 2, ["algorithm_order_too_large"])
    assert "algorithm_pace_exceeded" in codes(third)
    assert third.retry_at == gate_clock.now + timedelta(hours=1)
    (line,) = [line for line in readiness_run(bot.account.code) if line.name == "algorithm register"]
    assert (line.ok, line.detail) == (True, "trend 1.4")


@pytest.mark.django_db
def test_an_answer_given_before_the_withdrawal_has_expired() -> None:
    bot, entry = trading_bot(**ASKED), approved()
    opened = partial(bot.asks, algorithm="trend 1.4", key="k1")
    assert not opened().expired and not opened().expired
    bot.reports(quantity=2)
    exited = partial(bot.asks, algorithm="trend 1.4", decision="exit_long", side="sell", key="k2")
    assert exited().decision.effect == "reduces"
    algorithm_withdraw(entry, reason="its fills slip", actor=MANAGER)
    assert opened().expired and not exited().expired


@pytest.mark.django_db
def test_nobody_asks_the_register_unless_the_limits_do() -> None:
    bot = trading_bot()
    assert said(bot) == []
    assert not [line for line in readiness_run(bot.account.code) if "algorithm" in line.name]


def test_in_a_storm_nothing_opens_after_the_withdrawal(cloned_database: str) -> None:
    bot = trading_bot(pace={"max_openings_per_hour": 1_000}, **ASKED)
    entry = approved()
    asks = [partial(bot.asks, algorithm="trend 1.4", trade_id=f"T{number}") for number in range(6)]
    withdrawal = partial(algorithm_withdraw, entry, reason="a fault", actor=MANAGER)
    calls: list[Any] = [*asks[:3], withdrawal, *asks[3:]]
    ruling = at_once(calls)[3]
    assert isinstance(ruling, AlgorithmRuling), ruling
    for decision in Decision.objects.all():
        assert decision.verdict == ("block" if decision.recorded_at > ruling.recorded_at else "allow")
    assert said(bot) == ["algorithm_withdrawn"] and [str(found) for found in projections_check()] == []
