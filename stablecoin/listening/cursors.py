"""How far a chain was listened to: every move names where it starts from."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from chains.evm.ports import Block
from fairlane.core import bulk
from stablecoin.models import ChainBlock, ChainLog, ListenerCursor
from stablecoin.registry import ChainInfo


@dataclass(frozen=True, slots=True)
class Position:
    """A block whose logs are stored, and the one up to which they are applied."""

    number: int
    hash: str
    applied: int


@dataclass(frozen=True, slots=True)
class Found:
    """An event as it is stored."""

    transaction_hash: str
    log_index: int
    block_number: int
    block_hash: str
    kind: str
    request_id: str
    wallet: str
    amount: int


class Moved(Exception):
    """Another listener has moved the cursor, or the chain has moved on: look anew."""


def position(chain: ChainInfo) -> Position:
    """Where to go on; a chain that was never listened to begins before its contract."""
    first = {"number": before(chain), "applied": before(chain)}
    cursor, _ = ListenerCursor.objects.get_or_create(chain_id=chain.chain_id, defaults=first)
    return Position(cursor.number, cursor.hash, cursor.applied)


def before(chain: ChainInfo) -> int:
    """The last block without the contract; nothing at or below it can be undone."""
    return max(chain.deployed_block - 1, 0)


def advance(
    chain_id: int, start: Position, end: Block, found: Sequence[Found], *, keep_from: int
) -> None:
    """Store the events up to a block together with the move to it.

    Args:
        keep_from: nothing is compared with the blocks below any more.

    Raises:
        Moved: the cursor is not at ``start`` any more; nothing was stored.
    """
    with transaction.atomic():
        moved = ListenerCursor.objects.filter(
            chain_id=chain_id, number=start.number, hash=start.hash
        ).update(number=end.number, hash=end.hash)
        if not moved:
            raise Moved
        bulk.insert(
            ChainLog,
            [
                {
                    "chain_id": chain_id,
                    "transaction_hash": f.transaction_hash,
                    "log_index": f.log_index,
                    "block_number": f.block_number,
                    "block_hash": f.block_hash,
                    "kind": f.kind,
                    "request_id": f.request_id,
                    "wallet": f.wallet,
                    "amount": f.amount,
                    "problem": "",
                }
                for f in found
            ],
            ignore_conflicts=True,
        )
        ChainBlock.objects.filter(chain_id=chain_id, number__lt=keep_from).delete()
        ChainBlock.objects.update_or_create(
            chain_id=chain_id, number=end.number, defaults={"hash": end.hash}
        )


def known_blocks(chain_id: int) -> dict[int, str]:
    """The blocks that were passed and are not final, by number."""
    rows = ChainBlock.objects.filter(chain_id=chain_id).values_list("number", "hash")
    return dict(rows)


def rewind(chain_id: int, start: Position, number: int, hash: str) -> None:
    """Forget everything above a block, which a reorganisation has undone.

    Raises:
        Moved: the cursor is not at ``start`` any more.
    """
    with transaction.atomic():
        moved = ListenerCursor.objects.filter(
            chain_id=chain_id, number=start.number, hash=start.hash, applied__lte=number
        ).update(number=number, hash=hash)
        if not moved:
            raise Moved
        ChainLog.objects.filter(
            chain_id=chain_id, block_number__gt=number, applied_at=None
        ).delete()
        ChainBlock.objects.filter(chain_id=chain_id, number__gt=number).delete()
