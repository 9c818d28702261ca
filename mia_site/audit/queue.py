"""From the queue to the ledger: the database moves the rows itself, so that sealing costs the writers little."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

PLACE = """
    INSERT INTO audit_ledgerleaf ("index", entry_id, leaf_hash)
    SELECT %s + row_number() OVER (ORDER BY oldest.entry_id) - 1, oldest.entry_id, oldest.leaf_hash
    FROM (SELECT entry_id, leaf_hash FROM audit_pendingentry ORDER BY entry_id LIMIT %s) oldest
    WHERE NOT EXISTS (SELECT 1 FROM audit_ledgerleaf placed WHERE placed.entry_id = oldest.entry_id)
    RETURNING "index", entry_id, leaf_hash
"""
"""An entry that has its place already (somebody queued it a second time) keeps it."""
CLEAR = """
    DELETE FROM audit_pendingentry
    WHERE entry_id IN (SELECT entry_id FROM audit_pendingentry ORDER BY entry_id LIMIT %s)
    AND EXISTS (SELECT 1 FROM audit_ledgerleaf placed WHERE placed.entry_id = audit_pendingentry.entry_id)
"""
"""Only what has its place: an older entry that committed in between stays in the queue."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Entries and leaf hashes in the order of their new places; `again`: how many were queued a second time."""

    entry_ids: Sequence[UUID]
    leaves: Sequence[bytes]
    again: int


def queue_place(start: int, count: int) -> Placed:
    """Gives the oldest `count` entries that wait the places from `start` on, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE, [start, count])
        rows = sorted(cursor.fetchall())
        cursor.execute(CLEAR, [count])
        cleared = cursor.rowcount
    ids = [entry_id if isinstance(entry_id, UUID) else UUID(entry_id) for _index, entry_id, _leaf in rows]
    return Placed(ids, [bytes(leaf) for _index, _entry_id, leaf in rows], cleared - len(rows))
