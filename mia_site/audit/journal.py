"""The one door through which facts are written: the row, its journal entry and its place in the sealing queue,
together, in the caller's transaction. A fact that cannot be journalled is not written."""

import base64
import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import models, transaction
from structlog.contextvars import get_contextvars

from mia_site.audit.actors import Actor
from mia_site.audit.canonical import canonical_bytes, leaf_hash
from mia_site.audit.clock_state import clock_mark
from mia_site.audit.models import Entry, PendingEntry, PersonalData
from mia_site.ops.clock import database_now
from mia_site.ops.facts import Fact
from mia_site.ops.ids import uuid7

SCHEMA_VERSION = 1
BATCH = 500
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a receipt promises to include: the entry's id and the hash of its canonical bytes (32 bytes)."""

    entry_id: UUID
    leaf_hash: bytes


def _money(places: int, value: Any) -> str:
    scaled = Decimal(value).quantize(Decimal(1).scaleb(-places))
    return format(scaled or abs(scaled), "f")


def _base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode()


def _spelling(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """How a column's value is hashed: money at the column's scale, no zero below zero (a database keeps none), bytes
    as base64, dates by ISO 8601; None where the value is taken as it is."""
    if isinstance(field, models.DecimalField):
        return partial(_money, field.decimal_places)
    if isinstance(field, models.BinaryField):
        return _base64
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return date.isoformat
    return None


@cache
def _columns(model: type[models.Model]) -> Sequence[tuple[str, Callable[[Any], Any] | None]]:
    return [(field.attname, _spelling(field)) for field in model._meta.concrete_fields]


def canonical_fields(obj: models.Model) -> dict[str, Any]:
    """Every column of `obj` under its attribute name, ready for `canonical_bytes`."""
    values = {}
    for name, spell in _columns(type(obj)):
        value = getattr(obj, name)
        values[name] = value if spell is None or value is None else spell(value)
    return values


def _entry(
    *,
    id: UUID,
    kind: str,
    object_type: str,
    object_id: str,
    fact: Mapping[str, Any],
    at: datetime,
    actor: Actor,
    why: str,
    account: str,
    request_id: str,
    personal: str | None = None,
) -> Entry:
    body = canonical_bytes(
        {
            "v": SCHEMA_VERSION,
            "id": id,
            "kind": kind,
            "object": f"{object_type}:{object_id}",
            "account": account,
            "at": at,
            "actor": str(actor),
            "why": why,
            "request_id": request_id,
            "fact": fact,
            "clock": clock_mark(),
            **({} if personal is None else {"personal": personal}),
        }
    )
    return Entry(
        id=id,
        recorded_at=at,
        kind_name=kind,
        object_type=object_type,
        object_id=object_id,
        account=account,
        actor=str(actor),
        why=why,
        request_id=request_id,
        body=body.decode(),
        leaf_hash=leaf_hash(body),
    )


def _request_id() -> str:
    return str(get_contextvars().get("request_id", ""))[:64]


def _entries_write(entries: Sequence[Entry]) -> list[Leaf]:
    Entry.objects.bulk_create(entries, batch_size=BATCH)
    PendingEntry.objects.bulk_create(
        [PendingEntry(entry_id=entry.id, leaf_hash=entry.leaf_hash) for entry in entries], batch_size=BATCH
    )
    return [Leaf(entry.id, bytes(entry.leaf_hash)) for entry in entries]


def facts_record(
    facts: Iterable[Fact], *, actor: Actor, why: str = "", account: str = "", companions: Iterable[Fact] = ()
) -> list[Leaf]:
    """Writes `facts` (unsaved, `recorded_at` set by the caller or here) with one journal entry each.

    `companions` are facts without an entry of their own, since an entry of `facts` commits to them (a decision's
    feature vector, the points of a batch). Must run inside a transaction. Returns one `Leaf` per fact, in order.
    Raises `NotCanonical` where a value has no canonical form; then nothing is written.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("facts are recorded inside a transaction, with what they change")
    facts, companions = list(facts), list(companions)
    if not facts:
        return []
    now = None
    rows: dict[type[Fact], list[Fact]] = defaultdict(list)
    for fact in (*facts, *companions):
        if fact.recorded_at is None:
            now = now or database_now()
            fact.recorded_at = now
        rows[type(fact)].append(fact)
    request_id = _request_id()
    entries = [
        _entry(
            id=fact.id,
            kind=fact.kind,
            object_type=fact._meta.label_lower,
            object_id=str(fact.pk),
            fact=canonical_fields(fact),
            at=fact.recorded_at,
            actor=actor,
            why=why,
            account=account,
            request_id=request_id,
        )
        for fact in facts
    ]
    for model, batch in rows.items():
        model._default_manager.bulk_create(batch, batch_size=BATCH)
    return _entries_write(entries)


def change_record(
    obj: models.Model,
    *,
    action: str,
    actor: Actor,
    why: str = "",
    account: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> Leaf:
    """Journals what happened to an object that is not itself a fact (`action`: created, changed, issued, …).

    `personal` (a name, an address) is kept beside the entry, where it can be erased; the entry commits to it.
    """
    at, identifier = database_now(), uuid7()
    beside = None if personal is None else _personal(identifier, personal)
    entry = _entry(
        id=identifier,
        kind=action,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        at=at,
        actor=actor,
        why=why,
        account=account,
        request_id=_request_id(),
        fact={"before": before, "after": after},
        personal=None if beside is None else personal_commitment(beside),
    )
    with transaction.atomic():
        if beside is not None:
            beside.save(force_insert=True)
        return _entries_write([entry])[0]


def _personal(entry_id: UUID, data: Mapping[str, Any]) -> PersonalData:
    return PersonalData(entry_id=entry_id, salt=os.urandom(SALT_BYTES), data=dict(data))


def personal_commitment(row: PersonalData) -> str:
    """SHA-256(salt || canonical bytes), hexadecimal: what the entry holds of the personal data beside it."""
    return hashlib.sha256(bytes(row.salt) + canonical_bytes(row.data)).hexdigest()


def personal_erase(entry_ids: Iterable[UUID], *, actor: Actor, why: str) -> int:
    """Erases the personal data beside these entries, and records that it was done; returns how many there were."""
    with transaction.atomic():
        rows = PersonalData.objects.filter(entry_id__in=list(entry_ids))
        for row in rows:
            change_record(row, action="erased", actor=actor, why=why)
        return rows.delete()[0]
