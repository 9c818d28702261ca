"""What became of a decision: reported once, corrected by a newer report, never changed."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from decisions.decision_log import outcome_record
from decisions.inputs import OutcomeInput
from decisions.models import Decision, Outcome
from mia_site.audit.keys import receipt_signer
from mia_site.audit.models import Entry
from mia_site.audit.note import open_note
from mia_site.ops import timings
from mia_site.ops.models import Timing
from risk.inputs import InputError
from tests.decisions.bots import Bot
from tests.factories import state_of
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


@pytest.fixture
def decision(bot: Bot) -> Decision:
    return bot.asks().decision


def outcome(**changes: Any) -> OutcomeInput:
    told = {"pnl": "312.5", "closed_at": NOON.isoformat(), "final": True, **changes}
    return msgspec.convert(told, OutcomeInput)


def test_an_outcome_is_a_fact_with_an_entry_and_a_receipt(bot: Bot, decision: Decision) -> None:
    row, leaf, note = outcome_record(decision, outcome(quantity="1", exit_price="5918.5"), actor=bot.actor)
    assert (row.pnl, row.quantity, row.exit_price) == (Decimal("312.5"), 1, Decimal("5918.5"))
    assert row.seq == state_of(bot.account).seq == decision.seq + 1
    entry = Entry.objects.get(id=row.id)
    assert leaf.leaf_hash == bytes(entry.leaf_hash)
    assert json.loads(entry.body)["fact"]["pnl"] == "312.5000"
    assert str(row.id) in open_note(note, receipt_signer().verifier)


def test_a_newer_outcome_corrects_and_the_older_one_stays(bot: Bot, decision: Decision, gate_clock: StillClock) -> None:
    outcome_record(decision, outcome(final=False, pnl="100"), actor=bot.actor)
    outcome_record(decision, outcome(pnl="-50"), actor=bot.actor)
    rows = Outcome.objects.filter(decision_id=decision.id).order_by("seq")
    assert [(row.pnl, row.final) for row in rows] == [(100, False), (-50, True)]


def test_the_same_outcome_again_adds_nothing(bot: Bot, decision: Decision) -> None:
    first = outcome_record(decision, outcome(), actor=bot.actor)
    again = outcome_record(decision, outcome(), actor=bot.actor)
    assert again[0] == first[0] and again[1] == first[1]
    assert Outcome.objects.count() == 1


def test_a_correction_back_to_an_older_figure_is_a_new_fact(bot: Bot, decision: Decision) -> None:
    for pnl in ("100", "-50", "100"):
        outcome_record(decision, outcome(pnl=pnl), actor=bot.actor)
    assert [row.pnl for row in Outcome.objects.order_by("seq")] == [100, -50, 100]


def test_a_trade_that_closes_tomorrow_is_refused(bot: Bot, decision: Decision) -> None:
    later = (NOON + timedelta(days=1)).isoformat()
    with pytest.raises(InputError, match="closed_at"):
        outcome_record(decision, outcome(closed_at=later), actor=bot.actor)
    timings.flush()
    assert list(Timing.objects.filter(operation="record_outcome").values_list("success", flat=True)) == [False]


@pytest.mark.parametrize(
    "changes",
    [
        {"pnl": "NaN"},
        {"pnl": "1e11"},
        {"pnl": "0.00001"},
        {"quantity": "0"},
        {"exit_price": "Infinity"},
        {"closed_at": "2025-05-13T17:00:00"},
        {"final": "yes"},
        {"who": "me"},
    ],
)
def test_an_outcome_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        outcome(**changes)
