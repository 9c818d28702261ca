"""Evidence: one self-contained document about one record, for somebody who has neither this software nor this database.

What the record refers to (limits, feature set) and what it commits to (a feature vector) is told by the apps that know:
they register here. `offline/verify_evidence.py` checks the documents.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mia_site.audit.canonical import timestamp
from mia_site.audit.journal import Leaf
from mia_site.audit.keys import CHECKPOINTS, RECEIPTS, origin
from mia_site.audit.ledger import NotSealedYet, head, tree_of
from mia_site.audit.models import Checkpoint, Continuation, Entry, LedgerLeaf, SigningKey
from mia_site.audit.note import open_note
from mia_site.audit.receipts import receipt_sign
from mia_site.audit.tree import Tree

EVIDENCE = "mia-risk-desk/evidence@v1"
BROKEN_PROMISE = "mia-risk-desk/broken-promise@v1"
MAX_LEAVES = 2_000_000
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Values that the record's `field` commits to: SHA-256(salt || data), hexadecimal. `told` explains the data."""

    field: str
    salt: bytes
    data: bytes
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Offer:
    named: Mapping[str, str]
    disclose: Callable[[UUID], Disclosure | None] | None


_offers: dict[str, _Offer] = {}


class EvidenceError(LookupError):
    """No evidence can be given, with the reason."""


def evidence_register(
    label: str, *, named: Mapping[str, str], disclose: Callable[[UUID], Disclosure | None] | None = None
) -> None:
    """For records of facts of `label`: `named` maps a column that holds another fact's id to what that is called."""
    _offers[label] = _Offer(named, disclose)


def evidence_of(entry_id: UUID, now: datetime) -> dict[str, Any]:
    """The document about one entry. Raises `EvidenceError`; `NotSealedYet` while the entry waits for the ledger."""
    entry = Entry.objects.filter(id=entry_id).first()
    if entry is None:
        raise EvidenceError(f"there is no entry {entry_id}")
    newest = head()
    if newest is None:
        raise NotSealedYet(str(entry_id))
    tree = tree_of(newest.size)
    offer = _offers.get(entry.object_type, _Offer({}, None))
    fact = json.loads(entry.body).get("fact") or {}
    others = [(name, UUID(fact[column]), column) for column, name in offer.named.items() if fact.get(column)]
    entries = [_shown("record", entry, None, tree)]
    entries += [_shown(name, _entry(identifier), column, tree) for name, identifier, column in others]
    disclosed = offer.disclose(entry_id) if offer.disclose else None
    return {
        "format": EVIDENCE,
        "made_at": timestamp(now),
        "origin": origin(),
        "checkpoint": newest.note,
        "entries": [*entries, *_supporting(tree)],
        "keys": _keys(),
        "sealed": _sealed(entries[0]["index"]),
        "receipt": receipt_sign([Leaf(entry.pk, bytes(entry.leaf_hash))], entry.recorded_at),
        "disclosed": None if disclosed is None else _disclosed(disclosed),
    }


def _entry(identifier: UUID) -> Entry:
    entry = Entry.objects.filter(id=identifier).first()
    if entry is None:
        raise EvidenceError(f"entry {identifier}, which the record names, is missing")
    return entry


def _shown(role: str, entry: Entry, named_by: str | None, tree: Tree) -> dict[str, Any]:
    leaf = LedgerLeaf.objects.filter(entry_id=entry.pk).first()
    if leaf is None or leaf.index >= tree.size:
        raise NotSealedYet(str(entry.pk))
    return {
        "role": role,
        "named_by": named_by,
        "record": entry.body,
        "index": leaf.index,
        "proof": _base64(tree.inclusion(leaf.index)),
    }


def _supporting(tree: Tree) -> Iterator[dict[str, Any]]:
    """Keys and restores that are sealed already; one that still waits says nothing about what is."""
    ids = [*SigningKey.objects.values_list("id", flat=True), *Continuation.objects.values_list("id", flat=True)]
    for entry in Entry.objects.filter(id__in=ids).order_by("id"):
        role = "signing key" if entry.kind_name == SigningKey.kind else "restore"
        try:
            yield _shown(role, entry, None, tree)
        except NotSealedYet:
            continue


def _keys() -> list[dict[str, str]]:
    rows = SigningKey.objects.filter(purpose=CHECKPOINTS).order_by("id")
    return [{"vkey": row.vkey, "endorsement": row.endorsement} for row in rows]


def _sealed(index: int) -> dict[str, Any]:
    """The first checkpoint that holds the leaf, and the proof for its tree."""
    first = Checkpoint.objects.filter(size__gt=index).order_by("size").first()
    if first is None:
        raise NotSealedYet(str(index))
    return {"checkpoint": first.note, "proof": _base64(tree_of(first.size).inclusion(index))}


def _disclosed(disclosure: Disclosure) -> dict[str, Any]:
    [salt, data] = _base64([disclosure.salt, disclosure.data])
    return {"field": disclosure.field, "salt": salt, "data": data, **disclosure.told}


def _base64(values: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in values]


@dataclass(frozen=True, slots=True)
class Promise:
    """A receipt, read: when it was given, until when it was to be kept, and the leaf hash of each entry."""

    issued: datetime
    until: datetime
    leaves: Mapping[UUID, bytes]


def promise_read(note: str) -> Promise:
    """The promise in a receipt that one of the desk's keys signed. Raises `EvidenceError`."""
    for vkey in SigningKey.objects.filter(purpose=RECEIPTS).values_list("vkey", flat=True):
        try:
            lines = open_note(note, vkey).splitlines()
            leaves = dict(line.split(" ", 1) for line in lines[4:])
            return Promise(
                datetime.fromisoformat(lines[1].removeprefix("issued ")),
                datetime.fromisoformat(lines[2].removeprefix("include-by ")),
                {UUID(entry): base64.b64decode(leaf) for entry, leaf in leaves.items()},
            )
        except (ValueError, IndexError):
            continue
    raise EvidenceError("this is no receipt that a key of this desk signed")


def broken_promise_of(note: str, now: datetime) -> dict[str, Any]:
    """The document that proves a receipt was not honoured. Raises `EvidenceError` where it was, or may still be."""
    promise = promise_read(note)
    kept = dict(LedgerLeaf.objects.filter(entry_id__in=list(promise.leaves)).values_list("entry_id", "leaf_hash"))
    if all(bytes(kept.get(entry, b"")) == leaf for entry, leaf in promise.leaves.items()):
        raise EvidenceError("the promise was kept: every entry of the receipt is in the ledger")
    before = Checkpoint.objects.filter(sealed_at__lte=promise.issued).order_by("-number").first()
    after = Checkpoint.objects.filter(sealed_at__gt=promise.until).order_by("number").first()
    if after is None:
        raise EvidenceError(
            f"the promise may still be kept, until {promise.until.isoformat()}, or nothing was sealed since"
        )
    start = before.size if before else 0
    if after.size - start > MAX_LEAVES:
        raise EvidenceError(f"more than {MAX_LEAVES} leaves lie between the checkpoints")
    tree = tree_of(after.size)
    leaves = LedgerLeaf.objects.filter(index__gte=start, index__lt=after.size).order_by("index")
    return {
        "format": BROKEN_PROMISE,
        "made_at": timestamp(now),
        "origin": origin(),
        "receipt": note,
        "before": before.note if before else None,
        "after": after.note,
        "peaks": _base64(tree.peaks(start)),
        "leaves": _base64([bytes(leaf) for leaf in leaves.values_list("leaf_hash", flat=True)]),
        "entries": list(_supporting(tree)),
        "keys": _keys(),
    }
