"""Evidence: what a stranger can check with one file and one key, and what no change of a byte survives."""

import base64
import copy
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from decisions.models import Decision
from mia_site.audit.actors import Actor
from mia_site.audit.evidence import EvidenceError, broken_promise_of, evidence_of
from mia_site.audit.journal import Leaf
from mia_site.audit.key_facts import bootstrap_keys, key_rotate, verifier_keys
from mia_site.audit.ledger import NotSealedYet
from mia_site.audit.models import Checkpoint, Entry
from mia_site.audit.offline import verify_evidence
from mia_site.audit.receipts import PROMISE, receipt_sign
from mia_site.audit.sealing import seal_pending
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7
from tests.audit.ledgers import decision_sealed, facts_write, ledger_grow
from tests.factories import DecisionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def decision() -> Decision:
    return decision_sealed()


@pytest.fixture
def document(decision: Decision) -> dict[str, Any]:
    return evidence_of(decision.pk, database_now())


def check(document: dict[str, Any], *keys: str) -> list[str]:
    return verify_evidence.verify(json.loads(json.dumps(document)), keys or verifier_keys()[:1])[1]


def test_it_proves_the_record_its_limits_its_features_and_its_receipt(document: dict[str, Any]) -> None:
    lines = check(document)

    told = "\n".join(lines)
    for word in ("verdict: allow", "limits ", "features ", "disclosed values match", "receipt ", "sealed "):
        assert word in told
    assert document["entries"][0]["role"] == "record"


def test_it_needs_nothing_but_one_file_and_the_key(document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(document))
    alone = [sys.executable, "-I", "-S", verify_evidence.__file__, str(path), "--key", verifier_keys()[0]]

    good = subprocess.run(alone, capture_output=True, text=True, check=False)
    path.write_text(path.read_text().replace("allow", "block"))
    bad = subprocess.run(alone, capture_output=True, text=True, check=False)

    assert (good.returncode, good.stdout.splitlines()[0]) == (0, "VERIFIED")
    assert (bad.returncode, bad.stdout.startswith("NOT VERIFIED: ")) == (1, True)


def _swap(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def _record(document: dict[str, Any]) -> None:
    document["entries"][0]["record"] = document["entries"][0]["record"].replace('"allow"', '"block"')


def _index(document: dict[str, Any]) -> None:
    document["entries"][0]["index"] += 1


def _proof(document: dict[str, Any]) -> None:
    proof = document["entries"][0]["proof"]
    proof[0] = _swap(proof[0], 5)


def _shorter(document: dict[str, Any]) -> None:
    document["entries"][0]["proof"].pop()


def _root(document: dict[str, Any]) -> None:
    lines = document["checkpoint"].split("\n")
    lines[2] = _swap(lines[2], 3)
    document["checkpoint"] = "\n".join(lines)


def _size(document: dict[str, Any]) -> None:
    lines = document["checkpoint"].split("\n")
    lines[1] = str(int(lines[1]) - 1)
    document["checkpoint"] = "\n".join(lines)


def _signature(document: dict[str, Any]) -> None:
    document["checkpoint"] = _swap(document["checkpoint"], len(document["checkpoint"]) - 20)


def _limits(document: dict[str, Any]) -> None:
    keys = [item for item in document["entries"] if item["role"] == "signing key"]
    document["entries"][1] = {**keys[0], "role": "limits", "named_by": "limits_id"}


def _values(document: dict[str, Any]) -> None:
    document["disclosed"]["data"] = _swap(document["disclosed"]["data"], 2)


def _receipt(document: dict[str, Any]) -> None:
    other = Entry.objects.latest("id")
    document["receipt"] = receipt_sign([Leaf(other.pk, bytes(other.leaf_hash))], database_now())


def _names(document: dict[str, Any]) -> None:
    names = document["disclosed"]["names"]
    names[0], names[1] = names[1], names[0]


def _role(document: dict[str, Any]) -> None:
    document["entries"][1]["role"] = "limits    as good as none\nreceipt"


def _renamed(document: dict[str, Any]) -> None:
    document["entries"][2]["role"] = "limits"


def _damaged(document: dict[str, Any]) -> None:
    document["entries"] = "none"


def _format(document: dict[str, Any]) -> None:
    document["format"] = "something else"


@pytest.mark.parametrize(
    "change",
    [
        _record, _index, _proof, _shorter, _root, _size, _signature, _limits, _values, _receipt, _names, _role,
        _renamed, _damaged, _format,
    ],
)  # fmt: skip
def test_whatever_is_changed_it_is_not_verified(document: dict[str, Any], change: Change) -> None:
    changed = copy.deepcopy(document)
    change(changed)
    with pytest.raises(verify_evidence.NotProven):
        check(changed)


def test_what_was_sealed_after_its_receipt_s_time_is_not_called_kept(document: dict[str, Any]) -> None:
    entry = Entry.objects.get(id=json.loads(document["entries"][0]["record"])["id"])
    early = Checkpoint.objects.latest("number").sealed_at - PROMISE * 2
    assert any(line.endswith(": kept") for line in check(document))

    document["receipt"] = receipt_sign([Leaf(entry.pk, bytes(entry.leaf_hash))], early)

    assert any("NOT SHOWN TO BE KEPT" in line for line in check(document))


def test_a_record_s_own_text_makes_no_line_of_the_verifier_s() -> None:
    list(bootstrap_keys())
    decision = DecisionFactory(trade_id="T-1\nledger    leaf 7\u202e\x1b[2K")
    seal_pending()

    lines = check(evidence_of(decision.pk, database_now()))

    assert "          trade_id: T-1<U+000A>ledger    leaf 7<U+202E><U+001B>[2K" in lines


def test_another_key_verifies_nothing(document: dict[str, Any]) -> None:
    stranger = f"mia-risk-desk+00000000+{base64.b64encode(bytes([1]) + bytes(32)).decode()}"
    with pytest.raises(verify_evidence.NotProven, match="id does not match"):
        check(document, stranger)
    with pytest.raises(verify_evidence.NotProven, match="no signature by the key"):
        check(document, verifier_keys("receipts")[0])


def test_who_trusts_the_old_key_follows_its_endorsement_to_the_new_one(decision: Decision) -> None:
    old = verifier_keys()[0]
    key_rotate("checkpoints", actor=Actor("system", "test"), reason="yearly")
    ledger_grow(1)
    document = evidence_of(decision.pk, database_now())

    assert check(document, old) == check(document, verifier_keys()[0])
    document["keys"][-1]["endorsement"] = ""
    with pytest.raises(verify_evidence.NotProven):
        check(document, old)


def test_who_trusts_the_new_key_alone_takes_the_old_one_from_its_ledger(decision: Decision) -> None:
    key_rotate("checkpoints", actor=Actor("system", "test"), reason="yearly")
    ledger_grow(1)
    document, new = evidence_of(decision.pk, database_now()), verifier_keys()[0]

    assert any(line.startswith("sealed ") for line in check(document, new))
    document["entries"] = [item for item in document["entries"] if item["role"] != "signing key"]
    document["receipt"] = None
    with pytest.raises(verify_evidence.NotProven, match="no signature by the key"):
        check(document, new)


def test_what_waits_has_no_evidence_yet_and_what_is_not_there_has_none() -> None:
    ledger_grow(1)
    [leaf] = facts_write(1)
    with pytest.raises(NotSealedYet):
        evidence_of(leaf.entry_id, database_now())
    with pytest.raises(EvidenceError):
        evidence_of(uuid7(), database_now())


# Promises


def test_a_promise_that_was_not_kept_is_proven() -> None:
    list(bootstrap_keys())
    seal_pending()
    now = database_now()
    lost = Leaf(uuid7(), bytes(31) + b"x")
    note = receipt_sign([lost], now)
    ledger_grow(20)
    with pytest.raises(EvidenceError, match="may still be kept"):
        broken_promise_of(note, now)

    later = Checkpoint.objects.latest("number").sealed_at - PROMISE - timedelta(seconds=1)
    document = broken_promise_of(receipt_sign([lost], later), now)
    document["before"], document["peaks"] = None, []

    lines = check(document)
    assert any(f"MISSING   entry {lost.entry_id}" in line for line in lines)


def test_a_promise_that_was_kept_is_not_called_broken() -> None:
    list(bootstrap_keys())
    [leaf] = ledger_grow(1)
    with pytest.raises(EvidenceError, match="was kept"):
        broken_promise_of(receipt_sign([leaf], database_now()), database_now())
    with pytest.raises(EvidenceError, match="no receipt"):
        broken_promise_of("something else\n\n— x AAAA\n", database_now())


def test_a_broken_promise_with_its_leaf_taken_out_of_the_list_is_not_proven() -> None:
    list(bootstrap_keys())
    leaves = ledger_grow(9)
    at = Checkpoint.objects.latest("number").sealed_at - PROMISE - timedelta(seconds=1)
    lost = Leaf(uuid7(), bytes(32))
    document = broken_promise_of(receipt_sign([lost], at), database_now())
    assert check(document)
    document["leaves"].pop(3)
    with pytest.raises(verify_evidence.NotProven, match="do not lead to the later checkpoint"):
        check(document)
    assert len(leaves) == 9


# The commands


def test_the_command_writes_a_bundle_that_checks_itself(decision: Decision, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    call_command("audit_evidence", str(decision.pk), "-o", str(path), stdout=io.StringIO())

    with zipfile.ZipFile(path) as archive:
        assert {"evidence.json", "verify_evidence.py", "README.txt"} <= set(archive.namelist())
        archive.extractall(tmp_path)
    told = subprocess.run(
        [sys.executable, "verify_evidence.py", "evidence.json", "--key", verifier_keys()[0]],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.stdout.startswith("VERIFIED")
    taken = json.loads(Entry.objects.get(kind_name="evidence_taken").body)
    assert taken["fact"]["after"]["object"] == f"decisions.decision:{decision.pk}"


def test_verify_evidence_is_a_command_of_the_desk_too(document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(document))
    call_command("verify_evidence", str(path), "--key", verifier_keys()[0])
    path.write_text(path.read_text()[:-40])
    with pytest.raises(SystemExit) as raised:
        call_command("verify_evidence", str(path), "--key", verifier_keys()[0])
    assert raised.value.code == 1


def test_the_command_wants_one_of_id_and_receipt(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Name one"):
        call_command("audit_evidence", "-o", str(tmp_path / "x"))
