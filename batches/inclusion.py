"""Proofs that an order is in a batch, or is not, for whoever has only the batch's root.

Leaves ascend by the hash of their order, so that two neighbours with the hash between them show
that it is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batches import merkle
from batches.records import Leaf


@dataclass(frozen=True, slots=True)
class Placed:
    """A leaf at its place in the tree."""

    index: int
    leaf: Leaf
    proof: tuple[bytes, ...]

    def is_under(self, root: bytes, size: int) -> bool:
        return merkle.proves(
            root, leaf=bytes(self.leaf), index=self.index, size=size, proof=self.proof
        )


@dataclass(frozen=True, slots=True)
class Included:
    """The order is in the batch."""

    placed: Placed

    def proves(self, order_hash: bytes, *, root: bytes, size: int) -> bool:
        """Whether the order is one of the `size` under `root`."""
        return self.placed.leaf.order.hash == order_hash and self.placed.is_under(root, size)


@dataclass(frozen=True, slots=True)
class Absent:
    """The order is not in the batch: it would stand between these two.

    Attributes:
        before, after: its neighbours; None beyond either end.
    """

    before: Placed | None
    after: Placed | None

    def proves(self, order_hash: bytes, *, root: bytes, size: int) -> bool:
        """Whether the order is none of the `size` under `root`."""
        if size == 0:
            return root == merkle.EMPTY_ROOT
        index = -1
        if self.before is not None:
            if self.before.leaf.order.hash >= order_hash or not self.before.is_under(root, size):
                return False
            index = self.before.index
        if self.after is None:
            return index == size - 1
        above = self.after.leaf.order.hash > order_hash
        return above and self.after.index == index + 1 and self.after.is_under(root, size)


def prove(leaves: Sequence[Leaf], order_hash: bytes) -> Included | Absent:
    """The proof for an order, from the leaves of a batch in their order."""
    tree = merkle.build(map(bytes, leaves))

    def placed(index: int) -> Placed | None:
        if not 0 <= index < len(leaves):
            return None
        return Placed(index, leaves[index], tuple(tree.proof(index)))

    index = sum(leaf.order.hash < order_hash for leaf in leaves)
    found = placed(index)
    if found is not None and found.leaf.order.hash == order_hash:
        return Included(found)
    return Absent(placed(index - 1), found)
