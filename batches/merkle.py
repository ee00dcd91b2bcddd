"""Merkle trees as RFC 9162 defines them: an odd node is promoted, leaves and nodes differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole tree, from which proofs are read.

    Attributes:
        levels: the hashes of each level, leaves first; the last level is the root alone. No level
            for a tree without leaves.
    """

    levels: tuple[list[bytes], ...]

    @property
    def size(self) -> int:
        return len(self.levels[0]) if self.levels else 0

    @property
    def root(self) -> bytes:
        return self.levels[-1][0] if self.levels else EMPTY_ROOT

    def proof(self, index: int) -> list[bytes]:
        """The siblings from the leaf at `index` up to the root.

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} among {self.size}")
        siblings = []
        for level in self.levels[:-1]:
            if index ^ 1 < len(level):
                siblings.append(level[index ^ 1])
            index >>= 1
        return siblings


def build(leaves: Iterable[bytes]) -> Tree:
    """The tree over the data of its leaves, in their order."""
    level = [sha256(b"\x00" + data).digest() for data in leaves]
    if not level:
        return Tree(())
    levels = [level]
    while len(level) > 1:
        level = _above(level)
        levels.append(level)
    return Tree(tuple(levels))


def _above(level: list[bytes]) -> list[bytes]:
    """The level over this one."""
    pairs = zip(level[::2], level[1::2], strict=False)
    # Calling node_hash would add a quarter to the time of a large tree.
    above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    if len(level) % 2:
        above.append(level[-1])
    return above


def proves(root: bytes, *, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the data `leaf` stands at `index` of the `size` under `root`."""
    if not 0 <= index < size:
        return False
    last, above = size - 1, leaf_hash(leaf)
    for sibling in proof:
        if len(sibling) != len(EMPTY_ROOT) or last == 0:
            return False
        # The last node of a level with an odd number climbs until it has a sibling on its left.
        while index == last and index % 2 == 0:
            index, last = index >> 1, last >> 1
        above = node_hash(sibling, above) if index % 2 else node_hash(above, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and above == root
