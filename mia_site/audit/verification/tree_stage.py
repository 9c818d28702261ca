"""Canonical text against leaves, leaves against tiles, tiles against every retained checkpoint."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection

from mia_site.audit.canonical import leaf_hash
from mia_site.audit.ledger import HASH
from mia_site.audit.models import Checkpoint, LedgerLeaf, Tile
from mia_site.audit.models.ledger import LEVEL_SHIFT, tile_place
from mia_site.audit.sealing import LATE
from mia_site.audit.tree import FullTile, Growth
from mia_site.audit.verification.findings import Finding, Position, Stage, Step
from mia_site.ops.ids import EPOCH, uuid7_time

STRETCH = 8_192
LATE_MS = int(LATE.total_seconds() * 1000)
ROWS = """
    SELECT leaf."index", leaf.entry_id, leaf.leaf_hash, entry.leaf_hash, entry.body
    FROM audit_ledgerleaf leaf LEFT JOIN audit_entry entry ON entry.id = leaf.entry_id
    WHERE leaf."index" >= %s AND leaf."index" < %s ORDER BY leaf."index"
"""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Leaves in the order of their places, with their entries, a column each: read by the million, so kept plain."""

    places: Sequence[int]
    ids: Sequence[UUID]
    leaves: Sequence[bytes]
    entry_hashes: Sequence[bytes | None]
    bodies: Sequence[str | None]


def _read(start: int) -> _Stretch:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [start, start + STRETCH])
        rows = cursor.fetchall()
    if not rows:
        return _Stretch((), (), (), (), ())
    places, ids, leaves, entry_hashes, bodies = zip(*rows, strict=True)
    if connection.vendor == "sqlite":
        ids = tuple(UUID(hex=value) for value in ids)
    return _Stretch(places, ids, leaves, entry_hashes, bodies)


def tree_run(position: Position) -> Step:
    """The next `STRETCH` leaves. Where text and leaf differ, the tree is built on with the leaf."""
    start = int(position.get("index", 0))
    growth = Growth(start, [[bytes.fromhex(value) for value in tail] for tail in position.get("tails", [])])
    rows = _read(start)
    if not rows.places:
        return Step(None, 0, list(_end_findings(start)))
    findings = [*_gap_findings(rows, start), *_text_findings(rows)]
    newest = _time_findings(rows, int(position.get("newest", 0)), findings)
    broken = _grow(growth, rows.leaves, findings, broken=bool(position.get("broken")))
    following = {
        "index": rows.places[-1] + 1,
        "tails": [[value.hex() for value in tail] for tail in growth.tails()],
        "broken": broken,
        "newest": newest,
    }
    return Step(following, len(rows.places), findings)


def _gap_findings(rows: _Stretch, start: int) -> Iterator[Finding]:
    if rows.places[0] == start and rows.places[-1] - start + 1 == len(rows.places):
        return
    expected = start
    for place in rows.places:
        if place != expected:
            yield Finding("leaf_missing", f"leaf {expected}", "index", str(expected), str(place))
        expected = place + 1


def _where(rows: _Stretch, number: int) -> str:
    return f"entry {rows.ids[number]} (leaf {rows.places[number]})"


def _text_findings(rows: _Stretch) -> Iterator[Finding]:
    for number, (leaf, entry_hash, body) in enumerate(zip(rows.leaves, rows.entry_hashes, rows.bodies, strict=True)):
        if body is None:
            yield Finding("entry_missing", _where(rows, number), "", leaf.hex(), "")
            continue
        found = leaf_hash(body.encode())
        if found != leaf:
            expected = f"text with leaf hash {leaf.hex()}"
            yield Finding("text_changed", _where(rows, number), "body", expected, found.hex())
        elif entry_hash != leaf:
            told = b"" if entry_hash is None else entry_hash
            yield Finding("column_changed", _where(rows, number), "leaf_hash", leaf.hex(), told.hex())


def _time_findings(rows: _Stretch, newest: int, findings: list[Finding]) -> int:
    """Entries are sealed in the order of their ids, which hold their time: one far behind was dated back.

    `newest` is the latest time so far, in the milliseconds of a UUIDv7.
    """
    for number, entry_id in enumerate(rows.ids):
        at = entry_id.int >> 80
        if at > newest:
            newest = at
        elif at < newest - LATE_MS:
            earliest = EPOCH + timedelta(milliseconds=newest - LATE_MS)
            told = str(uuid7_time(entry_id))
            findings.append(Finding("dated_back", _where(rows, number), "id", f"not before {earliest}", told))
    return newest


def _grow(growth: Growth, leaves: Sequence[bytes], findings: list[Finding], *, broken: bool) -> bool:
    """Takes the leaves in, stops at each checkpoint to compare; after the first that differs, all later ones do."""
    start, end = growth.size, growth.size + len(leaves)
    checkpoints = Checkpoint.objects.filter(size__gt=start, size__lte=end).order_by("size")
    full: list[FullTile] = []
    done = 0
    for size, root in checkpoints.values_list("size", "root"):
        full += growth.add(leaves[done : size - start])
        done = size - start
        if not broken and growth.root() != bytes(root):
            broken = True
            findings.append(
                Finding("root_differs", f"checkpoint {size}", "root", bytes(root).hex(), growth.root().hex())
            )
    full += growth.add(leaves[done:])
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
