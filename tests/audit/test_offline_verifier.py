"""verify_evidence.py by itself: the standard library only, on several Pythons, against the vectors of RFC 8032."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mia_site.audit.bundle import document_bytes
from mia_site.audit.evidence import evidence_of
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.merkle import root_of as root_of_leaves
from mia_site.audit.note import Signer
from mia_site.audit.offline import verify_evidence
from mia_site.audit.offline.verify_evidence import (
    L,
    NotProven,
    ed25519_verify,
    load,
    open_note,
    parse_vkey,
    root_of,
    verify,
)
from mia_site.audit.tree import Growth
from mia_site.ops.clock import database_now
from tests.audit.ledgers import decision_sealed, promise_broken

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]  # fmt: skip
SIGNER = Signer("desk.example", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032(key: str, message: str, signature: str) -> None:
    public, signed, data = bytes.fromhex(key), bytearray.fromhex(signature), bytes.fromhex(message)

    assert ed25519_verify(public, data, bytes(signed))
    assert not ed25519_verify(public, data + b"x", bytes(signed))
    signed[3] ^= 1
    assert not ed25519_verify(public, data, bytes(signed))


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), place=st.integers(0, 63))
def test_it_agrees_with_another_implementation(seed: bytes, message: bytes, place: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), bytearray(private.sign(message))

    assert ed25519_verify(public, message, bytes(signature))
    signature[place] ^= 0x10
    assert not ed25519_verify(public, message, bytes(signature))


def test_a_signature_in_its_second_spelling_is_refused() -> None:
    """S + L signs the same for whoever does not check the range (RFC 8032, 5.1.7)."""
    message = b"once"
    signature = SIGNER.private_key.sign(message)
    doubled = int.from_bytes(signature[32:], "little") + L

    assert ed25519_verify(SIGNER.public_key, message, signature)
    assert not ed25519_verify(SIGNER.public_key, message, signature[:32] + doubled.to_bytes(32, "little"))


def test_points_that_are_not_on_the_curve_and_odd_lengths_verify_nothing() -> None:
    assert not ed25519_verify(bytes([2]) + bytes(31), b"", bytes(64))
    assert not ed25519_verify(b"\xff" * 32, b"", bytes(64))
    assert not ed25519_verify(bytes(31), b"", bytes(64))
    assert not ed25519_verify(SIGNER.public_key, b"", bytes(63))


def test_a_note_of_another_writer_beside_ours_is_passed_over() -> None:
    other = Signer("witness.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    note = SIGNER.sign("a text\n")
    both = note + other.sign("a text\n").rpartition("\n\n")[2]

    assert open_note(both, [SIGNER.verifier]) == open_note(both, [other.verifier]) == "a text\n"
    with pytest.raises(NotProven, match="no signature"):
        open_note(note, [other.verifier])
    with pytest.raises(NotProven, match="does not match what was signed"):
        open_note(note.replace("a text", "a test"), [SIGNER.verifier])


def test_a_key_in_another_spelling_is_refused() -> None:
    name, identifier, encoded = SIGNER.verifier.split("+", 2)
    assert parse_vkey(SIGNER.verifier)[0] == name
    for wrong in (
        "", name, f"{name}+{identifier}", f"other+{identifier}+{encoded}", f"{name}+00000000+{encoded}",
        f"{name}+{identifier}+{encoded}=", f"{name}+{identifier}+{encoded[:-1]}", f"+{identifier}+{encoded}",
    ):  # fmt: skip
        with pytest.raises(NotProven):
            parse_vkey(wrong)


@given(start=st.integers(0, 70), more=st.integers(0, 70))
def test_a_root_out_of_subtrees_and_leaves_is_that_of_the_tree(start: int, more: int) -> None:
    leaves = [bytes([number]) * 32 for number in range(start + more)]
    growth, peaks, rest = Growth(0, []), [], start
    growth.add(leaves)
    place = 0
    while rest:
        width = 1 << (rest.bit_length() - 1)
        peaks.append(root_of_leaves(leaves[place : place + width]))
        place, rest = place + width, rest - width

    assert root_of(peaks, start, leaves[start:]) == growth.root() == root_of_leaves(leaves)


# The file


@pytest.fixture
def files(db: None, outside: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Evidence of a decision, and of a broken promise, as they are handed out."""
    kept, broken = tmp_path / "evidence.json", tmp_path / "broken.json"
    kept.write_bytes(document_bytes(evidence_of(decision_sealed().pk, database_now())))
    broken.write_bytes(document_bytes(promise_broken()[0]))
    return kept, broken


def test_a_byte_that_no_proof_covers_is_missed_too(files: tuple[Path, Path]) -> None:
    for path in files:
        data = path.read_bytes()
        place = data.index(b'"made_at": "') + 14
        changed = data[:place] + b"9" + data[place + 1 :]
        assert verify(load(data), verifier_keys()[:1])
        with pytest.raises(NotProven, match="at least one byte differs"):
            load(changed)
        with pytest.raises(NotProven, match="at least one byte differs"):
            load(data + b"\n")


def test_a_document_written_anew_is_judged_by_its_proofs_alone(files: tuple[Path, Path]) -> None:
    document = json.loads(files[0].read_bytes())
    with pytest.raises(NotProven, match="at least one byte differs"):
        load(json.dumps(document).encode())
    del document["sha256"]
    assert verify(load(json.dumps(document).encode()), verifier_keys()[:1])[0] == "VERIFIED"
    document["surprise"] = 1
    with pytest.raises(NotProven, match="'surprise'"):
        verify(document, verifier_keys()[:1])


def test_it_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(verify_evidence.__file__).read_text(encoding="utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)])
    }
    assert names <= set(sys.stdlib_module_names)


def pythons() -> list[str]:
    """Every Python 3.9 or later of this machine, one of each version; at least the one that runs this."""
    homes = sorted(Path.home().glob(".pyenv/versions/3.*/bin"))
    found = {sys.version_info[1]: sys.executable}
    for minor in range(9, 16):
        paths = [str(home) for home in homes if home.parent.name.startswith(f"3.{minor}.")]
        program = shutil.which(f"python3.{minor}", path=":".join(paths) or None)
        if program is not None:
            found.setdefault(minor, program)
    return list(found.values())


def test_it_runs_alone_on_every_python_that_is_here(files: tuple[Path, Path]) -> None:
    key = verifier_keys()[0]
    for program in pythons():
        for path, headline in zip(files, ("VERIFIED", "BROKEN PROMISE PROVEN"), strict=True):
            command = [program, "-I", "-S", "-W", "error", verify_evidence.__file__, str(path), "--key", key]
            told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            assert (told.returncode, told.stdout.partition("\n")[0]) == (0, headline), (program, told.stderr)
            command[-1] = verifier_keys("receipts")[0]
            assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 1
