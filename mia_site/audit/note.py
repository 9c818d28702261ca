"""C2SP signed notes with Ed25519 (https://c2sp.org/signed-note). Pure: text and keys in, text out.

A note is text that ends in a newline, an empty line, and signature lines ``— <key name> base64(key id || signature)``.
"""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM_ED25519 = b"\x01"
DASH = "\N{EM DASH}"


class NoteError(ValueError):
    """The text is no note, or its signature is not by the key it was checked against."""


def key_id(name: str, public_key: bytes) -> bytes:
    """Four bytes that name the key: SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + ALGORITHM_ED25519 + public_key).digest()[:4]


@dataclass(frozen=True, slots=True)
class Signer:
    """A named Ed25519 private key."""

    name: str
    private_key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        return self.private_key.public_key().public_bytes_raw()

    @property
    def verifier(self) -> str:
        """The verifier key as published (C2SP ``vkey``): ``name+hex key id+base64(0x01 || public key)``."""
        encoded = base64.b64encode(ALGORITHM_ED25519 + self.public_key).decode()
        return f"{self.name}+{key_id(self.name, self.public_key).hex()}+{encoded}"

    def sign(self, text: str) -> str:
        """`text` (ending in a newline) as a signed note."""
        if not text.endswith("\n"):
            raise NoteError("the text of a note ends in a newline")
        signature = key_id(self.name, self.public_key) + self.private_key.sign(text.encode())
        return f"{text}\n{DASH} {self.name} {base64.b64encode(signature).decode()}\n"


def parse_verifier(vkey: str) -> tuple[str, bytes]:
    """(name, public key) of a ``vkey``. Raises `NoteError`."""
    name, _, rest = vkey.strip().partition("+")
    identifier, _, encoded = rest.partition("+")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise NoteError("the verifier key is not base64") from error
    if raw[:1] != ALGORITHM_ED25519 or len(raw) != 33:
        raise NoteError("the verifier key is not an Ed25519 key")
    if key_id(name, raw[1:]).hex() != identifier:
        raise NoteError("the verifier key's id does not match its name and key")
    return name, raw[1:]


def open_note(note: str, vkey: str) -> str:
    """The text of `note` if the key `vkey` signed it. Raises `NoteError`."""
    name, public_key = parse_verifier(vkey)
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise NoteError("no signature block")
    text += "\n"
    wanted = key_id(name, public_key)
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        if dash != DASH or signer != name:
            continue
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise NoteError("a signature line is not base64") from error
        if raw[:4] != wanted:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise NoteError(f"the signature of {name} does not match the text") from error
        return text
    raise NoteError(f"no signature by {name}")
