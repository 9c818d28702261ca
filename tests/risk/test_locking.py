"""Locks and sequences under real concurrency, on PostgreSQL and SQLite: nothing lost, nothing twice, no dead end."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.equity import EquityRecorded
from risk.limits_law import limits_submit
from risk.locking import AccountUnknown, account_lock, calendar_lock, desk_lock, seq_take
from risk.models import Desk, EquityBatch, EquityPoint, LimitsVersion, Penalty, Snapshot, StateChange
from risk.risk_controller import desk_halt, desk_resume, drawdown_check, stop_trading, trading_halt
from risk.trading_states import StateRefused
from tests.risk.accounts import APPROVER, CODE, MANAGER, account_under, drawdown_rule, report, state_now
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")
THREADS = 4


def raise_errors(answers: list[Any]) -> list[Any]:
    """The answers, where none of them is an error."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def sequence() -> list[int]:
    """The numbers that the account's facts have taken, one for each transaction."""
    taken: set[int] = set()
    for model in (EquityBatch, Snapshot, StateChange, LimitsVersion):
        taken |= set(model._default_manager.values_list("seq", flat=True))
    return sorted(taken)


def test_points_reported_at_once_take_numbers_without_gap_or_repeat(cloned_database: str) -> None:
    account_under()
    now = database_now()

    def bot(number: int) -> None:
        for step in range(5):
            report(50_000 + number, now - timedelta(seconds=60 - step * THREADS - number))

    raise_errors(at_once([partial(bot, number) for number in range(THREADS)]))
    assert EquityPoint.objects.count() == EquityBatch.objects.count() == 5 * THREADS
    assert sequence() == list(range(1, 5 * THREADS + 2)), "the limits took the first"
    assert state_now().equity_at == now - timedelta(seconds=60 - 4 * THREADS - (THREADS - 1))
    assert Entry.objects.filter(kind_name="equity_batch").count() == 5 * THREADS


def test_the_same_point_from_several_threads_is_stored_once(cloned_database: str) -> None:
    account_under()
    at = database_now()
    answers = raise_errors(at_once([partial(report, 50_000, at)] * THREADS))
    assert sorted(answer.recorded for answer in answers if isinstance(answer, EquityRecorded)) == [0] * 3 + [1]


def test_a_breach_seen_from_everywhere_stops_once(cloned_database: str) -> None:
    account_under()
    now = database_now()
    report(50_000, now - timedelta(seconds=9))
    calls: list[Callable[[], Any]] = [
        partial(report, 47_000, now), drawdown_check, partial(report, 46_990, now), drawdown_check,
    ]  # fmt: skip
    raise_errors(at_once(calls))
    assert StateChange.objects.filter(to_state="REDUCE_ONLY").count() == 1
    assert Penalty.objects.count() == 1 and state_now().state == "REDUCE_ONLY"


def test_stops_of_several_accounts_do_not_mix(cloned_database: str) -> None:
    codes = [f"ES-{number}" for number in range(THREADS)]
    for code in codes:
        account_under(code=code)
    assert at_once([partial(stop_trading, 0.06, account=code) for code in codes]) == [True] * THREADS
    assert set(StateChange.objects.values_list("account__code", "seq")) == {(code, 2) for code in codes}


def test_limits_submitted_at_once_are_versions_of_one_line(cloned_database: str) -> None:
    account_under()

    def submit(value: str) -> Any:
        return limits_submit(CODE, {"drawdown": [drawdown_rule(value)]}, actor=MANAGER, reason="a race")

    raise_errors(at_once([partial(submit, value) for value in ("0.04", "0.03", "0.02", "0.01")]))
    assert sorted(LimitsVersion.objects.values_list("version", flat=True)) == [1, 2, 3, 4, 5]
    limits = state_now().limits
    assert limits is not None and limits.body["drawdown"][0]["allowance"]["value"] == "0.01", "the tightest has won"


def test_halts_and_judgements_at_once_end_halted_and_on_record(cloned_database: str) -> None:
    account_under()
    now = database_now()
    halt = partial(trading_halt, account=CODE, reason="kill", actor=MANAGER)
    calls: list[Callable[[], Any]] = [
        halt, partial(desk_halt, reason="kill", actor=MANAGER), partial(report, 47_000, now),
        partial(stop_trading, 0.06, account=CODE),
    ]  # fmt: skip
    raise_errors(at_once(calls))
    assert state_now().state == "HALTED" and state_now().penalty_active
    assert Desk.objects.get().state == "HALTED"


def test_of_two_resumes_of_the_desk_one_is_told_that_it_trades_already(cloned_database: str) -> None:
    desk_halt(reason="kill", actor=MANAGER)
    answers = at_once([partial(desk_resume, reason="go", actor=APPROVER)] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["StateChange", StateRefused.__name__]


def test_the_desks_row_is_made_once(cloned_database: str) -> None:
    def first() -> int:
        with transaction.atomic():
            return desk_lock().id

    assert at_once([first] * THREADS) == [1] * THREADS
    assert Desk.objects.count() == 1


@pytest.mark.django_db
def test_an_unknown_account_cannot_be_locked() -> None:
    with pytest.raises(AccountUnknown, match="'ES-NONE' does not exist"):
        account_lock("ES-NONE")


def test_a_lock_needs_a_transaction(cloned_database: str) -> None:
    for lock in (desk_lock, calendar_lock, partial(account_lock, CODE)):
        with pytest.raises(RuntimeError, match="open one first"):
            lock()
    assert not connection.in_atomic_block


def test_a_number_is_taken_for_good_only_with_its_transaction(cloned_database: str) -> None:
    account_under()
    before = state_now().seq
    with transaction.atomic():
        state = account_lock(CODE)
        seq, now = seq_take(state)
        state.save()
        transaction.set_rollback(True)
    assert seq == before + 1 and now.tzinfo is not None
    assert state_now().seq == before
