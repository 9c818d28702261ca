"""Keys in the record: which verifier keys the desk has used, each endorsed by the one before it."""

from collections.abc import Iterator

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.audit.keys import CHECKPOINTS, FILES, Purpose, key_path, seed_install, seed_stage, signer
from mia_site.audit.models import SigningKey

DECLARER = Actor("system", "keys")


def endorsement_text(name: str, vkey: str) -> str:
    """What an old key signs about its successor."""
    return f"{name}\nendorses its successor\n{vkey}\n"


def keys_declare(*purposes: Purpose, actor: Actor = DECLARER) -> list[SigningKey]:
    """Records the keys in use (of all purposes, if none are named) that the record does not know yet."""
    declared = []
    for purpose in purposes or tuple(FILES):
        vkey = signer(purpose).verifier
        if not SigningKey.objects.filter(vkey=vkey).exists():
            declared.append(_declare(purpose, vkey, "", actor, why="first use"))
    return declared


def _declare(purpose: Purpose, vkey: str, endorsement: str, actor: Actor, *, why: str) -> SigningKey:
    key = SigningKey(purpose=purpose, vkey=vkey, endorsement=endorsement)
    with transaction.atomic():
        facts_record([key], actor=actor, why=why)
    return key


def key_rotate(purpose: Purpose, *, actor: Actor, reason: str) -> SigningKey:
    """A new key for `purpose` from now on; the old one endorses it and is kept beside it.

    Recorded before it is in use: a process that dies between leaves a declared key that never signed.
    """
    keys_declare(purpose, actor=actor)
    old = signer(purpose)
    draft, new = seed_stage(purpose)
    endorsement = old.sign(endorsement_text(old.name, new.verifier))
    key = _declare(purpose, new.verifier, endorsement, actor, why=reason)
    seed_install(purpose, draft)
    return key


def verifier_keys(purpose: Purpose = CHECKPOINTS) -> list[str]:
    """Every verifier key that ever signed for `purpose`, the newest first."""
    return list(SigningKey.objects.filter(purpose=purpose).order_by("-id").values_list("vkey", flat=True))


def bootstrap_keys() -> Iterator[str]:
    """A step of each start of the desk: keys are there, closed to others, and in the record."""
    for purpose in FILES:
        signer(purpose)
        key_path(purpose).chmod(0o600)
    for key in keys_declare():
        yield key.vkey
