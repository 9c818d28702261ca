"""Checkpoints that go out: signed posts, witnesses whose cosignatures are kept, a real time-stamping authority."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django import Settings

from mia_site.audit.models import CheckpointPost
from mia_site.audit.note import Signer, open_note
from mia_site.audit.posting import ALERT_FROM, LONGEST_PAUSE, checkpoints_post, cosignatures
from mia_site.audit.publishing import published_newest
from mia_site.audit.tasks import post_checkpoints
from mia_site.audit.timestamp_request import TimestampError, timestamp_check, timestamp_request
from mia_site.audit.verification.steps import verification_open
from mia_site.ops.channels.webhook import SIGNATURE_HEADER, signature, webhook_secret
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from tests.audit.ledgers import found, ledger_grow, notes_of
from tests.ops.receiver import Receiver, receiver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]
WITNESS = Signer("witness.example", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def witness(settings: Settings) -> Iterator[Receiver]:
    """The one webhook that gets checkpoints."""
    with receiver() as told:
        settings.MIA_CHECKPOINT_WEBHOOKS = [f"{told.url}/checkpoints?token=secret"]
        yield told


def cosign(body: bytes) -> bytes:
    """What a witness answers: a signature line of its own for the note's text."""
    text = body.decode().rpartition("\n\n")[0] + "\n"
    return WITNESS.sign(text).rpartition("\n\n")[2].encode()


def test_the_newest_kept_note_is_posted_once_and_signed(witness: Receiver, outside: Path) -> None:
    ledger_grow(2, 3)

    assert checkpoints_post(database_now()) == 1
    assert checkpoints_post(database_now()) == 0

    [request] = witness.received
    assert request.body == notes_of(outside)[-1].read_bytes()
    told = {name.lower(): value for name, value in request.headers.items()}[SIGNATURE_HEADER.lower()]
    at = int(told.partition(",")[0].removeprefix("t="))
    assert told == signature(webhook_secret(), request.body, at=at)
    row = CheckpointPost.objects.get()
    assert row.note.endswith(notes_of(outside)[-1].name)
    assert "secret" not in row.target


def test_each_later_note_is_posted_too(witness: Receiver) -> None:
    for _ in range(3):
        ledger_grow(1)
        post_checkpoints()

    assert len({request.body for request in witness.received}) == 3


def test_without_targets_or_checkpoints_nothing_is_sent(witness: Receiver, settings: Settings) -> None:
    assert checkpoints_post(database_now()) == 0
    settings.MIA_CHECKPOINT_WEBHOOKS = []
    ledger_grow(1)
    assert checkpoints_post(database_now()) == 0
    assert witness.received == []


def test_a_cosignature_is_kept_beside_the_note_and_anybody_can_check_it(witness: Receiver, outside: Path) -> None:
    witness.reply = lambda body: b"thanks\n" + cosign(body) + "— short AAAA\n".encode()
    ledger_grow(4)

    checkpoints_post(database_now())

    [note] = notes_of(outside)
    [kept] = note.parent.glob("*.cosigned-*")
    both = note.read_text() + kept.read_text()
    assert kept.read_text().count("\n") == 1
    assert open_note(both, WITNESS.verifier) == note.read_text().rpartition("\n\n")[0] + "\n"
    assert published_newest([]) is None
    assert found(deep=False) == []
    assert verification_open(database_now(), deep=True).pk


def test_an_answer_without_a_signature_line_leaves_nothing(witness: Receiver, outside: Path) -> None:
    for answer in (b"", b"ok\n", b"\xff\xfe", "— name not-base64!\n".encode(), b"- name AAAA\n"):
        assert list(cosignatures(answer)) == []
    ledger_grow(1)
    checkpoints_post(database_now())
    assert list(outside.rglob("*.cosigned-*")) == []


def test_what_is_refused_is_tried_again_later_and_told_once(witness: Receiver) -> None:
    witness.answers = [503]
    ledger_grow(1)
    now = database_now()

    checkpoints_post(now)
    checkpoints_post(now + timedelta(seconds=1))
    assert len(witness.received) == 1
    for _ in range(ALERT_FROM + 8):
        now += LONGEST_PAUSE
        checkpoints_post(now)

    row = CheckpointPost.objects.get()
    assert (row.last_error, row.note) == ("HTTP 503", "")
    assert row.next_try_at == now + LONGEST_PAUSE
    assert Alert.objects.filter(code="checkpoint_not_published").count() == 1
    witness.answers = [200]
    assert checkpoints_post(now + LONGEST_PAUSE) == 1
    assert CheckpointPost.objects.get().attempts == 0


def test_a_target_that_is_away_holds_up_no_other(witness: Receiver, settings: Settings) -> None:
    settings.MIA_CHECKPOINT_WEBHOOKS = ["http://127.0.0.1:1/", "file:///etc/passwd", *settings.MIA_CHECKPOINT_WEBHOOKS]
    ledger_grow(1)

    assert checkpoints_post(database_now()) == 1
    assert CheckpointPost.objects.exclude(last_error="").count() == 2


# RFC 3161


class Authority:
    """openssl as a time-stamping authority, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ts.cnf").write_text(
            "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_cert = ca.pem\ncerts = ca.pem\n"
            "signer_key = key.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\n"
            "accuracy = secs:1\n"
        )
        (folder / "serial").write_text("01\n")
        self.run(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test authority", "-addext", "extendedKeyUsage=critical,timeStamping",
        )  # fmt: skip

    def run(self, *words: str) -> str:
        told = subprocess.run(
            ["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=True, timeout=60
        )
        return told.stdout + told.stderr

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self.run("ts", "-reply", "-config", "ts.cnf", "-section", "one", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


def test_an_authority_stamps_the_note_and_openssl_verifies_it(
    authority: Authority, settings: Settings, outside: Path
) -> None:
    ledger_grow(3)
    [note] = notes_of(outside)
    with receiver() as server:
        server.reply = authority.answer
        settings.MIA_TSA_URL = f"{server.url}/tsr"
        assert checkpoints_post(database_now()) == 1

    assert server.received[0].headers["Content-Type"] == "application/timestamp-query"
    told = authority.run("ts", "-verify", "-data", str(note), "-in", str(note.with_suffix(".tsr")), "-CAfile", "ca.pem")
    assert "Verification: OK" in told


def test_a_request_is_what_openssl_would_have_asked(authority: Authority) -> None:
    (authority.folder / "request").write_bytes(timestamp_request(b"a note\n", 2**63))

    told = authority.run("ts", "-query", "-in", "request", "-text")

    assert "Hash Algorithm: sha256" in told
    assert "Certificate required: yes" in told
    assert "Nonce: 0x8000000000000000" in told
    assert hashlib.sha256(b"a note\n").hexdigest()[:16] in told.replace(" ", "").replace("-", "")


def test_an_answer_about_something_else_is_not_kept(authority: Authority, settings: Settings, outside: Path) -> None:
    ledger_grow(1)
    other = authority.answer(timestamp_request(b"another note", 7))
    for data, nonce, problem in ((b"a note", 7, "something else"), (b"another note", 8, "something else")):
        with pytest.raises(TimestampError, match=problem):
            timestamp_check(other, data, nonce)
    timestamp_check(other, b"another note", 7)
    for damaged in (b"", b"\x30", b"\x30\x82", b"<html>", b"\x30\x03\x30\x01\x02"):
        with pytest.raises(TimestampError):
            timestamp_check(damaged, b"a note", 7)

    with receiver() as server:
        server.reply = lambda _query: other
        settings.MIA_TSA_URL = server.url
        assert checkpoints_post(database_now()) == 0
    assert list(outside.rglob("*.tsr")) == []
    assert CheckpointPost.objects.get().last_error == "the answer is about something else"


def test_a_refusal_is_told_with_its_status() -> None:
    with pytest.raises(TimestampError, match="status 2"):
        timestamp_check(b"\x30\x05\x30\x03\x02\x01\x02", b"a note", 7)
