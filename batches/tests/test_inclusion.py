"""Every order is provably in its batch, every other provably not, and never both."""

from dataclasses import replace

import pytest

from batches import merkle
from batches.inclusion import Absent, Included, prove
from batches.records import Leaf
from batches.tests.making import order

SIZES = [0, 1, 2, 3, 5, 8]
# Enough for some to come before all leaves and some after.
OTHERS = [order(nonce=nonce).hash for nonce in range(100, 140)]


def leaves(size: int) -> list[Leaf]:
    some = [Leaf(order(nonce=nonce), bytes(64), 10, 0, nonce) for nonce in range(size)]
    return sorted(some, key=lambda leaf: leaf.order.hash)


def root(some: list[Leaf]) -> bytes:
    return merkle.build(map(bytes, some)).root


@pytest.mark.parametrize("size", SIZES)
def test_each_order_of_a_batch_is_proven_to_be_in(size: int) -> None:
    some = leaves(size)
    for leaf in some:
        proof = prove(some, leaf.order.hash)
        assert isinstance(proof, Included)
        assert proof.proves(leaf.order.hash, root=root(some), size=size)
        assert not proof.proves(OTHERS[0], root=root(some), size=size)
        assert not proof.proves(leaf.order.hash, root=bytes(32), size=size)


@pytest.mark.parametrize("size", SIZES)
def test_each_other_order_is_proven_to_be_missing(size: int) -> None:
    some = leaves(size)
    for other in OTHERS:
        proof = prove(some, other)
        assert isinstance(proof, Absent)
        assert proof.proves(other, root=root(some), size=size)
        assert not proof.proves(other, root=bytes(32), size=size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_no_gap_hides_an_order_that_is_in(size: int) -> None:
    some = leaves(size)
    proofs = [prove(some, other) for other in OTHERS]
    for leaf in some:
        for proof in proofs:
            assert not proof.proves(leaf.order.hash, root=root(some), size=size)


def test_neighbours_that_are_not_next_to_each_other_prove_nothing() -> None:
    some = leaves(5)
    left, hidden, right = some[1:4]
    ends = prove(some, left.order.hash), prove(some, right.order.hash)
    assert isinstance(ends[0], Included)
    assert isinstance(ends[1], Included)
    forged = Absent(ends[0].placed, ends[1].placed)
    assert not forged.proves(hidden.order.hash, root=root(some), size=5)
    assert not replace(forged, before=None).proves(hidden.order.hash, root=root(some), size=5)
    assert not replace(forged, after=None).proves(hidden.order.hash, root=root(some), size=5)
    assert not Absent(None, None).proves(hidden.order.hash, root=root(some), size=5)
    elsewhere = replace(forged, after=replace(ends[1].placed, index=2))
    assert not elsewhere.proves(hidden.order.hash, root=root(some), size=5)
