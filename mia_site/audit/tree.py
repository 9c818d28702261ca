"""Proofs out of tiles. Pure: `read(level, index)` gives the hashes of a tile, from wherever they are kept.

A tile of level L holds up to 256 hashes, each the root of 256**L leaves (C2SP tlog-tiles, height 8). Only the last
tile of a level may be shorter. Any node of the tree is a perfect subtree within one tile, so that a proof reads at
most a few tiles a level, whatever the size of the tree.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mia_site.audit.merkle import fold, perfect_root

HEIGHT = 8
WIDTH = 1 << HEIGHT
Reader = Callable[[int, int], Sequence[bytes]]


class Tree:
    """The tree of `size` leaves over tiles; each tile is read once."""

    def __init__(self, size: int, read: Reader) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def node(self, level: int, index: int) -> bytes:
        """The root of the `index`-th perfect subtree of 2**level leaves."""
        tile_level, within = divmod(level, HEIGHT)
        width = 1 << within
        start = index * width
        hashes = self._tile(tile_level, start // WIDTH)[start % WIDTH : start % WIDTH + width]
        if len(hashes) != width:
            raise LookupError(f"no node {index} at level {level} in a tree of {self.size}")
        return perfect_root(hashes)

    def _tile(self, level: int, index: int) -> Sequence[bytes]:
        key = level, index
        if key not in self._tiles:
            self._tiles[key] = self._read(level, index)
        return self._tiles[key]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves (all of them, if None)."""
        return fold(self.peaks(size))

    def peaks(self, size: int | None = None) -> list[bytes]:
        """Roots of the perfect subtrees that make up the first `size` leaves, from left to right."""
        return [self.node(level, index) for level, index in _perfect(0, self.size if size is None else size)]

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 audit path of leaf `index` in the tree of the first `size` leaves, bottom up."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise LookupError(f"leaf {index} is not in a tree of {size}")
        return self._path(index, 0, size)

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._range(middle, end)]
        return [*self._path(index, middle, end), self._range(start, middle)]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """RFC 6962 proof that the first `new` leaves begin with the first `old`."""
        new = self.size if new is None else new
        if not 0 <= old <= new <= self.size:
            raise LookupError(f"no trees of {old} and {new} in a tree of {self.size}")
        if old in {0, new}:
            return []
        return self._subproof(old, 0, new, known=True)

    def _subproof(self, old: int, start: int, end: int, *, known: bool) -> list[bytes]:
        """`known`: the verifier has the root of [start, old) already, if it is a whole subtree."""
        if old == end:
            return [] if known else [self._range(start, end)]
        middle = start + _split(end - start)
        if old <= middle:
            return [*self._subproof(old, start, middle, known=known), self._range(middle, end)]
        return [*self._subproof(old, middle, end, known=False), self._range(start, middle)]

    def _range(self, start: int, end: int) -> bytes:
        return fold([self.node(level, index) for level, index in _perfect(start, end)])


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that has become whole: 256 hashes, and their root for the level above."""

    level: int
    index: int
    hashes: tuple[bytes, ...]
    root: bytes


class Growth:
    """The right edge of a tree of `size` leaves, taking new ones. `tails[level]`: the hashes of its short last tile."""

    def __init__(self, size: int, tails: Sequence[Sequence[bytes]]) -> None:
        self.size = size
        self._tails = [list(tail) for tail in tails]

    def add(self, leaves: Sequence[bytes]) -> list[FullTile]:
        """Appends leaf hashes; returns the tiles that became whole, lower levels first."""
        full: list[FullTile] = []
        start = 0
        while start < len(leaves):
            tail = self._tail(0)
            taken = leaves[start : start + WIDTH - len(tail)]
            tail.extend(taken)
            start, self.size = start + len(taken), self.size + len(taken)
            self._close(0, full)
        return full

    def _tail(self, level: int) -> list[bytes]:
        if level == len(self._tails):
            self._tails.append([])
        return self._tails[level]

    def _close(self, level: int, full: list[FullTile]) -> None:
        """A tail of 256 becomes a tile, and its root a hash of the level above."""
        tail = self._tail(level)
        if len(tail) < WIDTH:
            return
        root = perfect_root(tail)
        full.append(FullTile(level, (self.size >> (HEIGHT * (level + 1))) - 1, tuple(tail), root))
        tail.clear()
        self._tail(level + 1).append(root)
        self._close(level + 1, full)

    def root(self) -> bytes:
        """The root of all leaves so far."""
        peaks: list[bytes] = []
        for tail in reversed(self._tails):
            start = 0
            while start < len(tail):
                width = 1 << ((len(tail) - start).bit_length() - 1)
                peaks.append(perfect_root(tail[start : start + width]))
                start += width
        return fold(peaks)

    def tails(self) -> list[list[bytes]]:
        """The short last tiles, to go on from later."""
        return [list(tail) for tail in self._tails]


def tail_start(level: int, size: int) -> tuple[int, int]:
    """(first, end) of the hashes of level `level`'s short last tile, counted in hashes of that level."""
    end = size >> (HEIGHT * level)
    return end & ~(WIDTH - 1), end


def _split(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _perfect(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees (level, index) of [start, end), where `start` is a multiple of the largest of them."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level
