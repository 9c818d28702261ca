"""The ledger over HTTP, checked with what the desk has not written: RFC 9162's algorithms as in the tests of the tree,
and Go's own checksum database library where it is installed."""

import base64
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Web

from decisions.models import Decision
from mia_site.audit.canonical import leaf_hash
from mia_site.audit.checkpoint import head_parse
from mia_site.audit.key_facts import bootstrap_keys, verifier_keys
from mia_site.audit.merkle import consistency_verify, inclusion_verify
from mia_site.audit.models import Checkpoint, Entry, LedgerLeaf
from mia_site.audit.note import open_note
from mia_site.audit.offline.verify_evidence import root_from_inclusion
from mia_site.ops.ids import uuid7
from risk.accounts import client_issue
from tests.audit.ledgers import WRITER, ledger_grow
from tests.environment import ROOT
from tests.factories import AccountFactory, DecisionFactory

PROGRAM = ROOT / "docs" / "examples" / "verify.go"
LIBRARY = Path("/usr/share/gocode")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]


@pytest.fixture
def decision() -> Decision:
    list(bootstrap_keys())
    made: Decision = DecisionFactory(account=AccountFactory(code="ES-MAIN"))
    ledger_grow(3, 250, 40)
    return made


@pytest.fixture
def bot(decision: Decision) -> Web:
    """A client of the decision's account."""
    _client, token = client_issue("bot", account="ES-MAIN", actor=WRITER)
    return Web(headers={"authorization": f"Token {token}"})


def get(web: Web, path: str, **query: Any) -> str:
    """A text that was found."""
    response = web.get(f"/api/v1/audit/{path}", query)
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def refused(web: Web, path: str, **query: Any) -> tuple[int, str]:
    """(status, code) of a refusal, which is problem details."""
    response = web.get(f"/api/v1/audit/{path}", query)
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


# Keys and checkpoints, for everybody


def test_anybody_reads_the_keys_the_newest_checkpoint_and_any_earlier_one(decision: Decision) -> None:
    anybody = Web()

    keys = get(anybody, "key").splitlines()
    newest = head_parse(open_note(get(anybody, "checkpoint"), keys[0]))

    assert keys == [*verifier_keys(), *verifier_keys("receipts")]
    assert newest.size == LedgerLeaf.objects.count()
    for row in Checkpoint.objects.all():
        assert head_parse(open_note(get(anybody, f"checkpoint/{row.size}"), keys[0])).root == bytes(row.root)
    assert refused(anybody, f"checkpoint/{newest.size + 1}") == (404, "not_found")
    assert refused(anybody, f"checkpoint/{'9' * 40}") == (404, "not_found")


def test_before_the_first_seal_there_is_no_checkpoint(db: None) -> None:
    assert refused(Web(), "checkpoint") == (404, "not_found")
    assert refused(Web(), "consistency", old=0, new=1) == (404, "not_found")


# Consistency


def test_every_checkpoint_is_shown_to_begin_every_later_one(decision: Decision) -> None:
    rows = list(Checkpoint.objects.order_by("size"))
    for old in rows:
        for new in rows:
            if old.size <= new.size:
                proof = [
                    base64.b64decode(line) for line in get(Web(), "consistency", old=old.size, new=new.size).split()
                ]
                consistency_verify(old.size, new.size, proof, bytes(old.root), bytes(new.root))
    assert get(Web(), "consistency", old=0, new=rows[-1].size) == ""


NO_SIZES = [
    ("x", "1"), ("", "1"), ("-1", "1"), ("1", "1.5"), ("1", "9" * 30), ("\N{ARABIC-INDIC DIGIT ONE}", "2"), ("1 ", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), NO_SIZES)
def test_sizes_that_are_no_numbers_are_refused_with_the_field(decision: Decision, old: str, new: str) -> None:
    assert refused(Web(), "consistency", old=old, new=new) == (400, "invalid_request")


@pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 10**9)])
def test_sizes_that_no_tree_has_are_not_found(decision: Decision, old: int, new: int) -> None:
    assert refused(Web(), "consistency", old=old, new=new) == (404, "not_found")


# Records and proofs, for the account's own client


def test_a_client_reads_the_bytes_that_were_hashed_and_their_proof(bot: Web, decision: Decision) -> None:
    record = get(bot, f"entries/{decision.pk}/record")
    head_text, _, note = get(bot, f"entries/{decision.pk}/proof").partition("\n\n")
    version, index, *path = head_text.split("\n")

    head = head_parse(open_note(note, verifier_keys()[0]))
    place, proof = int(index.removeprefix("index ")), [base64.b64decode(line) for line in path]
    assert version == "c2sp.org/tlog-proof@v1"
    assert record == Entry.objects.get(pk=decision.pk).body
    inclusion_verify(leaf_hash(record.encode()), place, head.size, proof, head.root)
    assert root_from_inclusion(leaf_hash(record.encode()), place, head.size, proof) == head.root


def test_what_waits_is_a_409_that_says_when_to_ask_again(bot: Web) -> None:
    later = Entry.objects.filter(kind_name="token_issued").latest("id")

    response = bot.get(f"/api/v1/audit/entries/{later.pk}/proof")

    assert (response.status_code, response.json()["code"]) == (409, "not_sealed_yet")
    assert response["Retry-After"] == "2"
    assert get(bot, f"entries/{later.pk}/record") == later.body


def test_anothers_entry_and_one_that_is_not_there_look_the_same(bot: Web, decision: Decision) -> None:
    other = DecisionFactory(account=AccountFactory(code="ES-OTHER"))
    for identifier in (other.pk, uuid7()):
        for what in ("record", "proof"):
            assert refused(bot, f"entries/{identifier}/{what}") == (404, "not_found")


def test_without_a_token_no_record_is_shown(decision: Decision) -> None:
    for what in ("record", "proof"):
        assert refused(Web(), f"entries/{decision.pk}/{what}")[0] == 401


# Somebody else's code


def go(folder: Path, vkey: str, **files: str) -> tuple[int, str]:
    """Runs docs/examples/verify.go on these files."""
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    environment = {
        **os.environ, "GO111MODULE": "off", "GOPATH": str(LIBRARY), "GOFLAGS": "", "GOCACHE": str(folder / "cache"),
    }  # fmt: skip
    binary = folder / "verify"
    if not binary.exists():
        build = ["go", "build", "-o", str(binary), str(PROGRAM)]
        subprocess.run(build, env=environment, check=True, capture_output=True, timeout=300)
    command = [str(binary), vkey, *(str(folder / name) for name in files)]
    told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return told.returncode, told.stdout


def test_gos_own_library_verifies_record_and_consistency_and_no_changed_byte(
    bot: Web, decision: Decision, tmp_path: Path
) -> None:
    if shutil.which("go") is None or not (LIBRARY / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip("golang-go and golang-golang-x-mod-dev are not installed")
    vkey = get(Web(), "key").splitlines()[0]
    record, proof = get(bot, f"entries/{decision.pk}/record"), get(bot, f"entries/{decision.pk}/proof")
    old, *_, new = Checkpoint.objects.order_by("size")
    path = get(Web(), "consistency", old=old.size, new=new.size)

    assert go(tmp_path, vkey, record=record, proof=proof)[1].startswith("VERIFIED: leaf ")
    assert go(tmp_path, vkey, old=old.note, new=new.note, path=path)[1].startswith("VERIFIED: ")

    assert go(tmp_path, vkey, record=record.replace("allow", "block"), proof=proof)[0] == 1
    assert go(tmp_path, verifier_keys("receipts")[0], record=record, proof=proof)[0] == 1
    assert go(tmp_path, vkey, old=new.note, new=old.note, path=path)[0] == 1
