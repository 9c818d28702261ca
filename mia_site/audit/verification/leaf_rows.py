"""Leaves with their entries, in the order of their places: read by the million, so as plain as a driver gives them."""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection

Row = tuple[int, bytes, bytes, bytes | None, bytes | None]
"""A leaf's place, entry id and hash; its entry's leaf hash and canonical text, both None where there is no entry."""
COPY_OUT = """
    COPY (
        SELECT leaf."index", uuid_send(leaf.entry_id), leaf.leaf_hash, entry.leaf_hash, entry.body
        FROM audit_ledgerleaf leaf
        LEFT JOIN LATERAL (
            SELECT leaf_hash, body FROM audit_entry WHERE id = leaf.entry_id OFFSET 0
        ) entry ON TRUE
        WHERE leaf."index" >= %s AND leaf."index" < %s ORDER BY leaf."index"
    ) TO STDOUT (FORMAT BINARY)
"""
"""COPY, because the server sends on while we hash. OFFSET 0 keeps the planner from flattening the inner query: it
would hash all entries and sort the stretch, which costs twice as much as looking up one entry after the other."""
COPIED = ["int8", "bytea", "bytea", "bytea", "bytea"]
"""Text is sent as its UTF-8 bytes, which is what is hashed."""
SELECT = """
    SELECT leaf."index", leaf.entry_id, leaf.leaf_hash, entry.leaf_hash, CAST(entry.body AS BLOB)
    FROM audit_ledgerleaf leaf LEFT JOIN audit_entry entry ON entry.id = leaf.entry_id
    WHERE leaf."index" >= %s AND leaf."index" < %s ORDER BY leaf."index"
"""


def leaf_rows(start: int, end: int) -> Iterator[Row]:
    """The leaves whose places are in [start, end). The connection is busy until the last was taken."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(COPY_OUT, [start, end]) as copy:
                copy.set_types(COPIED)
                yield from copy.rows()
        else:
            cursor.execute(SELECT, [start, end])
            for place, entry_id, *rest in cursor:
                yield (place, bytes.fromhex(entry_id), *rest)


def leaf_name(place: int, entry_id: bytes) -> str:
    """How findings name a leaf."""
    return f"entry {UUID(bytes=entry_id)} (leaf {place})"
