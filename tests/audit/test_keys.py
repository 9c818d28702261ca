"""Signing keys: made once, however many processes start at the same moment; closed to others; never overwritten."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from mia_site.audit.keys import KeyUnreadable, key_path, receipt_signer, signer
from tests.environment import ROOT

SIGN = """
import sys
from django.conf import settings
settings.configure(KEYS_DIR=sys.argv[1], SITE_NAME="desk.example")
from mia_site.audit.keys import receipt_signer
print(receipt_signer().verifier)
"""


@pytest.fixture
def keys(settings: Settings, tmp_path: Path) -> Path:
    settings.KEYS_DIR = tmp_path / "keys"
    return tmp_path / "keys"


def test_a_key_is_made_on_first_use_and_kept(keys: Path) -> None:
    first = receipt_signer().verifier
    assert receipt_signer().verifier == first
    assert [path.name for path in keys.iterdir()] == ["receipt.key"], "no draft is left"


def test_only_its_owner_can_read_it(keys: Path) -> None:
    receipt_signer()
    assert stat.S_IMODE(key_path("receipts").stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700


def test_promises_and_checkpoints_have_keys_and_names_of_their_own(keys: Path, settings: Settings) -> None:
    settings.SITE_NAME = "desk.example"
    receipts, checkpoints = signer("receipts"), signer("checkpoints")
    assert (receipts.name, checkpoints.name) == ("desk.example/receipts", "desk.example")
    assert receipts.public_key != checkpoints.public_key


def test_eight_processes_that_start_at_once_have_one_key(keys: Path, settings: Settings) -> None:
    settings.SITE_NAME = "desk.example"
    started = [
        subprocess.Popen([sys.executable, "-c", SIGN, keys], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    verifiers = {process.communicate(timeout=120)[0].strip() for process in started}
    assert all(process.returncode == 0 for process in started)
    assert verifiers == {receipt_signer().verifier}
    assert [path.name for path in keys.iterdir()] == ["receipt.key"]


@pytest.mark.parametrize("text", ["", "not a key", "ab" * 31, "ab" * 33, "zz" * 32])
def test_a_file_that_is_no_key_is_refused_and_left_as_it_is(keys: Path, text: str) -> None:
    keys.mkdir()
    key_path("receipts").write_text(text, encoding="ascii")
    with pytest.raises(KeyUnreadable, match=r"receipt\.key"):
        receipt_signer()
    assert key_path("receipts").read_text(encoding="ascii") == text


def test_bytes_that_are_no_text_are_no_key(keys: Path) -> None:
    keys.mkdir()
    key_path("receipts").write_bytes(b"\xff" * 32)
    with pytest.raises(KeyUnreadable):
        receipt_signer()


def test_a_key_that_was_replaced_is_taken_up_by_a_process_that_runs(keys: Path) -> None:
    first = receipt_signer().verifier
    key_path("receipts").unlink()
    key_path("receipts").write_text("ab" * 32, encoding="ascii")
    assert receipt_signer().verifier != first
