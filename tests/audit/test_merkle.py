"""RFC 6962 against the published vectors, carried over by value, and against what must hold of any tree.

Vectors: transparency-dev/merkle testonly/constants.go (leaves, roots of sizes 0 to 8) and its inclusion and
consistency cases.
"""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mia_site.audit.canonical import leaf_hash
from mia_site.audit.merkle import (
    EMPTY_ROOT,
    ProofError,
    consistency_verify,
    inclusion_verify,
    node_hash,
    root_of,
)
from mia_site.audit.tree import Growth, Tree

INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION: list[tuple[int, int, list[str]]] = [
    (0, 1, []),
    (0, 8, [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]),
    (5, 8, [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (1, 5, [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]),
]  # fmt: skip
CONSISTENCY: list[tuple[int, int, list[str]]] = [
    (1, 1, []),
    (1, 8, [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]),
    (6, 8, [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
    (2, 5, [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]),
    (6, 7, [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
]  # fmt: skip
LEAVES = [leaf_hash(data) for data in INPUTS]


def tree_over(leaves: Sequence[bytes]) -> Tree:
    """Tiles made as the sealer makes them."""
    growth = Growth(0, [])
    tiles = {(tile.level, tile.index): tile.hashes for tile in growth.add(leaves)}
    tails = growth.tails()

    def read(level: int, index: int) -> Sequence[bytes]:
        return tiles[level, index] if (level, index) in tiles else tails[level]

    return Tree(len(leaves), read)


def hexadecimal(proof: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in proof]


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]
    assert tree_over(LEAVES[:size]).root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    assert hexadecimal(tree_over(LEAVES).inclusion(index, size)) == proof
    inclusion_verify(LEAVES[index], index, size, [bytes.fromhex(value) for value in proof], bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_the_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    assert hexadecimal(tree_over(LEAVES).consistency(old, new)) == proof
    consistency_verify(
        old, new, [bytes.fromhex(value) for value in proof], bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    )


def test_leaves_and_nodes_are_hashed_apart() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT


def test_every_pair_of_sizes_up_to_two_tiles_and_a_bit() -> None:
    leaves = [hashlib.sha256(bytes([place % 256, place // 256])).digest() for place in range(530)]
    tree = tree_over(leaves)
    sizes = [1, 2, 3, 127, 128, 255, 256, 257, 383, 511, 512, 513, 530]
    roots = {size: root_of(leaves[:size]) for size in sizes}
    for new in sizes:
        assert tree.root(new) == roots[new]
        for index in {0, 1, new // 2, new - 1}:
            inclusion_verify(leaves[index], index, new, tree.inclusion(index, new), roots[new]) if index < new else None
        for old in sizes:
            if old <= new:
                consistency_verify(old, new, tree.consistency(old, new), roots[old], roots[new])


sizes_and_places = st.integers(1, 600).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))
MANY = [hashlib.sha256(place.to_bytes(4, "big")).digest() for place in range(600)]
MANY_TREE = tree_over(MANY)


@given(sizes_and_places, st.data())
def test_no_inclusion_proof_verifies_another_leaf_place_size_or_root(
    where: tuple[int, int], data: st.DataObject
) -> None:
    size, index = where
    proof, root = MANY_TREE.inclusion(index, size), MANY_TREE.root(size)
    inclusion_verify(MANY[index], index, size, proof, root)
    other = data.draw(st.integers(0, 599).filter(lambda place: place != index))

    with pytest.raises(ProofError):
        inclusion_verify(MANY[other], index, size, proof, root)
    with pytest.raises(ProofError):
        inclusion_verify(MANY[index], index, size, proof, bytes(32))
    with pytest.raises(ProofError):
        inclusion_verify(MANY[index], index, size, [*proof, bytes(32)], root)
    if other < size:
        with pytest.raises(ProofError):
            inclusion_verify(MANY[index], other, size, proof, root)
    if proof:
        with pytest.raises(ProofError):
            inclusion_verify(MANY[index], index, size, proof[:-1], root)


@given(st.integers(1, 599), st.integers(1, 599), st.data())
def test_no_consistency_proof_verifies_other_roots_or_a_changed_proof(one: int, two: int, data: st.DataObject) -> None:
    old, new = min(one, two), max(one, two)
    proof = MANY_TREE.consistency(old, new)
    old_root, new_root = MANY_TREE.root(old), MANY_TREE.root(new)
    consistency_verify(old, new, proof, old_root, new_root)
    if old == new:
        return
    changed = [bytes([value[0] ^ 1]) + value[1:] for value in proof]
    for wrong in (
        (proof, bytes(32), new_root), (proof, old_root, bytes(32)), (changed, old_root, new_root),
        ([*proof, bytes(32)], old_root, new_root), (proof[:-1], old_root, new_root),
    ):  # fmt: skip
        with pytest.raises(ProofError):
            consistency_verify(old, new, *wrong)
    smaller = data.draw(st.integers(1, new - 1).filter(lambda size: size != old)) if new > 2 else None
    if smaller is not None:
        with pytest.raises(ProofError):
            consistency_verify(smaller, new, proof, old_root, new_root)


def test_a_smaller_tree_extends_no_larger_one() -> None:
    with pytest.raises(ProofError, match="cannot extend"):
        consistency_verify(5, 4, [], EMPTY_ROOT, EMPTY_ROOT)


@given(st.lists(st.integers(1, 300), max_size=5))
def test_growing_in_any_steps_gives_one_root(steps: list[int]) -> None:
    growth, done = Growth(0, []), 0
    for step in steps:
        leaves = MANY[done : done + step]
        growth.add(leaves)
        growth = Growth(growth.size, growth.tails())
        done += len(leaves)
    assert growth.root() == root_of(MANY[:done])
