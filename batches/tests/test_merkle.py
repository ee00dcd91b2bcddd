"""Trees agree with another implementation; proofs hold at every index and nowhere else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from batches.merkle import EMPTY_ROOT, build, proves

SIZES = [*range(1, 35), 63, 64, 65, 100, 127, 129]


def data(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def oracle(leaves: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
    return tree


def test_a_tree_without_leaves_has_the_hash_of_nothing_for_its_root() -> None:
    tree = build([])
    assert (tree.size, tree.root) == (0, EMPTY_ROOT)
    with pytest.raises(IndexError):
        tree.proof(0)


def test_three_leaves_hash_as_the_standard_writes_it() -> None:
    a, b, c = (sha256(b"\x00" + leaf).digest() for leaf in data(3))
    left = sha256(b"\x01" + a + b).digest()
    assert build(data(3)).root == sha256(b"\x01" + left + c).digest()


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_the_proof_of_every_index_agree_with_pymerkle(size: int) -> None:
    leaves = data(size)
    tree, other = build(leaves), oracle(leaves)
    assert tree.root == other.get_root()
    for index, leaf in enumerate(leaves):
        proof = tree.proof(index)
        # Its path starts with the leaf itself.
        path = other.prove_inclusion(index + 1).path
        assert proof == path[1:]
        assert proves(tree.root, leaf=leaf, index=index, size=size, proof=proof)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 21])
def test_a_proof_holds_for_no_other_place_leaf_or_root(size: int) -> None:
    leaves = data(size)
    tree = build(leaves)
    for index, leaf in enumerate(leaves):
        proof = tree.proof(index)
        for elsewhere in {-1, *range(size + 1)} - {index}:
            assert not proves(tree.root, leaf=leaf, index=elsewhere, size=size, proof=proof)
        assert not proves(tree.root, leaf=leaf + b"!", index=index, size=size, proof=proof)
        assert not proves(EMPTY_ROOT, leaf=leaf, index=index, size=size, proof=proof)
        assert not proves(tree.root, leaf=leaf, index=index, size=size, proof=[*proof, EMPTY_ROOT])
        for missing in range(len(proof)):
            shorter = proof[:missing] + proof[missing + 1 :]
            assert not proves(tree.root, leaf=leaf, index=index, size=size, proof=shorter)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=40), st.data())
def test_one_flipped_bit_of_a_proof_refutes_it(leaves: list[bytes], draw: st.DataObject) -> None:
    tree = build(leaves)
    index = draw.draw(st.integers(0, len(leaves) - 1))
    proof = tree.proof(index)
    place = draw.draw(st.integers(0, len(proof) - 1))
    bit = draw.draw(st.integers(0, 255))
    flipped = int.from_bytes(proof[place], "big") ^ (1 << bit)
    proof[place] = flipped.to_bytes(32, "big")
    assert not proves(tree.root, leaf=leaves[index], index=index, size=len(leaves), proof=proof)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    tree = build(data(4))
    inside = tree.levels[0][0] + tree.levels[0][1]
    proof = tree.proof(0)[1:]
    assert not proves(tree.root, leaf=inside, index=0, size=2, proof=proof)
