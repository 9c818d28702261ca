"""Signing keys: files outside the database, 0600, made on first use."""

import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from mia_site.audit.note import Signer, key_id

Purpose = Literal["receipts", "checkpoints"]
RECEIPTS: Purpose = "receipts"
CHECKPOINTS: Purpose = "checkpoints"
FILES: dict[Purpose, str] = {RECEIPTS: "receipt.key", CHECKPOINTS: "checkpoint.key"}


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
def _signer(name: str, path: Path, changed: int) -> Signer:  # noqa: ARG001 - part of the cache's key
    """`changed` is the file's time of change: a rotated key is taken up by processes that run."""
    return Signer(name=name, private_key=Ed25519PrivateKey.from_private_bytes(_seed(path)))


def key_path(purpose: Purpose) -> Path:
    """Where the private key is."""
    return Path(settings.KEYS_DIR) / FILES[purpose]


def signer(purpose: Purpose) -> Signer:
    """The key in use for `purpose`. Made on first use; raises `KeyUnreadable`."""
    name, path = key_name(purpose), key_path(purpose)
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        _seed(path)
        changed = path.stat().st_mtime_ns
    return _signer(name, path, changed)


def key_name(purpose: Purpose) -> str:
    """Checkpoints are signed in the ledger's own name (its origin), promises in another."""
    return origin() if purpose == CHECKPOINTS else f"{origin()}/{purpose}"


def origin() -> str:
    """The ledger's name, the first line of each checkpoint."""
    return str(settings.SITE_NAME)


def receipt_signer() -> Signer:
    """The key of the web process: it promises, it does not seal."""
    return signer(RECEIPTS)


def checkpoint_signer() -> Signer:
    """The sealer's key; no other process asks for it."""
    return signer(CHECKPOINTS)


def seed_stage(purpose: Purpose) -> tuple[Path, Signer]:
    """A new key beside the one in use, not yet in its place."""
    draft = key_path(purpose).with_name(f".{FILES[purpose]}.{secrets.token_hex(4)}")
    return draft, Signer(name=key_name(purpose), private_key=Ed25519PrivateKey.from_private_bytes(_seed(draft)))


def seed_install(purpose: Purpose, draft: Path) -> Path:
    """Puts a staged key in use; the old one is kept beside it. Returns where."""
    path, old = key_path(purpose), signer(purpose)
    kept = path.with_name(f"{path.stem}-{key_id(old.name, old.public_key).hex()}.retired")
    kept.unlink(missing_ok=True)
    os.link(path, kept)
    draft.replace(path)
    return kept
