"""A sealed ledger of any size: one fact written by the journal, copied inside the server, sealed by the sealer.

A copy differs from the first in its id alone, wherever that stands in the canonical text, and has the leaf hash of
its own text: deep verification takes it for what the journal would have written.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.audit.key_facts import keys_declare
from mia_site.audit.keys import CHECKPOINTS
from mia_site.audit.ledger import head
from mia_site.audit.models import ClockReading, PendingEntry
from mia_site.audit.sealing import seal_pending

TABLES = (
    "audit_entry", "audit_pendingentry", "audit_ledgerleaf", "audit_tile", "audit_checkpoint", "audit_clockreading",
    "audit_signingkey",
)  # fmt: skip
ACTOR = Actor("system", "bench")
WHY = "a reason of a sentence's length " * 10
IDS = "SELECT n, left(%(id)s, 24) || lpad(to_hex(n), 12, '0') AS id FROM generate_series(1, %(count)s) n"
"""Of the same millisecond as the first's, and in order: what is random in a UUIDv7 counts here."""
FACTS = f"""
    INSERT INTO audit_clockreading (
        id, recorded_at, synchronised, database_offset_ms, broker_offset_ms, within_limit
    )
    SELECT copy.id::uuid, recorded_at, synchronised, database_offset_ms, broker_offset_ms, within_limit
    FROM audit_clockreading first, ({IDS}) copy WHERE first.id = %(id)s::uuid
"""
ENTRIES = f"""
    WITH copies AS (
        SELECT copy.id, recorded_at, kind, object_type, account, actor, why, request_id,
            replace(body, %(id)s, copy.id) AS body
        FROM audit_entry first, ({IDS}) copy WHERE first.id = %(id)s::uuid
    ), written AS (
        INSERT INTO audit_entry (
            id, recorded_at, kind, object_type, object_id, account, actor, why, request_id, body, leaf_hash
        )
        SELECT id::uuid, recorded_at, kind, object_type, id, account, actor, why, request_id, body,
            sha256('\\x00'::bytea || convert_to(body, 'UTF8'))
        FROM copies RETURNING id, leaf_hash
    )
    INSERT INTO audit_pendingentry (entry_id, leaf_hash) SELECT id, leaf_hash FROM written
"""


def ledger_empty() -> None:
    """Takes everything out again; triggers are off meanwhile, which only the owner of the tables can do."""
    _run(*(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in TABLES), f"TRUNCATE {', '.join(TABLES)}")
    for path in settings.CHECKPOINTS_DIR.rglob("*.note"):
        path.unlink()


def ledger_fill(size: int) -> None:
    """As many more facts, with their entries and places, as make a ledger of `size` leaves."""
    keys_declare(CHECKPOINTS)
    _seal()
    newest = head()
    missing = size - (newest.size if newest else 0)
    if missing > 0:
        _copy(missing - 1)
    _run("ANALYZE")
    _seal()
    _run("ANALYZE")


def _copy(count: int) -> None:
    first = ClockReading(synchronised=True, database_offset_ms=0.125, within_limit=True)
    with transaction.atomic():
        facts_record([first], actor=ACTOR, why=WHY)
        _run(FACTS, ENTRIES, id=first.id, count=count)


def _seal() -> None:
    while PendingEntry.objects.exists():
        seal_pending(seconds=60)


def _run(*statements: str, id: UUID | None = None, count: int = 0) -> None:
    values: dict[str, Any] | None = None if id is None else {"id": str(id), "count": count}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)


def entry_bytes() -> float:
    """Mean length of an entry's canonical text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT avg(length(body)) FROM (SELECT body FROM audit_entry LIMIT 1000) AS sample")
        row: tuple[float] = cursor.fetchone()
    return float(row[0])
