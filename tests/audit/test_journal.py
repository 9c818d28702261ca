"""The journal's door: a fact, its entry and its place in the queue together or not at all; what a receipt promises."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import structlog
from django.db import OperationalError, transaction

from decisions.models import Decision, DecisionFeatures
from mia_site.audit.actors import Actor, client_actor, command_actor, user_actor, worker_actor
from mia_site.audit.canonical import NotCanonical, canonical_bytes
from mia_site.audit.journal import (
    canonical_fields,
    change_record,
    facts_record,
    personal_commitment,
    personal_erase,
)
from mia_site.audit.keys import receipt_signer
from mia_site.audit.models import Entry, PendingEntry, PersonalData
from mia_site.audit.note import open_note
from mia_site.audit.receipts import PROMISE, receipt_sign
from risk.models import Account, Penalty
from tests.factories import FACTORY, NOON, AccountFactory, DecisionFactory, FeatureSetFactory
from tests.faults import failing_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory(code="ES-MAIN")


def penalty(account: Account, **changes: object) -> Penalty:
    told: dict[str, object] = {"seq": 1, "at": NOON, "penalty_active": True, "overtrade_risk_score": 0.5, **changes}
    return Penalty(account=account, penalty_kind="drawdown", value=Decimal(1), reason="0.06 is above 0.05", **told)


def record(*facts: Penalty, why: str = "") -> list[Entry]:
    with transaction.atomic():
        leaves = facts_record(facts, actor=FACTORY, why=why, account="ES-MAIN")
    entries = Entry.objects.in_bulk([leaf.entry_id for leaf in leaves])
    return [entries[leaf.entry_id] for leaf in leaves]


# --- a fact and its entry -----------------------------------------------------------------------------------


def test_the_entry_holds_the_whole_fact_in_canonical_text(account: Account) -> None:
    fact = penalty(account)
    (entry,) = record(fact, why="the limit of May")
    told = json.loads(entry.body)
    assert (entry.id, told["id"], told["v"]) == (fact.id, str(fact.id), 1)
    assert (told["kind"], told["object"]) == ("penalty", f"risk.penalty:{fact.id}")
    assert (told["account"], told["actor"], told["why"]) == ("ES-MAIN", "system:factory", "the limit of May")
    assert set(told["fact"]) == {field.attname for field in Penalty._meta.concrete_fields}
    assert (told["fact"]["value"], told["fact"]["at"]) == ("1.0000", "2025-05-13T12:00:00.000000Z")


def test_the_leaf_is_the_hash_of_the_text_as_it_is_stored(account: Account) -> None:
    (entry,) = record(penalty(account))
    stored = Entry.objects.get(id=entry.id)
    assert bytes(stored.leaf_hash) == hashlib.sha256(b"\x00" + stored.body.encode()).digest()
    assert bytes(PendingEntry.objects.get(entry_id=entry.id).leaf_hash) == bytes(stored.leaf_hash)


def test_the_columns_say_what_the_text_says(account: Account) -> None:
    (entry,) = record(penalty(account), why="why")
    told = json.loads(entry.body)
    assert (entry.kind_name, entry.actor, entry.why) == (told["kind"], told["actor"], told["why"])
    assert f"{entry.object_type}:{entry.object_id}" == told["object"]
    assert entry.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == told["at"]


def test_what_was_recorded_is_what_is_read_back(account: Account) -> None:
    """The row of the database gives the same canonical text again, on both databases."""
    decision = DecisionFactory(account=account, blocked=True, context={"vix": 17.5, "word": "é"}, price=Decimal("0.1"))
    stored = canonical_fields(Decision.objects.get(pk=decision.pk))
    told = json.loads(Entry.objects.get(id=decision.pk).body)["fact"]
    assert json.loads(canonical_bytes(stored)) == told
    assert told["price"] == "0.1000" and told["context"] == {"vix": 17.5, "word": "é"}


def test_leaves_come_in_the_order_of_the_facts(account: Account) -> None:
    facts = [penalty(account, seq=number) for number in range(1200)]
    entries = record(*facts)
    assert [entry.id for entry in entries] == [fact.id for fact in facts]
    assert Penalty.objects.count() == 1200


def test_no_facts_are_no_entries(account: Account) -> None:
    before = Entry.objects.count()
    assert record() == [] and Entry.objects.count() == before


# --- together or not at all ---------------------------------------------------------------------------------


def rows() -> tuple[int, int, int]:
    return Penalty.objects.count(), Entry.objects.count(), PendingEntry.objects.count()


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_fact_that_has_no_canonical_text_is_not_written(account: Account, score: float) -> None:
    before = rows()
    with pytest.raises(NotCanonical, match=r"fact\.overtrade_risk_score"), transaction.atomic():
        facts_record([penalty(account), penalty(account, overtrade_risk_score=score)], actor=FACTORY)
    assert rows() == before


@pytest.mark.parametrize("table", ["risk_penalty", "audit_entry", "audit_pendingentry"])
def test_where_one_of_the_three_cannot_be_written_none_is(account: Account, table: str) -> None:
    before = rows()
    full = failing_database(OperationalError("disk is full"), table=f'INSERT INTO "{table}"')
    with full, pytest.raises(OperationalError), transaction.atomic():
        facts_record([penalty(account)], actor=FACTORY)
    assert rows() == before


def test_a_transaction_that_is_undone_leaves_no_entry(account: Account) -> None:
    before = rows()
    with transaction.atomic():
        facts_record([penalty(account)], actor=FACTORY)
        transaction.set_rollback(True)
    assert rows() == before


def test_facts_are_recorded_inside_a_transaction(no_transaction: None) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        facts_record([Penalty()], actor=FACTORY)


@pytest.fixture
def no_transaction(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As outside of any transaction; each test is in one."""
    monkeypatch.setattr(transaction.get_connection(), "in_atomic_block", False)
    yield
    monkeypatch.undo()


# --- companions ---------------------------------------------------------------------------------------------


def test_a_companion_is_written_without_an_entry_of_its_own(account: Account) -> None:
    features = FeatureSetFactory(version=1, count=1, names=["vix"], importances=[1.0])
    decision = DecisionFactory(account=account, feature_set=features, vector=[17.25])
    assert DecisionFeatures.objects.get().id == decision.id
    assert Entry.objects.filter(id=decision.id).count() == 1
    assert not Entry.objects.filter(object_type="decisions.decisionfeatures").exists()


# --- who, why, which request --------------------------------------------------------------------------------


def test_an_entry_names_the_request_that_it_came_with(account: Account) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        (entry,) = record(penalty(account))
    assert entry.request_id == "r-1" and json.loads(entry.body)["request_id"] == "r-1"


def test_people_are_numbers_and_machines_say_what_they_ran() -> None:
    actors: list[Actor] = [user_actor(3), client_actor(7), worker_actor("risk.tasks.check_drawdown")]
    assert [str(actor) for actor in actors] == ["user:3", "client:7", "worker:risk.tasks.check_drawdown"]
    assert str(command_actor("halt")).startswith("command:halt:uid")


def test_a_change_of_what_is_no_fact_is_an_entry_too(account: Account) -> None:
    leaf = change_record(
        account, action="renamed", actor=user_actor(3), why="a merger", account=account.code,
        before={"owner": "Index desk"}, after={"owner": "Equity desk"},
    )  # fmt: skip
    entry = Entry.objects.get(id=leaf.entry_id)
    told = json.loads(entry.body)
    assert (entry.kind_name, entry.object_type, entry.object_id) == ("renamed", "risk.account", str(account.pk))
    assert told["fact"] == {"before": {"owner": "Index desk"}, "after": {"owner": "Equity desk"}}
    assert PendingEntry.objects.filter(entry_id=entry.id).exists()


def test_personal_data_is_beside_the_entry_and_can_be_erased(account: Account) -> None:
    leaf = change_record(account, action="signed in", actor=user_actor(3), personal={"address": "192.0.2.1"})
    entry, beside = Entry.objects.get(id=leaf.entry_id), PersonalData.objects.get()
    assert "192.0.2.1" not in entry.body
    assert json.loads(entry.body)["personal"] == personal_commitment(beside)
    assert personal_erase([leaf.entry_id], actor=user_actor(4), why="asked for") == 1
    assert not PersonalData.objects.exists()
    assert Entry.objects.get(id=leaf.entry_id).body == entry.body
    assert Entry.objects.filter(kind_name="erased", why="asked for").count() == 1


# --- receipts -----------------------------------------------------------------------------------------------


def test_a_receipt_promises_each_leaf_within_five_minutes(account: Account) -> None:
    with transaction.atomic():
        leaves = facts_record([penalty(account, seq=number) for number in range(3)], actor=FACTORY)
    lines = open_note(receipt_sign(leaves, NOON), receipt_signer().verifier).splitlines()
    assert lines[:4] == [
        receipt_signer().name,
        "issued 2025-05-13T12:00:00.000000Z",
        "include-by 2025-05-13T12:05:00.000000Z",
        "entries 3",
    ]
    assert lines[4:] == [f"{leaf.entry_id} {base64.b64encode(leaf.leaf_hash).decode()}" for leaf in leaves]
    assert timedelta(minutes=5) == PROMISE
