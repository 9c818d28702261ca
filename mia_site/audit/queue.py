"""From the queue to the ledger: the database moves the rows itself, so that sealing costs the writers little."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from mia_site.audit.merkle import hashes_split
from mia_site.audit.models import LedgerLeaf

MOVE = """
    WITH taken AS (
        DELETE FROM audit_pendingentry
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit_pendingentry ORDER BY entry_id LIMIT %s))
        RETURNING entry_id, leaf_hash
    ), placed AS (
        INSERT INTO audit_ledgerleaf ("index", entry_id, leaf_hash)
        SELECT %s + row_number() OVER (ORDER BY entry_id) - 1, entry_id, leaf_hash FROM taken
        WHERE NOT EXISTS (SELECT 1 FROM audit_ledgerleaf earlier WHERE earlier.entry_id = taken.entry_id)
        RETURNING "index", leaf_hash
    )
    SELECT (SELECT count(*) FROM taken), (SELECT string_agg(leaf_hash, ''::bytea ORDER BY "index") FROM placed)
"""
"""PostgreSQL: one statement and one answer of a row. An entry that has its place already (somebody queued it a second
time) keeps it. `ctid`: the rows just found, with no second way through the index."""
PLACE = """
    INSERT INTO audit_ledgerleaf ("index", entry_id, leaf_hash)
    SELECT %s + row_number() OVER (ORDER BY oldest.entry_id) - 1, oldest.entry_id, oldest.leaf_hash
    FROM (SELECT entry_id, leaf_hash FROM audit_pendingentry ORDER BY entry_id LIMIT %s) oldest
    WHERE NOT EXISTS (SELECT 1 FROM audit_ledgerleaf placed WHERE placed.entry_id = oldest.entry_id)
"""
"""SQLite has one writer: what it places here is what it clears next."""
CLEAR = """
    DELETE FROM audit_pendingentry
    WHERE entry_id IN (SELECT entry_id FROM audit_pendingentry ORDER BY entry_id LIMIT %s)
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """Leaf hashes in the order of their new places; `again`: how many entries were queued a second time."""

    leaves: Sequence[bytes]
    again: int


def queue_place(start: int, count: int) -> Placed:
    """Gives the oldest `count` entries that wait the places from `start` on, in the caller's transaction."""
    taken, leaves = _moved(start, count) if connection.vendor == "postgresql" else _placed(start, count)
    return Placed(leaves, taken - len(leaves))


def _moved(start: int, count: int) -> tuple[int, list[bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [count, start])
        taken, joined = cursor.fetchone()
    return taken, hashes_split(joined or b"")


def _placed(start: int, count: int) -> tuple[int, list[bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(PLACE, [start, count])
        cursor.execute(CLEAR, [count])
        taken = cursor.rowcount
    placed = LedgerLeaf.objects.filter(index__gte=start).order_by("index")
    return taken, [bytes(leaf) for leaf in placed.values_list("leaf_hash", flat=True)]
