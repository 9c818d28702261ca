"""Keys by command, and the command with which two people go on after a restore."""

import io
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from mia_site.audit.key_facts import bootstrap_keys, verifier_keys
from mia_site.audit.keys import KeyUnreadable, key_path, receipt_signer
from mia_site.audit.management import people as terminal
from mia_site.audit.models import Checkpoint, Continuation, Entry
from mia_site.audit.note import open_note, parse_verifier
from mia_site.audit.offline.verify_evidence import open_checkpoint
from mia_site.audit.sealing import SealRefused, seal_pending
from risk.roles import ADMINISTRATOR, RISK_MANAGER
from tests.audit.ledgers import facts_write, found, ledger_grow, run_sql, triggers_drop
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]


def run(name: str, *words: str) -> str:
    """What a command says."""
    said = io.StringIO()
    call_command(name, *words, stdout=said)
    return said.getvalue()


# Keys


def test_the_command_makes_keys_on_first_use_and_shows_their_public_halves() -> None:
    lines = [line.split() for line in run("keys").splitlines()]

    assert [purpose for purpose, _vkey in lines] == ["receipts", "checkpoints"]
    for purpose, vkey in lines:
        assert vkey == verifier_keys(purpose)[0]  # type: ignore[arg-type]
        assert parse_verifier(vkey)[0].startswith("mia-risk-desk")
        assert stat.S_IMODE(key_path(purpose).stat().st_mode) == 0o600  # type: ignore[arg-type]
    assert run("keys") == run("keys")


def test_a_rotation_needs_a_reason_is_endorsed_and_journalled_with_who() -> None:
    run("keys")
    [old] = verifier_keys()
    with pytest.raises(CommandError, match="needs a --reason"):
        run("keys", "--rotate", "checkpoints")

    said = run("keys", "--rotate", "checkpoints", "--reason", "yearly")

    new = verifier_keys()[0]
    assert new in said and old in said and new != old
    entry = Entry.objects.filter(kind_name="signing_key").latest("id")
    assert (entry.why, entry.actor.startswith("command:keys:uid")) == ("yearly", True)
    assert len(list(key_path("checkpoints").parent.glob("*.retired"))) == 1


def test_a_rotated_receipt_key_is_taken_up_by_a_process_that_runs() -> None:
    list(bootstrap_keys())
    before = receipt_signer().sign("a promise\n")

    run("keys", "--rotate", "receipts", "--reason", "lost laptop")

    new, old = verifier_keys("receipts")
    assert open_note(receipt_signer().sign("a promise\n"), new) == "a promise\n"
    assert open_note(before, old) == "a promise\n"


def test_a_key_file_that_is_no_key_is_never_written_over() -> None:
    list(bootstrap_keys())
    key_path("checkpoints").write_text("torn")

    with pytest.raises(CommandError, match="not a hexadecimal key"):
        run("keys")
    facts_write(1)
    with pytest.raises(KeyUnreadable):
        seal_pending()
    assert key_path("checkpoints").read_text() == "torn"


# Going on after a restore


@pytest.fixture
def restored() -> tuple[int, int]:
    """(leaves kept, leaves published) of a desk that went back to an earlier state of its database."""
    ledger_grow(5, 7)
    last = Checkpoint.objects.latest("number")
    kept = Checkpoint.objects.get(number=last.number - 1)
    triggers_drop()
    run_sql('DELETE FROM audit_ledgerleaf WHERE "index" >= %s', kept.size)
    run_sql("DELETE FROM audit_checkpoint WHERE number = %s", last.number)
    return kept.size, last.size


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is typed where a password is asked for, one after another."""
    passwords: list[str] = []
    monkeypatch.setattr(terminal, "getpass", lambda _prompt: passwords.pop(0))
    yield passwords
    assert passwords == []


def go_on(first: str, second: str) -> str:
    return run("audit_continue", "--reason", "the disk died", "--first", first, "--second", second)


def test_two_administrators_go_on_and_every_later_checkpoint_says_so(
    restored: tuple[int, int], typed: list[str]
) -> None:
    kept, published = restored
    ada, bob = UserFactory(username="ada", role=ADMINISTRATOR), UserFactory(username="bob", role=ADMINISTRATOR)
    with pytest.raises(SealRefused):
        seal_pending()
    typed += [PASSWORD, PASSWORD]

    said = go_on("ada", "bob")
    seal_pending()

    assert f"{kept} leaves are here, {published} were published: {published - kept} are lost." in said
    fact = Continuation.objects.get()
    assert (fact.asked_by, fact.agreed_by, fact.reason) == (f"user:{ada.pk}", f"user:{bob.pk}", "the disk died")
    told = open_checkpoint(Checkpoint.objects.latest("number").note, verifier_keys())
    assert told["gaps"] and told["gaps"][0].startswith(f"continued from {kept} lost up to {published} ")
    assert "rolled_back" not in {finding.code for finding in found(deep=False)}


def test_a_wrong_password_or_a_person_without_the_right_declares_nothing(
    restored: tuple[int, int], typed: list[str]
) -> None:
    for name, role in (("ada", ADMINISTRATOR), ("bob", ADMINISTRATOR), ("mel", RISK_MANAGER)):
        UserFactory(username=name, role=role)
    typed += ["wrong"]
    with pytest.raises(CommandError, match="ada did not log in"):
        go_on("ada", "bob")
    typed += [PASSWORD, PASSWORD]
    with pytest.raises(CommandError, match="mel did not log in, or may not"):
        go_on("ada", "mel")
    typed += [PASSWORD, PASSWORD]
    with pytest.raises(CommandError, match="these are one"):
        go_on("ada", "ada")
    assert not Continuation.objects.exists()


def test_without_a_gap_nobody_is_asked(typed: list[str]) -> None:
    with pytest.raises(CommandError, match="no checkpoint is published"):
        go_on("ada", "bob")
    ledger_grow(2)
    with pytest.raises(CommandError, match="everything that was published"):
        go_on("ada", "bob")


def test_a_database_that_is_another_one_cannot_go_on(outside: Path, typed: list[str]) -> None:
    ledger_grow(4)
    triggers_drop()
    run_sql('UPDATE audit_ledgerleaf SET leaf_hash = %s WHERE "index" = 1', bytes(32))

    with pytest.raises(CommandError, match="it is another: it cannot go on"):
        go_on("ada", "bob")
    assert User.objects.filter(username="ada").count() == 0
