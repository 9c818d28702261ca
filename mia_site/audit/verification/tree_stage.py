"""Canonical text against leaves, leaves against tiles, tiles against every retained checkpoint."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from mia_site.audit.canonical import leaf_hash
from mia_site.audit.merkle import hashes_split
from mia_site.audit.models import Checkpoint, LedgerLeaf, Tile
from mia_site.audit.models.ledger import LEVEL_SHIFT, tile_place
from mia_site.audit.sealing import LATE
from mia_site.audit.tree import FullTile, Growth
from mia_site.audit.verification.findings import Finding, Position, Stage, Step
from mia_site.audit.verification.leaf_rows import Row, leaf_name, leaf_rows
from mia_site.ops.ids import uuid7_time

STRETCH = 32_768


def tree_run(position: Position) -> Step:
    """The next `STRETCH` leaves. Where text and leaf differ, the tree is built on with the leaf."""
    start = int(position.get("index", 0))
    growth = Growth(start, [[bytes.fromhex(value) for value in tail] for tail in position.get("tails", [])])
    expected, newest = start, bytes.fromhex(position.get("newest_id", ""))
    findings: list[Finding] = []
    leaves: list[bytes] = []
    for row in leaf_rows(start, start + STRETCH):
        place, entry_id, leaf, entry_hash, body = row
        if place != expected:
            findings.append(Finding("leaf_missing", f"leaf {expected}", "index", str(expected), str(place)))
        if body is None or entry_hash != leaf or leaf_hash(body) != leaf:
            findings.append(_text_finding(row))
        if entry_id > newest:  # ids are UUIDv7: they sort by time, as bytes too
            newest = entry_id
        else:
            findings += _time_findings(row, newest)
        expected = place + 1
        leaves.append(leaf)
    if not leaves:
        return Step(None, 0, list(_end_findings(start)))
    broken = _grow(growth, leaves, findings, broken=bool(position.get("broken")))
    following = {
        "index": expected,
        "tails": [[value.hex() for value in tail] for tail in growth.tails()],
        "broken": broken,
        "newest_id": newest.hex(),
    }
    return Step(following, len(leaves), findings)


def _text_finding(row: Row) -> Finding:
    place, entry_id, leaf, entry_hash, body = row
    where = leaf_name(place, entry_id)
    if body is None:
        return Finding("entry_missing", where, "", leaf.hex(), "")
    found = leaf_hash(body)
    if found != leaf:
        return Finding("text_changed", where, "body", f"text with leaf hash {leaf.hex()}", found.hex())
    return Finding("column_changed", where, "leaf_hash", leaf.hex(), (entry_hash or b"").hex())


def _time_findings(row: Row, newest: bytes) -> Iterator[Finding]:
    """Entries are sealed in the order of their ids, which hold their time: one far behind was dated back."""
    place, entry_id, *_rest = row
    at, earliest = (uuid7_time(UUID(bytes=value)) for value in (entry_id, newest))
    if at < earliest - LATE:
        yield Finding("dated_back", leaf_name(place, entry_id), "id", f"not before {earliest - LATE}", str(at))


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
    for place, expected in enumerate(hashes_split(hashes)):
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
