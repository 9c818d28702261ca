"""RFC 6962 Merkle trees: how nodes are hashed, and how proofs are verified. Pure.

Proving is `tree.py`; verifying needs nothing but what stands here. The algorithms of `root_from_inclusion` and
`consistent` are those of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Sequence

NODE_PREFIX = b"\x01"
"""RFC 6962 section 2.1; leaves are hashed with 0x00 (canonical.py)."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH = 32
"""Bytes of a hash."""


class ProofError(ValueError):
    """A proof that does not prove what it is given for, with the reason."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def hashes_split(joined: bytes) -> list[bytes]:
    """Hashes out of a row of them."""
    return [joined[start : start + HASH] for start in range(0, len(joined), HASH)]


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes (at least one)."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[place], level[place + 1]) for place in range(0, len(level), 2)]
    return level[0]


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root of a tree whose perfect subtrees, from left to right, have the roots `peaks`."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, all in memory; small trees and tests."""
    peaks, start, rest = [], 0, len(leaves)
    while rest:
        width = 1 << (rest.bit_length() - 1)
        peaks.append(perfect_root(leaves[start : start + width]))
        start, rest = start + width, rest - width
    return fold(peaks)


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` (bottom up) leads to from the leaf hash at `index` of a tree of `size`.

    Raises `ProofError` where the proof has not the length that index and size call for.
    """
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    place, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return root


def inclusion_verify(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `ProofError` unless the leaf hash stands at `index` of the tree of `size` with this `root`."""
    if root_from_inclusion(leaf, index, size, proof) != root:
        raise ProofError("the proof leads to another root")


def consistency_verify(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raises `ProofError` unless the tree of `new` leaves begins with the very leaves of the tree of `old`."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} cannot extend one of {old}")
    if old in {0, new}:
        _trivial(old, new, proof, old_root, new_root)
        return
    first, second = _roots_from_consistency(old, new, proof, old_root)
    if first != old_root:
        raise ProofError("the proof leads to another old root")
    if second != new_root:
        raise ProofError("the proof leads to another new root")


def _roots_from_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """(old root, new root) that the proof leads to; an old tree that is one perfect subtree starts from its root."""
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofError("the proof is too short")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return first, second


def _trivial(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    if proof:
        raise ProofError("the proof is too long")
    if old == new and old_root != new_root:
        raise ProofError("two trees of one size have two roots")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the empty tree has another root")
