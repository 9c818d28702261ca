"""`verify_audit`: a whole record, runs that stop and go on, and what a program reads of them."""

import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from mia_site.audit.models import Verification
from mia_site.audit.verification import fact_stages, tree_stage
from mia_site.audit.verification.steps import (
    stages,
    verification_advance,
    verification_open,
    verification_run,
)
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from risk.equity import equity_record
from risk.inputs import EquityInput
from tests.audit.ledgers import facts_write, ledger_grow, run_sql, triggers_drop, verify
from tests.factories import FACTORY, AccountFactory, DecisionFactory, OutcomeFactory
from tests.stories import desk_story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]


def test_a_desk_with_a_history_is_whole_to_the_last_column() -> None:
    desk_story()
    ledger_grow(300)
    facts_write(3)

    run = verify()

    assert run.findings == []
    assert run.finished_at is not None
    assert run.checked > 1000


def test_a_zero_below_zero_is_zero_in_the_record_as_it_is_in_the_database() -> None:
    """What a break-even trade of a short position comes to: 0.00 times -1 is -0.00."""
    account = AccountFactory()
    OutcomeFactory(account=account, pnl=Decimal("-0.00"))
    point = EquityInput(at=database_now(), equity=Decimal(50_000), open_pnl=Decimal("-0.0"))
    equity_record(account=account.code, points=[point], actor=FACTORY)
    ledger_grow(1)
    assert verify().findings == []


def test_every_kind_of_fact_is_read_deeply() -> None:
    names = {stage.name for stage in stages(deep=True)}
    assert {"decisions.decision", "risk.limitsversion", "risk.equitybatch", "journal entries", "ledger"} <= names
    assert "decisions.decisionfeatures" not in names


def test_a_run_that_was_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger_grow(700)
    monkeypatch.setattr(tree_stage, "STRETCH", 100)
    run = verification_open(database_now(), deep=False)
    verification_run(run, seconds=1e-9)
    while run.checked < 300:
        verification_run(run, seconds=1e-6)

    again = verification_open(database_now(), deep=False)
    assert (again.pk, again.checked, again.position["index"]) == (run.pk, run.checked, run.checked)
    verification_run(again, seconds=600)

    assert again.finished_at is not None
    assert again.findings == []
    assert verification_open(database_now(), deep=False).pk != run.pk


def test_stretches_of_any_length_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger_grow(3, 260, 40)
    DecisionFactory()
    for length in (1, 7, 64):
        monkeypatch.setattr(tree_stage, "STRETCH", length * 3)
        monkeypatch.setattr(fact_stages, "STRETCH", length * 11)
        assert verify().findings == []


def test_the_command_says_whole_and_how_much_it_read() -> None:
    ledger_grow(5)
    told = io.StringIO()
    call_command("verify_audit", "--deep", stdout=told)
    assert "The record is whole" in told.getvalue()


def test_the_command_fails_with_a_line_for_each_finding_and_an_alert() -> None:
    [leaf, _] = ledger_grow(2)
    triggers_drop()
    run_sql("UPDATE audit_entry SET why = 'because'")
    told = io.StringIO()

    with pytest.raises(CommandError) as raised:
        call_command("verify_audit", "--deep", stdout=told)

    assert raised.value.returncode == 1
    assert f"column_changed: entry {leaf.entry_id} why: expected nothing, found because" in told.getvalue()
    assert Alert.objects.filter(code="audit_broken", priority=5).exists()


def test_a_program_reads_one_json_object() -> None:
    ledger_grow(2)
    told = io.StringIO()
    call_command("verify_audit", "--json", stdout=told)
    answer = json.loads(told.getvalue())
    assert (answer["ok"], answer["deep"], answer["findings"]) == (True, False, [])


def test_the_daily_run_begins_once_a_day_and_goes_on_until_it_is_done() -> None:
    ledger_grow(5)
    now = database_now()
    verification_advance(now)
    [first] = Verification.objects.filter(deep=True)
    assert first.finished_at is not None

    verification_advance(now + timedelta(hours=23))
    assert Verification.objects.filter(deep=True).count() == 1
    verification_advance(now + timedelta(hours=25))
    assert Verification.objects.filter(deep=True).count() == 2


def test_findings_beyond_the_first_hundred_are_counted() -> None:
    ledger_grow(150)
    triggers_drop()
    run_sql("UPDATE audit_entry SET why = 'because'")
    run = verify()
    assert run.count >= 150
    assert len(run.findings) == 100
