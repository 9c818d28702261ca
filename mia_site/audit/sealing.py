"""Sealing: entries that wait get their place in the ledger, and a signed checkpoint says so.

One sealer at a time, by a lock that its transaction holds. It takes what is pending, never "everything after the last
one": a late commit is still in the queue, and a rollback was never there. Leaves, tiles, checkpoint and the queue
change in one transaction; the checkpoint is published after it. A sealer that dies in between leaves a published
checkpoint that is older than the database, which the next one extends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

import structlog
from django.db import connection, transaction

from mia_site.audit.checkpoint import Gap, Head
from mia_site.audit.key_facts import keys_declare, verifier_keys
from mia_site.audit.keys import CHECKPOINTS, checkpoint_signer, origin
from mia_site.audit.ledger import gaps, growth_of, head, tree_of
from mia_site.audit.ledger_health import unsealed_seconds
from mia_site.audit.models import Checkpoint, LedgerLeaf, PendingEntry, Tile
from mia_site.audit.models.ledger import tile_place
from mia_site.audit.publishing import publish, published_newest
from mia_site.audit.queue import queue_place
from mia_site.audit.receipts import PROMISE
from mia_site.audit.tree import FullTile, Growth
from mia_site.ops.alerts import alert_raise, alert_raise_outside
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7_time
from mia_site.ops.retry import Deadline
from mia_site.ops.timings import timed

log = structlog.get_logger(__name__)
SEAL_LOCK = 0x4D49_4103
"""Key of the sealer's PostgreSQL advisory lock; on SQLite the write transaction is the lock."""
BATCH = 4_000
LATE = timedelta(minutes=5)
"""How far behind what is sealed already an entry's time may lie: longer than any transaction of the desk takes."""


class SealRefused(RuntimeError):
    """What is in the database does not extend what was signed before: nothing more is signed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many entries got their place, and how large the tree is now."""

    count: int = 0
    size: int = 0


def seal_pending(*, seconds: float = 20.0, batch: int = BATCH) -> Sealed:
    """Seals what waits, batch after batch, for at most about `seconds`.

    Raises `SealRefused` after a priority-5 alert. Does nothing while another sealer is at work.
    """
    if not PendingEntry.objects.exists():
        return Sealed()
    _late_check()
    deadline = Deadline(seconds)
    keys_declare(CHECKPOINTS)
    total = Sealed()
    while deadline.remaining() > 0:
        try:
            with timed("seal_pending"):
                step = _seal(batch)
        except SealRefused as error:
            log.exception("seal_refused")
            alert_raise_outside("seal_refused", priority=5, params={"problem": str(error)})
            raise
        if step is None or not step.count:
            break
        total = Sealed(total.count + step.count, step.size)
        if step.count < batch:
            break
    return total


def _late_check() -> None:
    """Tells on the desk itself: receipts promised more than was kept."""
    age, promise = int(unsealed_seconds()), int(PROMISE.total_seconds())
    if age > promise:
        alert_raise("seal_late", priority=4, params={"seconds": age, "promise": promise})


def _seal(batch: int) -> Sealed | None:
    """One batch; None where another sealer is at work."""
    with transaction.atomic():
        if not _lock():
            return None
        newest, declared = head(), gaps()
        growth = growth_of(newest.size if newest else 0)
        _extension_check(newest, growth, declared)
        last = LedgerLeaf.objects.order_by("-index").values_list("entry_id", flat=True).first()
        placed = queue_place(growth.size, batch)
        if placed.again:
            alert_raise("sealed_twice", priority=4, params={"entries": placed.again})
        if not placed.leaves:
            return Sealed(0, growth.size)
        now = database_now()
        _time_check(growth.size, last, newest, now)
        told, note = _sign(growth, placed.leaves, newest, now, declared)
    _publish(told, note)
    return Sealed(len(placed.leaves), growth.size)


def _lock() -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        return bool(cursor.fetchone()[0])


def _extension_check(newest: Checkpoint | None, growth: Growth, declared: tuple[Gap, ...]) -> None:
    """Raises `SealRefused` unless leaves, tiles and checkpoints agree, and extend what was published outside."""
    if newest is not None and growth.root() != bytes(newest.root):
        raise SealRefused(f"the leaves no longer lead to the root of checkpoint {newest.size}")
    if newest is None and LedgerLeaf.objects.exists():
        raise SealRefused("there are leaves, and no checkpoint")
    if LedgerLeaf.objects.filter(index__gte=growth.size).exists():
        raise SealRefused(f"there are leaves after checkpoint {growth.size}")
    published = published_newest(verifier_keys())
    if published is not None:
        _outside_check(published[0], growth.size, declared)


def _outside_check(outside: Head, size: int, declared: tuple[Gap, ...]) -> None:
    """Against the newest checkpoint outside, or, right after a declared restore, against what the declaration names."""
    kept, root = outside.size, outside.root
    if declared[: len(outside.gaps)] != outside.gaps:
        raise SealRefused("a restore that was declared outside is not in this database")
    if len(declared) > len(outside.gaps):
        gap = declared[len(outside.gaps)]
        if (gap.lost, gap.root) != (outside.size, outside.root):
            raise SealRefused(f"the declared restore is from another checkpoint than the published {outside.size}")
        return
    if kept > size:
        raise SealRefused(f"checkpoint {kept} was published, and this database holds {size} leaves")
    if tree_of(size).root(kept) != root:
        raise SealRefused(f"the first {kept} leaves are not those of the published checkpoint")


def _time_check(start: int, last: UUID | None, newest: Checkpoint | None, now: datetime) -> None:
    """An entry far older than what is sealed was written with a clock set back, or by somebody who dates it back.

    Looks at the leaves from `start` on, oldest first: as a rule at one.
    """
    if newest is None or last is None:
        return
    earliest = min(uuid7_time(last), newest.sealed_at) - LATE
    placed = LedgerLeaf.objects.filter(index__gte=start).order_by("index").values_list("entry_id", flat=True)
    late = list(takewhile(lambda entry_id: uuid7_time(entry_id) < earliest, placed.iterator(chunk_size=100)))
    if late or now < newest.sealed_at - LATE:
        alert_raise(
            "clock_set_back",
            priority=5,
            params={
                "entries": len(late),
                "first": str(late[0]) if late else "",
                "sealed": newest.sealed_at.isoformat(),
            },
        )


def _sign(
    growth: Growth, leaves: Sequence[bytes], newest: Checkpoint | None, now: datetime, declared: tuple[Gap, ...]
) -> tuple[Head, str]:
    full = growth.add(leaves)
    told = Head(origin=origin(), size=growth.size, root=growth.root(), at=now, gaps=declared)
    note = checkpoint_signer().sign(told.text())
    Tile.objects.bulk_create([_tile(tile) for tile in full])
    Checkpoint.objects.create(
        number=newest.number + 1 if newest else 1, size=told.size, root=told.root, sealed_at=now, note=note
    )
    return told, note


def _tile(full: FullTile) -> Tile:
    return Tile(place=tile_place(full.level, full.index), root=full.root, hashes=b"".join(full.hashes))


def _publish(told: Head, note: str) -> None:
    """A folder that cannot be written stops nothing: the next seal publishes for this one too."""
    try:
        publish(told, note)
    except OSError as error:
        log.exception("checkpoint_not_published", size=told.size)
        alert_raise_outside("checkpoint_not_published", priority=4, params={"error": str(error)})
