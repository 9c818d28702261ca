"""Signing keys: files outside the database, 0600, made on first use."""

import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from mia_site.audit.note import Signer


class KeyUnreadable(RuntimeError):
    """The key file exists and is not a 32-byte Ed25519 seed; a new one is never made over it."""


def _seed(path: Path) -> bytes:
    """The 32-byte seed (hex) in `path`. Processes that start together agree: the file appears whole, and once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return _seed(path)
        finally:
            draft.unlink()
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise KeyUnreadable(f"{path} is not a hexadecimal key") from error
    if len(seed) != 32:
        raise KeyUnreadable(f"{path} holds {len(seed)} bytes; expected 32")
    return seed


@lru_cache(maxsize=8)
def _signer(name: str, path: Path) -> Signer:
    return Signer(name=name, private_key=Ed25519PrivateKey.from_private_bytes(_seed(path)))


def receipt_signer() -> Signer:
    """The key of the web process: it promises, it does not seal."""
    return _signer(f"{settings.SITE_NAME}/receipts", Path(settings.KEYS_DIR) / "receipt.key")
