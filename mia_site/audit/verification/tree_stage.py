"""Canonical text against leaves, leaves against tiles, tiles against every retained checkpoint."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from mia_site.audit.canonical import leaf_hash
from mia_site.audit.ledger import HASH
from mia_site.audit.models import Checkpoint, LedgerLeaf, Tile
from mia_site.audit.models.ledger import LEVEL_SHIFT, tile_place
from mia_site.audit.sealing import LATE
from mia_site.audit.tree import FullTile, Growth
from mia_site.audit.verification.findings import Finding, Position, Stage, Step
from mia_site.ops.ids import uuid7_time

STRETCH = 8_192
ROWS = """
    SELECT leaf."index", leaf.entry_id, leaf.leaf_hash, entry.leaf_hash, entry.body
    FROM audit_ledgerleaf leaf LEFT JOIN audit_entry entry ON entry.id = leaf.entry_id
    WHERE leaf."index" >= %s AND leaf."index" < %s ORDER BY leaf."index"
"""


class _Row:
    """A leaf with its entry, as the database holds them."""

    __slots__ = ("body", "entry_hash", "entry_id", "index", "leaf")

    index: int
    body: str | None

    def __init__(self, row: Sequence[Any]) -> None:
        self.index, entry_id, leaf, entry_hash, self.body = row
        self.entry_id = entry_id if isinstance(entry_id, UUID) else UUID(entry_id)
        self.leaf = bytes(leaf)
        self.entry_hash = None if entry_hash is None else bytes(entry_hash)


def _rows(start: int) -> Iterator[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [start, start + STRETCH])
        yield from map(_Row, cursor.fetchall())


def tree_run(position: Position) -> Step:
    """The next `STRETCH` leaves. Where text and leaf differ, the tree is built on with the leaf."""
    start = int(position.get("index", 0))
    growth = Growth(start, [[bytes.fromhex(value) for value in tail] for tail in position.get("tails", [])])
    newest = datetime.fromisoformat(position["newest"]) if "newest" in position else None
    rows = list(_rows(start))
    findings = list(_gap_findings(rows, start))
    for row in rows:
        findings += _row_findings(row)
    newest = _time_findings(rows, newest, findings)
    broken = _grow(growth, rows, findings, broken=bool(position.get("broken")))
    if not rows:
        findings += _end_findings(start)
        return Step(None, 0, findings)
    following = {
        "index": rows[-1].index + 1,
        "tails": [[value.hex() for value in tail] for tail in growth.tails()],
        "broken": broken,
        **({} if newest is None else {"newest": newest.isoformat()}),
    }
    return Step(following, len(rows), findings)


def _gap_findings(rows: Sequence[_Row], start: int) -> Iterator[Finding]:
    expected = start
    for row in rows:
        if row.index != expected:
            yield Finding("leaf_missing", f"leaf {expected}", "index", str(expected), str(row.index))
        expected = row.index + 1


def _row_findings(row: _Row) -> list[Finding]:
    where = f"entry {row.entry_id} (leaf {row.index})"
    if row.body is None:
        return [Finding("entry_missing", where, "", row.leaf.hex(), "")]
    found = leaf_hash(row.body.encode())
    if found == row.leaf == row.entry_hash:
        return []
    if found != row.leaf:
        return [Finding("text_changed", where, "body", f"text with leaf hash {row.leaf.hex()}", found.hex())]
    return [Finding("column_changed", where, "leaf_hash", row.leaf.hex(), (row.entry_hash or b"").hex())]


def _time_findings(rows: Sequence[_Row], newest: datetime | None, findings: list[Finding]) -> datetime | None:
    """Entries are sealed in the order of their ids, which hold their time: one far behind was dated back."""
    for row in rows:
        at = uuid7_time(row.entry_id)
        if newest is not None and at < newest - LATE:
            where = f"entry {row.entry_id} (leaf {row.index})"
            findings.append(Finding("dated_back", where, "id", f"not before {newest - LATE}", str(at)))
        newest = at if newest is None else max(newest, at)
    return newest


def _grow(growth: Growth, rows: Sequence[_Row], findings: list[Finding], *, broken: bool) -> bool:
    """Takes the leaves in, stops at each checkpoint to compare; after the first that differs, all later ones do."""
    if not rows:
        return broken
    start, end = growth.size, growth.size + len(rows)
    checkpoints = Checkpoint.objects.filter(size__gt=start, size__lte=end).order_by("size")
    full: list[FullTile] = []
    done = 0
    for size, root in checkpoints.values_list("size", "root"):
        full += growth.add([row.leaf for row in rows[done : size - start]])
        done = size - start
        if not broken and growth.root() != bytes(root):
            broken = True
            findings.append(
                Finding("root_differs", f"checkpoint {size}", "root", bytes(root).hex(), growth.root().hex())
            )
    full += growth.add([row.leaf for row in rows[done:]])
    findings += _tile_findings(full)
    return broken


def _tile_findings(full: Sequence[FullTile]) -> Iterator[Finding]:
    stored = Tile.objects.in_bulk([tile_place(tile.level, tile.index) for tile in full])
    for tile in full:
        where = f"tile {tile.level}/{tile.index}"
        found = stored.get(tile_place(tile.level, tile.index))
        if found is None:
            yield Finding("tile_missing", where)
        elif bytes(found.hashes) != b"".join(tile.hashes):
            yield from _tile_differences(where, tile, bytes(found.hashes))
        elif bytes(found.root) != tile.root:
            yield Finding("column_changed", where, "root", tile.root.hex(), bytes(found.root).hex())


def _tile_differences(where: str, tile: FullTile, hashes: bytes) -> Iterator[Finding]:
    for place, expected in enumerate(hashes[start : start + HASH] for start in range(0, len(hashes), HASH)):
        if place < len(tile.hashes) and expected != tile.hashes[place]:
            name = f"leaf {tile.index * len(tile.hashes) + place}" if tile.level == 0 else f"{where} hash {place}"
            yield Finding("leaf_changed", name, "leaf_hash", expected.hex(), tile.hashes[place].hex())


def _end_findings(end: int) -> Iterator[Finding]:
    """The last leaf is that of the last checkpoint; nothing stands after a hole; no tile lies beyond."""
    beyond = LedgerLeaf.objects.filter(index__gt=end).order_by("index").values_list("index", flat=True).first()
    if beyond is not None:
        yield Finding("leaf_missing", f"leaf {end}", "index", str(end), str(beyond))
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    if newest != end and beyond is None:
        yield Finding("leaf_missing" if newest > end else "checkpoint_missing", "ledger", "size", str(newest), str(end))
    if Tile.objects.filter(place__gte=tile_place(0, end >> 8), place__lt=1 << LEVEL_SHIFT).exists():
        yield Finding("tile_beyond", "ledger", "tiles", str(end >> 8), "more")


TREE = Stage("ledger", False, tree_run, LedgerLeaf.objects.count)
