"""Reading the ledger: its heads, its tiles, and the proofs that they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q

from mia_site.audit.checkpoint import Gap
from mia_site.audit.merkle import hashes_split
from mia_site.audit.models import Checkpoint, Continuation, LedgerLeaf, Tile
from mia_site.audit.models.ledger import tile_place
from mia_site.audit.tree import HEIGHT, WIDTH, Growth, Tree, tail_start


class NotSealedYet(LookupError):
    """The entry is recorded and waits for its place in the ledger."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where an entry stands, and the way from it to the root of `checkpoint`."""

    index: int
    leaf_hash: bytes
    proof: list[bytes]
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: its leaf, and the first checkpoint that holds it."""

    index: int
    size: int
    sealed_at: datetime


def head() -> Checkpoint | None:
    """The newest checkpoint; None before the first seal."""
    return Checkpoint.objects.order_by("-number").first()


def gaps() -> tuple[Gap, ...]:
    """The restores after which the ledger went on, oldest first."""
    return tuple(continuation_gap(row) for row in Continuation.objects.order_by("id"))


def continuation_gap(row: Continuation) -> Gap:
    """The gap that a continuation declares."""
    return Gap.of(row.kept, row.lost, row.root)


def tree_of(size: int, *, leaf: int | None = None) -> Tree:
    """The tree of `size` leaves; reads tiles as they are needed, and all those above `leaf` at once."""
    tiles = {} if leaf is None else _tiles_above(leaf, size)
    return Tree(
        size, lambda level, index: tiles[level, index] if (level, index) in tiles else _tile(level, index, size)
    )


def _tiles_above(leaf: int, size: int) -> dict[tuple[int, int], Sequence[bytes]]:
    """The whole tiles that a proof of `leaf` goes through, and the short last ones made of tiles: two questions,
    whatever the size."""
    edges = {level: tail_start(level, size) for level in range(1 + size.bit_length() // HEIGHT)}
    above = ((level, leaf >> (HEIGHT * (level + 1))) for level in edges)
    whole = {tile_place(level, index): (level, index) for level, index in above if index < edges[level][0] // WIDTH}
    kept = Tile.objects.filter(place__in=whole).values_list("place", "hashes")
    tiles: dict[tuple[int, int], Sequence[bytes]] = {whole[place]: hashes_split(bytes(told)) for place, told in kept}
    return tiles | _last_tiles({level: edge for level, edge in edges.items() if level})


def _last_tiles(edges: Mapping[int, tuple[int, int]]) -> dict[tuple[int, int], Sequence[bytes]]:
    """The hashes [first, end) of each level above the leaves, as its last tile: the roots of tiles below it."""
    asked = (
        Q(place__range=(tile_place(level - 1, first), tile_place(level - 1, end) - 1))
        for level, (first, end) in edges.items()
        if end > first
    )
    roots = dict(Tile.objects.filter(reduce(or_, asked, Q(place=None))).values_list("place", "root"))
    return {
        (level, first // WIDTH): [
            bytes(roots[place]) for index in range(first, end) if (place := tile_place(level - 1, index)) in roots
        ]
        for level, (first, end) in edges.items()
    }


def _tile(level: int, index: int, size: int) -> Sequence[bytes]:
    first, end = tail_start(level, size)
    if index * WIDTH < first:
        return hashes_split(bytes(Tile.objects.values_list("hashes", flat=True).get(place=tile_place(level, index))))
    return _tail(level, first, end)


def _tail(level: int, first: int, end: int) -> list[bytes]:
    """Hashes [first, end) of a level: leaves, or the roots of whole tiles of the level below."""
    if level == 0:
        rows = LedgerLeaf.objects.filter(index__gte=first, index__lt=end).order_by("index")
        return [bytes(value) for value in rows.values_list("leaf_hash", flat=True)]
    return list(_last_tiles({level: (first, end)})[level, first // WIDTH])


def growth_of(size: int) -> Growth:
    """The right edge of the tree of `size` leaves, ready for new ones."""
    tails = []
    level = 0
    while level == 0 or size >> (8 * level):
        tails.append(_tail(level, *tail_start(level, size)))
        level += 1
    return Growth(size, tails)


def inclusion_of(entry_id: UUID) -> Inclusion:
    """The proof that an entry is in the newest tree. Raises `NotSealedYet`; `LookupError` where none can be given."""
    leaf = LedgerLeaf.objects.filter(entry_id=entry_id).first()
    newest = head()
    if leaf is None or newest is None or leaf.index >= newest.size:
        raise NotSealedYet(str(entry_id))
    proof = tree_of(newest.size, leaf=leaf.index).inclusion(leaf.index)
    return Inclusion(leaf.index, bytes(leaf.leaf_hash), proof, newest)


def place_of(entry_id: UUID) -> Place | None:
    """The entry's place; None while it has none."""
    index = LedgerLeaf.objects.filter(entry_id=entry_id).values_list("index", flat=True).first()
    if index is None:
        return None
    first = Checkpoint.objects.filter(size__gt=index).order_by("size").first()
    return None if first is None else Place(index, first.size, first.sealed_at)


def consistency_of(old: int, new: int) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the tree of `old`. Raises `LookupError`."""
    newest = head()
    if newest is None or not 0 <= old <= new <= newest.size:
        raise LookupError(f"no trees of {old} and {new} leaves")
    return tree_of(newest.size).consistency(old, new)
