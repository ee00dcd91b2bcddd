"""What is published of a batch, as the bytes that the API answers with.

Of a settled batch they never change, so that each process keeps those it has made while there is
room. Storing them would double what batches take on disk (125 bytes an order compressed, beside the
208 of its leaf), for something that is asked for seldom and is a function of the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from batches import chain_evidence, proofs, publication, representation
from batches.anchoring import NO_ROOT
from batches.models import Batch
from chains.errors import ChainError
from fairlane.core.errors import unavailable
from fairlane.core.shelves import Answer, Shelf

# The bundle of a batch of 100,000 orders is 48 MB.
ROOM = 64 * 1024 * 1024
# Making a bundle of 10,000 orders takes 0.4 s, verifying it 2 s.
_shelf = Shelf(room=ROOM, makers=1, patience_s=10)

# Orders that a bundle or a proof, and a verification, get through in the time of one request.
_READ_ORDERS = 200
_VERIFIED_ORDERS = 40
# What a verification asks of the Solana node is paid for.
_NODE_COST = 10


@dataclass(frozen=True, slots=True)
class Published:
    """An answer about a batch, which is kept or can be made.

    Attributes:
        cost: of making it, in requests.
    """

    key: tuple[object, ...]
    cost: int
    maker: Callable[[], Answer]

    def kept(self) -> Answer | None:
        """The answer, if this process has it."""
        return _shelf.kept(self.key)

    def make(self) -> Answer:
        """The answer, which whoever asks meanwhile gets as well.

        Raises:
            Problem: 404, there is none yet; 503, it takes too long, or the node does not answer.
        """
        return _shelf.get(self.key, self.maker)


def bundle(batch: Batch) -> Published:
    """The canonical bundle."""

    def make() -> Answer:
        found = publication.bundle(batch)
        # The anchor of the tick before may be found later.
        is_followed = found.tick.previous == NO_ROOT or found.tick.previous_anchor is not None
        return Answer(bytes(found), _settled(batch) and is_followed)

    return _published(batch, "bundle", 1 + batch.orders // _READ_ORDERS, make)


def verdict(batch: Batch) -> Published:
    """The verdict on it. What is missing today may be there tomorrow: only the others are final."""

    def make() -> Answer:
        try:
            found = chain_evidence.verdict(batch)
        except ChainError:
            raise unavailable("The Solana node does not answer.") from None
        final = _settled(batch) and found.status != "UNCERTAIN"
        return Answer(orjson.dumps(representation.verdict(found, batch)), final)

    return _published(batch, "verdict", _NODE_COST + batch.orders // _VERIFIED_ORDERS, make)


def proof(batch: Batch, order_hash: str) -> Published:
    """The proof that an order is in it, or is not.

    Raises:
        Problem: 404, this is no hash.
    """
    wanted = proofs.hash_of(order_hash)

    def make() -> Answer:
        return Answer(orjson.dumps(proofs.proof(batch, wanted)), _settled(batch))

    cost = 1 + batch.orders // _READ_ORDERS
    return _published(batch, f"proof {wanted.hex()}", cost, make)


def forget() -> None:
    """Make everything anew (in tests)."""
    _shelf.forget()


def _published(batch: Batch, what: str, cost: int, make: Callable[[], Answer]) -> Published:
    # With its status: what was begun before is not what it has come to since.
    return Published((what, batch.id, batch.status), cost, make)


def _settled(batch: Batch) -> bool:
    return batch.status == "SETTLED"
