"""A sealed ledger of any size, filled by COPY: what the writers and the sealer would have made, only sooner."""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection
from django.db.models import Model

from mia_site.audit.actors import Actor
from mia_site.audit.checkpoint import Head
from mia_site.audit.journal import _entry, canonical_fields
from mia_site.audit.key_facts import keys_declare
from mia_site.audit.keys import CHECKPOINTS, checkpoint_signer, origin
from mia_site.audit.ledger import growth_of, head
from mia_site.audit.models import Checkpoint, ClockReading, Entry, LedgerLeaf, Tile
from mia_site.audit.models.ledger import tile_place
from mia_site.audit.sealing import seal_pending
from mia_site.ops.clock import database_now

TABLES = (
    "audit_entry", "audit_pendingentry", "audit_ledgerleaf", "audit_tile", "audit_checkpoint", "audit_clockreading",
    "audit_signingkey",
)  # fmt: skip
CHUNK = 20_000
ACTOR = Actor("system", "bench")


def ledger_empty() -> None:
    """Takes everything out again; triggers are off meanwhile, which only the owner of the tables can do."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
    for path in settings.CHECKPOINTS_DIR.rglob("*.note"):
        path.unlink()


def ledger_fill(count: int) -> None:
    """`count` more facts with entries and places, a checkpoint for each chunk."""
    seal_pending()
    keys_declare(CHECKPOINTS)
    while count > 0:
        _chunk(min(count, CHUNK))
        count -= CHUNK
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _chunk(count: int) -> None:
    newest = head()
    start, now = (newest.size if newest else 0), database_now()
    facts = [
        ClockReading(synchronised=True, database_offset_ms=0.125, within_limit=True, recorded_at=now)
        for _ in range(count)
    ]
    entries = [
        _entry(
            id=fact.id, kind=fact.kind, object_type=fact._meta.label_lower, object_id=str(fact.id),
            fact=canonical_fields(fact), at=now, actor=ACTOR, why="a reason of a sentence's length " * 10, account="",
            request_id="",
        )
        for fact in facts
    ]  # fmt: skip
    entries.sort(key=lambda entry: entry.id)
    growth = growth_of(start)
    full = growth.add([bytes(entry.leaf_hash) for entry in entries])
    _copy(ClockReading, facts)
    _copy(Entry, entries)
    leaves = [
        LedgerLeaf(index=start + place, entry_id=entry.id, leaf_hash=entry.leaf_hash)
        for place, entry in enumerate(entries)
    ]
    _copy(LedgerLeaf, leaves)
    tiles = [
        Tile(place=tile_place(tile.level, tile.index), root=tile.root, hashes=b"".join(tile.hashes)) for tile in full
    ]
    _copy(Tile, tiles)
    told = Head(origin(), growth.size, growth.root(), now)
    note = checkpoint_signer().sign(told.text())
    number = newest.number + 1 if newest else 1
    Checkpoint.objects.create(number=number, size=told.size, root=told.root, sealed_at=now, note=note)


def _copy(model: type[Model], rows: Sequence[Model]) -> None:
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([getattr(row, field.attname) for field in fields])


def entry_bytes() -> float:
    """Mean length of an entry's canonical text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT avg(length(body)) FROM (SELECT body FROM audit_entry LIMIT 1000) AS sample")
        row: tuple[float] = cursor.fetchone()
    return float(row[0])
