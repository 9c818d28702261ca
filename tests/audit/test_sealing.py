"""Sealing: every entry gets its place once, in a tree that only grows, under a signature that others can check."""

import hashlib
from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.checkpoint import head_parse
from mia_site.audit.journal import facts_record
from mia_site.audit.key_facts import key_rotate, verifier_keys
from mia_site.audit.ledger import NotSealedYet, consistency_of, inclusion_of, tree_of
from mia_site.audit.merkle import consistency_verify, inclusion_verify, root_of
from mia_site.audit.models import Checkpoint, ClockReading, Continuation, LedgerLeaf, PendingEntry, Tile
from mia_site.audit.note import open_note
from mia_site.audit.receipts import PROMISE
from mia_site.audit.sealing import SealRefused, seal_pending
from mia_site.ops.alerts import alerts_outside_flush
from mia_site.ops.models import Alert
from tests.audit.ledgers import facts_write, ledger_grow, notes_of, run_sql, triggers_drop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside", "quiet_background")]


def test_every_entry_gets_its_place_once_and_the_queue_is_empty() -> None:
    leaves = ledger_grow(3, 300)

    rows = list(LedgerLeaf.objects.order_by("index"))

    assert [row.index for row in rows] == list(range(len(rows)))
    placed = {row.entry_id: bytes(row.leaf_hash) for row in rows}
    assert {leaf.entry_id: leaf.leaf_hash for leaf in leaves}.items() <= placed.items()
    assert not PendingEntry.objects.exists()


def test_the_root_is_that_of_the_leaves() -> None:
    ledger_grow(5, 255, 1, 700)

    newest = Checkpoint.objects.latest("number")
    hashes = [bytes(value) for value in LedgerLeaf.objects.order_by("index").values_list("leaf_hash", flat=True)]

    assert bytes(newest.root) == root_of(hashes)
    assert Tile.objects.count() == len(hashes) // 256


def test_each_seal_is_a_signed_checkpoint_and_they_are_numbered() -> None:
    ledger_grow(2, 2, 2)

    rows = list(Checkpoint.objects.order_by("number"))

    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        head = head_parse(open_note(row.note, verifier_keys()[0]))
        assert (head.size, head.root, head.at) == (row.size, bytes(row.root), row.sealed_at)


def test_any_entry_is_proven_in_any_later_tree() -> None:
    leaves = ledger_grow(10, 500, 3)
    newest = Checkpoint.objects.latest("number")

    for leaf in leaves[::37]:
        proof = inclusion_of(leaf.entry_id)
        assert proof.leaf_hash == leaf.leaf_hash
        inclusion_verify(leaf.leaf_hash, proof.index, newest.size, proof.proof, bytes(newest.root))


def test_every_checkpoint_is_a_beginning_of_every_later_one() -> None:
    ledger_grow(1, 254, 3, 300)
    rows = list(Checkpoint.objects.order_by("number"))

    for old in rows:
        for new in rows:
            if old.size <= new.size:
                proof = consistency_of(old.size, new.size)
                consistency_verify(old.size, new.size, proof, bytes(old.root), bytes(new.root))


def test_a_proof_reads_a_few_rows_whatever_the_size(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for leaf in (ledger_grow(10)[5], ledger_grow(1490)[700]):
        with django_assert_max_num_queries(5):
            inclusion_of(leaf.entry_id)


def test_an_entry_that_waits_has_no_proof_yet() -> None:
    [leaf] = facts_write(1)
    with pytest.raises(NotSealedYet):
        inclusion_of(leaf.entry_id)


def test_what_was_rolled_back_is_nowhere_and_what_commits_late_is_not_lost() -> None:
    early = ClockReading(synchronised=None, within_limit=True)  # its id is older than what is sealed before it
    ledger_grow(3)
    with transaction.atomic():
        facts_write(5)
        transaction.set_rollback(True)
    with transaction.atomic():
        facts_record([early], actor=Actor("system", "late"))

    seal_pending()

    assert LedgerLeaf.objects.latest("index").entry_id == early.pk
    assert LedgerLeaf.objects.count() == Checkpoint.objects.latest("number").size


def test_an_empty_queue_signs_nothing() -> None:
    ledger_grow(1)
    count = Checkpoint.objects.count()
    assert seal_pending().count == 0
    assert Checkpoint.objects.count() == count


def test_a_large_queue_is_sealed_in_batches() -> None:
    facts_write(25)
    assert seal_pending(batch=10).count >= 25
    assert not PendingEntry.objects.exists()


def test_an_entry_queued_twice_keeps_its_place() -> None:
    [leaf] = ledger_grow(1)
    PendingEntry.objects.create(entry_id=leaf.entry_id, leaf_hash=leaf.leaf_hash)
    facts_write(1)

    seal_pending()

    assert LedgerLeaf.objects.filter(entry_id=leaf.entry_id).count() == 1
    assert Alert.objects.filter(code="sealed_twice", priority=4).exists()


def test_entries_that_waited_longer_than_receipts_promise_are_told() -> None:
    facts_write(1)
    [waiting] = PendingEntry.objects.order_by("entry_id")[:1]
    early = UUID(int=waiting.entry_id.int - (int(PROMISE.total_seconds() * 1000 + 9_000) << 80))
    PendingEntry.objects.create(entry_id=early, leaf_hash=bytes(32))

    seal_pending()

    alert = Alert.objects.get(code="seal_late")
    assert (alert.priority, alert.params["promise"]) == (4, 300)
    assert alert.params["seconds"] >= 309


def test_checkpoints_are_published_outside_the_database(outside: Path) -> None:
    ledger_grow(2, 3)
    notes = [row.note for row in Checkpoint.objects.order_by("number")]

    assert (outside / "latest.note").read_text() == notes[-1]
    assert [path.read_text() for path in notes_of(outside)] == notes


def test_a_database_behind_the_published_checkpoint_is_not_sealed(outside: Path) -> None:
    ledger_grow(2, 3)
    triggers_drop()
    newest = Checkpoint.objects.latest("number")
    before = Checkpoint.objects.get(number=newest.number - 1)
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" >= %s', before.size)
    run_sql("DELETE FROM audit_checkpoint WHERE number = %s", newest.number)
    facts_write(9)

    with pytest.raises(SealRefused, match="was published"):
        seal_pending()

    alerts_outside_flush()
    assert Alert.objects.filter(code="seal_refused", priority=5).exists()
    assert Checkpoint.objects.latest("number").number == before.number


def test_a_published_checkpoint_of_another_tree_is_not_extended(outside: Path) -> None:
    ledger_grow(4)
    published = (outside / "latest.note").read_text()
    triggers_drop()
    run_sql('UPDATE audit_ledgerleaf SET leaf_hash = %s WHERE "index" = 1', hashlib.sha256(b"x").digest())
    facts_write(1)

    with pytest.raises(SealRefused, match="no longer lead to the root"):
        seal_pending()

    assert (outside / "latest.note").read_text() == published


def test_a_folder_outside_that_cannot_be_written_stops_no_seal_and_is_told(outside: Path) -> None:
    outside.parent.mkdir(exist_ok=True)
    outside.write_text("a file where the folder should be")
    ledger_grow(2)
    alerts_outside_flush()
    assert Checkpoint.objects.count() == 1
    assert Alert.objects.filter(code="checkpoint_not_published", priority=4).exists()


def test_a_rotated_key_is_endorsed_by_the_old_one_and_old_checkpoints_stay_verifiable() -> None:
    ledger_grow(2)
    old = verifier_keys()[0]
    key = key_rotate("checkpoints", actor=Actor("system", "test"), reason="yearly")
    ledger_grow(2)

    assert open_note(key.endorsement, old).splitlines()[-1] == key.vkey
    newest = Checkpoint.objects.latest("number")
    assert head_parse(open_note(newest.note, key.vkey)).size == newest.size
    assert verifier_keys() == [key.vkey, old]


def test_a_declared_restore_goes_on_and_every_later_checkpoint_says_so(outside: Path) -> None:
    from mia_site.audit.continuation import ledger_continue

    ledger_grow(2, 3)
    triggers_drop()
    newest = Checkpoint.objects.latest("number")
    before = Checkpoint.objects.get(number=newest.number - 1)
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" >= %s', before.size)
    run_sql("DELETE FROM audit_checkpoint WHERE number = %s", newest.number)

    ledger_continue(reason="disk lost", asked_by=Actor("user", "1"), agreed_by=Actor("user", "2"))
    seal_pending()
    ledger_grow(1)

    for row in Checkpoint.objects.filter(size__gt=before.size):
        [gap] = head_parse(open_note(row.note, verifier_keys()[0])).gaps
        assert (gap.kept, gap.lost, gap.root) == (before.size, newest.size, bytes(newest.root))
    assert Continuation.objects.get().agreed_by == "user:2"
    assert tree_of(before.size).root() == bytes(before.root)
