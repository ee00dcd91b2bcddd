"""Proofs that an order is in a batch or is not, up to the root that is on chain."""

from typing import Any

from batches import merkle, publication
from batches.inclusion import Included, Placed, prove
from batches.models import Batch
from fairlane.core.errors import not_found


def is_open(batch: Batch) -> bool:
    """Whether anyone may see the orders: before it has cleared they tell who wants what, and after
    it has rolled they still do."""
    return batch.status in ("CLEARED", "SETTLED")


def proof(batch: Batch, order_hash: str) -> dict[str, Any]:
    """The proof for an order, with that of the batch in its tick.

    Raises:
        Problem: 404, the batch has not cleared, or this is no hash.
    """
    if not is_open(batch):
        raise not_found("The batch has not cleared")
    try:
        wanted = bytes.fromhex(order_hash)
    except ValueError:
        raise not_found("There is no such order") from None
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
