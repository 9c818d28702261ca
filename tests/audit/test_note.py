"""Signed notes against the published key and note, and against whoever would forge one."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mia_site.audit.note import NoteError, Signer, key_id, open_note, parse_verifier

# golang.org/x/mod/sumdb/note, note_test.go: the example key of the format, and the note that it signed.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n— PeterNeumann {SIGNATURE}\n"
PETER = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(SEED))
EVE = Signer("Eve", Ed25519PrivateKey.from_private_bytes(b"e" * 32))


def test_the_published_key_signs_the_published_note() -> None:
    assert PETER.verifier == VKEY
    assert PETER.sign(TEXT) == NOTE


def test_the_published_note_opens_with_the_published_key() -> None:
    assert open_note(NOTE, VKEY) == TEXT
    name, public = parse_verifier(VKEY)
    assert (name, key_id(name, public).hex()) == ("PeterNeumann", "c74f20a3")


def test_a_key_that_was_changed_or_cut_anywhere_is_no_key() -> None:
    for place in range(len(VKEY)):
        changed = VKEY[:place] + chr(ord(VKEY[place]) + 1) + VKEY[place + 1 :]
        for mangled in (changed, VKEY[:place], VKEY[place + 1 :]):
            with pytest.raises(NoteError):
                parse_verifier(mangled)


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # a key that is too long
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # an algorithm that nobody knows
        "",
        "+",
        "++",
    ],
)
def test_a_key_of_another_length_or_kind_is_no_key(vkey: str) -> None:
    with pytest.raises(NoteError):
        parse_verifier(vkey)


def test_a_note_that_was_changed_anywhere_does_not_open() -> None:
    for place in range(len(NOTE) - 1):
        changed = NOTE[:place] + chr(ord(NOTE[place]) ^ 1) + NOTE[place + 1 :]
        with pytest.raises(NoteError):
            open_note(changed, VKEY)


def test_a_note_by_somebody_else_does_not_open() -> None:
    with pytest.raises(NoteError, match="no signature by PeterNeumann"):
        open_note(EVE.sign(TEXT), VKEY)


def test_a_note_by_somebody_else_under_the_same_name_does_not_open() -> None:
    forger = Signer("PeterNeumann", EVE.private_key)
    with pytest.raises(NoteError, match="no signature by PeterNeumann"):
        open_note(forger.sign(TEXT), VKEY)


def test_a_signature_of_another_text_under_the_right_key_id_is_a_forgery() -> None:
    with pytest.raises(NoteError, match="does not match"):
        open_note(NOTE.replace("answer", "question"), VKEY)


def test_other_signatures_beside_the_right_one_are_no_matter() -> None:
    before, after = EVE.sign(TEXT), PETER.sign(TEXT).partition("\n\n")[2]
    assert open_note(before + after, VKEY) == TEXT
    assert open_note(before + after, EVE.verifier) == TEXT


@pytest.mark.parametrize("note", ["", "\n", TEXT, f"{TEXT}\n", f"— PeterNeumann {SIGNATURE}\n", NOTE.replace("—", "-")])
def test_what_is_no_note_does_not_open(note: str) -> None:
    with pytest.raises(NoteError):
        open_note(note, VKEY)


def test_text_that_ends_without_a_line_is_not_signed() -> None:
    with pytest.raises(NoteError, match="newline"):
        PETER.sign("no end")


LINES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=5)


@given(LINES)
def test_whatever_is_signed_opens_again(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    assert open_note(EVE.sign(text), EVE.verifier) == text


@given(LINES, LINES)
def test_a_signature_never_opens_another_text(one: list[str], other: list[str]) -> None:
    signed, text = EVE.sign("\n".join(one) + "\n"), "\n".join(other) + "\n"
    forged = f"{text}\n{signed.rpartition(chr(10) * 2)[2]}"
    if one != other:
        with pytest.raises(NoteError):
            open_note(forged, EVE.verifier)
