"""Proofs that an order is in a batch or is not, up to the root that is on chain."""

from typing import Any

from batches import merkle, publication
from batches.inclusion import Included, Placed, prove
from batches.models import Batch
from fairlane.core.errors import not_found

HASH_SIZE = 32


def is_open(batch: Batch) -> bool:
    """Whether anyone may see the orders: before it has cleared they tell who wants what, and after
    it has rolled they still do."""
    return batch.status in ("CLEARED", "SETTLED")


def hash_of(text: str) -> bytes:
    """The hash of an order that a path names.

    Raises:
        Problem: 404, this is no hash, which no order could have and nothing proves absent.
    """
    try:
        wanted = bytes.fromhex(text)
    except ValueError:
        wanted = b""
    if len(wanted) != HASH_SIZE:
        raise not_found("There is no such order")
    return wanted


def proof(batch: Batch, wanted: bytes) -> dict[str, Any]:
    """The proof for the order of this hash, with that of the batch in its tick.

    Raises:
        Problem: 404, the batch has not cleared.
    """
    if not is_open(batch):
        raise not_found("The batch has not cleared")
    committed = publication.committed(batch)
    found = prove(committed.leaves, wanted)
    tick = publication.tick_tree(batch)
    tree = merkle.build(tick.headers)
    index = tick.headers.index(bytes(committed.header))
    placed: dict[str, Any]
    if isinstance(found, Included):
        placed = {"included": True, **_placed(found.placed)}
    else:
        placed = {
            "included": False,
            "before": _placed(found.before) if found.before else None,
            "after": _placed(found.after) if found.after else None,
        }
    return {
        "orderHash": wanted.hex(),
        **placed,
        "size": committed.header.count,
        "root": committed.header.root.hex(),
        "header": bytes(committed.header).hex(),
        "tickIndex": index,
        "tickSize": tree.size,
        "tickProof": [sibling.hex() for sibling in tree.proof(index)],
        "tickRoot": tick.root.hex(),
        "anchorSignature": batch.tick.anchor_signature,
        "anchorSlot": batch.tick.anchor_slot,
    }


def _placed(placed: Placed) -> dict[str, Any]:
    return {
        "index": placed.index,
        "leaf": bytes(placed.leaf).hex(),
        "proof": [sibling.hex() for sibling in placed.proof],
    }
