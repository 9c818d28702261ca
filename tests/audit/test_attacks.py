"""What somebody with all rights on the database may try, and which check tells (docs/compliance.md).

Each test drops the triggers first, as the owner of the tables can.
"""

import hashlib
import json
import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from decisions.models import Decision
from mia_site.audit.canonical import leaf_hash
from mia_site.audit.continuation import ContinuationRefused, ledger_continue
from mia_site.audit.evidence import evidence_of
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.models import Checkpoint, Entry, LedgerLeaf, PendingEntry
from mia_site.audit.offline.verify_evidence import NotProven
from mia_site.audit.offline.verify_evidence import verify as verify_offline
from mia_site.audit.sealing import SealRefused, seal_pending
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from tests.audit.ledgers import WRITER, facts_write, found, ledger_grow, notes_of, run_sql, triggers_drop
from tests.factories import DecisionFactory, FeatureSetFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]


def identifier(value: object) -> object:
    """An id as the database spells it in raw SQL."""
    return str(value).replace("-", "") if connection.vendor == "sqlite" else value


@pytest.fixture
def decision() -> Decision:
    """A sealed decision between other entries, with the triggers gone."""
    ledger_grow(3)
    made: Decision = DecisionFactory()
    facts_write(3)
    seal_pending()
    ledger_grow(4)
    assert found() == []
    triggers_drop()
    return made


def codes() -> set[str]:
    return {finding.code for finding in found()}


def place_of(decision: Decision) -> LedgerLeaf:
    return LedgerLeaf.objects.get(entry_id=decision.pk)


def test_a_changed_field_of_a_decision_is_named_with_what_it_was(decision: Decision) -> None:
    run_sql("UPDATE decisions_decision SET quantity = 7 WHERE id = %s", identifier(decision.pk))

    [finding] = found()

    assert (finding.code, finding.field) == ("column_changed", "quantity")
    assert str(decision.pk) in finding.where
    assert (Decimal(finding.expected), Decimal(finding.found)) == (decision.quantity, Decimal(7))


def test_a_changed_copy_in_the_journal_is_named(decision: Decision) -> None:
    run_sql("UPDATE audit_entry SET actor = 'user:99' WHERE id = %s", identifier(decision.pk))

    [finding] = found()

    assert (finding.code, finding.field, finding.found) == ("column_changed", "actor", "user:99")


def test_a_changed_text_no_longer_fits_its_leaf(decision: Decision) -> None:
    body = Entry.objects.get(pk=decision.pk).body.replace('"allow"', '"block"')
    run_sql("UPDATE audit_entry SET body = %s WHERE id = %s", body, identifier(decision.pk))

    assert "text_changed" in {finding.code for finding in found(deep=False)}


def test_text_and_leaf_changed_together_no_longer_fit_the_signed_root(decision: Decision) -> None:
    _forge(decision)

    [finding] = [finding for finding in found(deep=False) if finding.code == "root_differs"]

    assert f"checkpoint {place_of(decision).index + 4}" == finding.where


def test_text_and_leaf_changed_together_stop_the_sealer(decision: Decision) -> None:
    _forge(decision)
    facts_write(1)

    with pytest.raises(SealRefused):
        seal_pending()


def test_a_forged_record_is_no_evidence(decision: Decision) -> None:
    _forge(decision)

    with pytest.raises(NotProven, match="not in the ledger"):
        verify_offline(evidence_of(decision.pk, database_now()), verifier_keys())


def _forge(decision: Decision) -> None:
    """Another verdict, everywhere in the database, with every hash made to fit; the key is out of reach."""
    body = Entry.objects.get(pk=decision.pk).body.replace('"allow"', '"block"')
    leaf = leaf_hash(body.encode())
    run_sql("UPDATE decisions_decision SET verdict = 'block' WHERE id = %s", identifier(decision.pk))
    run_sql("UPDATE audit_entry SET body = %s, leaf_hash = %s WHERE id = %s", body, leaf, identifier(decision.pk))
    run_sql("UPDATE audit_ledgerleaf SET leaf_hash = %s WHERE entry_id = %s", leaf, identifier(decision.pk))


def test_an_entry_deleted_in_the_middle_is_missed(decision: Decision) -> None:
    run_sql("DELETE FROM audit_entry WHERE id = %s", identifier(decision.pk))

    assert {finding.code for finding in found()} == {"entry_missing"}
    assert any(str(decision.pk) in finding.where for finding in found(deep=False))


def test_an_entry_deleted_at_the_tail_with_its_place_is_missed(decision: Decision) -> None:
    last = LedgerLeaf.objects.latest("index")
    run_sql("DELETE FROM audit_entry WHERE id = %s", identifier(last.entry_id))
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" = %s', last.index)

    assert "leaf_missing" in {finding.code for finding in found(deep=False)}
    facts_write(1)
    with pytest.raises(SealRefused):
        seal_pending()


def test_a_tail_deleted_with_its_checkpoint_is_missed_by_what_was_published(decision: Decision) -> None:
    newest = Checkpoint.objects.latest("number")
    before = Checkpoint.objects.get(number=newest.number - 1)
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" >= %s', before.size)
    run_sql("DELETE FROM audit_checkpoint WHERE number = %s", newest.number)

    assert "rolled_back" in {finding.code for finding in found(deep=False)}


def test_a_fact_deleted_with_its_entry_is_missed(decision: Decision) -> None:
    for table in ("decisions_decision", "audit_entry"):
        run_sql(f"DELETE FROM {table} WHERE id = %s", identifier(decision.pk))

    assert {finding.code for finding in found(deep=False)} == {"entry_missing"}


def test_a_fact_deleted_alone_is_missed(decision: Decision) -> None:
    run_sql("DELETE FROM decisions_decision WHERE id = %s", identifier(decision.pk))

    [finding] = found()

    assert (finding.code, str(decision.pk) in finding.where) == ("fact_missing", True)


def test_a_fact_without_an_entry_is_found(decision: Decision) -> None:
    from mia_site.audit.models import ClockReading

    ClockReading.objects.bulk_create([ClockReading(recorded_at=database_now(), within_limit=True)])

    [finding] = found()

    assert (finding.code, finding.where.split()[0]) == ("entry_missing", "audit.clockreading")


def test_an_entry_dated_back_is_told_when_it_is_sealed_and_at_each_verification(decision: Decision) -> None:
    [leaf] = facts_write(1)
    early = (leaf.entry_id.int - (3_600_000 << 80)).to_bytes(16, "big").hex()
    spelt = (
        early
        if connection.vendor == "sqlite"
        else f"{early[:8]}-{early[8:12]}-{early[12:16]}-{early[16:20]}-{early[20:]}"
    )
    for table, column in (("audit_entry", "id"), ("audit_pendingentry", "entry_id"), ("audit_clockreading", "id")):
        run_sql(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", spelt, identifier(leaf.entry_id))

    seal_pending()

    assert Alert.objects.filter(code="clock_set_back", priority=5).exists()
    assert "dated_back" in {finding.code for finding in found(deep=False)}


def test_a_time_that_was_set_back_under_a_new_id_is_found(decision: Decision) -> None:
    early = database_now() - timedelta(hours=2)
    from mia_site.audit.journal import facts_record
    from mia_site.audit.models import ClockReading

    facts_record([ClockReading(recorded_at=early, within_limit=True)], actor=WRITER)

    assert codes() == {"dated_back"}


def test_two_swapped_leaves_are_found(decision: Decision) -> None:
    here = place_of(decision)
    other = LedgerLeaf.objects.get(index=here.index + 1)
    run_sql('UPDATE audit_ledgerleaf SET "index" = -1 WHERE "index" = %s', here.index)
    run_sql('UPDATE audit_ledgerleaf SET "index" = %s WHERE "index" = %s', here.index, other.index)
    run_sql('UPDATE audit_ledgerleaf SET "index" = %s WHERE "index" = -1', other.index)

    assert "root_differs" in {finding.code for finding in found(deep=False)}


def test_a_changed_leaf_under_a_whole_tile_is_named() -> None:
    ledger_grow(300)
    triggers_drop()
    run_sql('UPDATE audit_ledgerleaf SET leaf_hash = %s WHERE "index" = 17', hashlib.sha256(b"x").digest())

    findings = found(deep=False)

    assert "leaf 17" in {finding.where for finding in findings if finding.code == "leaf_changed"}
    assert any("leaf 17)" in finding.where for finding in findings if finding.code == "text_changed")


def test_a_changed_tile_is_named() -> None:
    ledger_grow(300)
    triggers_drop()
    run_sql("UPDATE audit_tile SET root = %s", hashlib.sha256(b"x").digest())
    assert ("column_changed", "tile 0/0", "root") in {
        (finding.code, finding.where, finding.field) for finding in found(deep=False)
    }


def test_a_deleted_checkpoint_leaves_a_hole_in_the_numbers(decision: Decision) -> None:
    run_sql("DELETE FROM audit_checkpoint WHERE number = 2")

    [finding] = found(deep=False)

    assert (finding.code, finding.where) == ("checkpoint_missing", "checkpoint number 2")


def test_a_deleted_last_checkpoint_leaves_leaves_that_nobody_signed(decision: Decision) -> None:
    run_sql("DELETE FROM audit_checkpoint WHERE number = %s", Checkpoint.objects.latest("number").number)

    assert "checkpoint_missing" in {finding.code for finding in found(deep=False)}
    facts_write(1)
    with pytest.raises(SealRefused, match="leaves after"):
        seal_pending()


def test_a_shorter_tree_is_not_signed_even_with_every_table_made_to_fit(decision: Decision, outside: Path) -> None:
    first = Checkpoint.objects.get(number=1)
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" >= %s', first.size)
    run_sql("DELETE FROM audit_checkpoint WHERE number > 1")
    facts_write(1)

    with pytest.raises(SealRefused, match="was published"):
        seal_pending()

    assert Checkpoint.objects.count() == 1


def test_a_forged_note_is_not_by_a_key_of_the_desk(decision: Decision) -> None:
    newest = Checkpoint.objects.latest("number")
    run_sql(
        "UPDATE audit_checkpoint SET note = %s WHERE number = %s",
        newest.note.replace("time 20", "time 19"),
        newest.number,
    )

    assert {(finding.code, finding.field) for finding in found(deep=False)} == {("note_invalid", "note")}


def test_a_history_rewritten_with_the_stolen_key_differs_from_what_was_published(
    decision: Decision, outside: Path
) -> None:
    """Database and key in one hand: only what is outside tells."""
    kept = outside.with_name("write-once")
    shutil.copytree(outside, kept)
    _forge(decision)
    run_sql("DELETE FROM audit_checkpoint")
    shutil.rmtree(outside)
    from mia_site.audit.checkpoint import Head
    from mia_site.audit.keys import checkpoint_signer, origin
    from mia_site.audit.ledger import tree_of

    size = LedgerLeaf.objects.count()
    head = Head(origin(), size, tree_of(size).root(), database_now())
    Checkpoint.objects.create(
        number=1, size=size, root=head.root, sealed_at=head.at, note=checkpoint_signer().sign(head.text())
    )
    assert found(deep=False) == []

    shutil.copytree(kept, outside)

    assert "rewritten" in {finding.code for finding in found(deep=False)}


def test_yesterdays_backup_is_not_gone_on_with(outside: Path) -> None:
    ledger_grow(5, 5)
    kept = Checkpoint.objects.latest("number")
    ledger_grow(5)
    triggers_drop()
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" >= %s', kept.size)
    run_sql("DELETE FROM audit_checkpoint WHERE number > %s", kept.number)
    facts_write(20)

    with pytest.raises(SealRefused, match="was published"):
        seal_pending()
    assert "rolled_back" in {finding.code for finding in found(deep=False)}

    ledger_continue(reason="the disk died", asked_by=WRITER, agreed_by=type(WRITER)("user", "2"))
    seal_pending()

    assert found(deep=False) == []
    assert len(notes_of(outside)) == Checkpoint.objects.count() + 1


def test_one_person_alone_declares_no_gap() -> None:
    ledger_grow(1)
    with pytest.raises(ContinuationRefused, match="these are one"):
        ledger_continue(reason="x", asked_by=WRITER, agreed_by=WRITER)
    with pytest.raises(ContinuationRefused, match="everything that was published"):
        ledger_continue(reason="x", asked_by=WRITER, agreed_by=type(WRITER)("user", "2"))


def test_a_queue_that_was_tampered_with_is_found(decision: Decision) -> None:
    [leaf] = facts_write(1)
    run_sql("UPDATE audit_pendingentry SET leaf_hash = %s WHERE entry_id = %s", bytes(32), identifier(leaf.entry_id))

    assert {(finding.code, finding.field) for finding in found(deep=False)} == {("column_changed", "leaf_hash")}


def test_an_entry_taken_out_of_the_queue_is_found(decision: Decision) -> None:
    [leaf] = facts_write(1)
    PendingEntry.objects.filter(entry_id=leaf.entry_id).delete()

    assert codes() == {"not_queued"}


def test_a_changed_feature_vector_no_longer_fits_its_decision() -> None:
    made = DecisionFactory(feature_set=FeatureSetFactory(), vector=[1.0, 2.0, 3.0])
    seal_pending()
    assert found() == []
    triggers_drop()
    run_sql("UPDATE decisions_decisionfeatures SET vector = %s WHERE id = %s", bytes(24), identifier(made.pk))

    assert ("companion_changed", "vector") in {(finding.code, finding.field) for finding in found()}


def test_findings_are_lines_that_name_entry_field_and_values(decision: Decision) -> None:
    run_sql("UPDATE decisions_decision SET trade_id = 'other' WHERE id = %s", identifier(decision.pk))

    [finding] = found()

    assert finding.line() == (
        f"column_changed: decisions.decision {decision.pk} trade_id: expected {decision.trade_id}, found other"
    )
    assert json.loads(json.dumps(finding.expected)) == decision.trade_id
