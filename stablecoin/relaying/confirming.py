"""What a cycle has seen of a relayer's transactions, as decisions: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chains.evm.ports import Receipt
from stablecoin.relaying.rows import Open


@dataclass(frozen=True, slots=True)
class Mined:
    """One of its attempts is in a block."""

    transaction: Open
    receipt: Receipt

    @property
    def cancelled(self) -> bool:
        """Whether the attempt that won does nothing for the request."""
        won = self.receipt.transaction_hash
        return any(a.cancels for a in self.transaction.attempts if a.hash == won)


@dataclass(frozen=True, slots=True)
class Lost:
    """The block it was in is not part of the chain any more, and it is in no other."""

    transaction: Open


@dataclass(frozen=True, slots=True)
class Final:
    """Its block is as deep as reorganisations do not reach."""

    transaction: Open


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Its nonce is used, and none of its attempts is in a block: seen at this head first."""

    transaction: Open
    at: int | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """Overtaken for as many blocks as make it final: a transaction that is not ours was mined."""

    transaction: Open


Change = Mined | Lost | Final | Overtaken | Replaced


@dataclass(frozen=True, slots=True)
class Seen:
    """What nodes have shown.

    Attributes:
        receipts: by hash, of attempts that are in a block.
        canonical: block hashes by number, of blocks that receipts are from or were from; a block
            that the node does not have (yet) is absent.
        nonce: the signer's transaction count at `head` or after.
    """

    receipts: Mapping[str, Receipt]
    canonical: Mapping[int, str]
    nonce: int
    head: int

    def receipt(self, transaction: Open) -> Receipt | None:
        """The receipt of one of its attempts, where everything else that was seen agrees with it:
        a node may have it from a block that was lost, or from nowhere."""
        found = (self.receipts[a.hash] for a in transaction.attempts if a.hash in self.receipts)
        return next((r for r in found if self._agrees(r, transaction.nonce)), None)

    def _agrees(self, receipt: Receipt, nonce: int) -> bool:
        return (
            receipt.block_number <= self.head
            and self.canonical.get(receipt.block_number) == receipt.block_hash
            and self.nonce > nonce
        )


def changes(transactions: Sequence[Open], seen: Seen, *, confirmations: int) -> list[Change]:
    """What became of each transaction."""
    found = [
        _waiting(t, seen, confirmations) if t.waits else _mined(t, seen, confirmations)
        for t in transactions
    ]
    return [change for change in found if change is not None]


def doubtful(
    transactions: Sequence[Open], *, nonce: int, head: int, confirmations: int
) -> list[Open]:
    """Those that are about to be given up: whether any provider has a receipt is to be asked."""
    return [
        t
        for t in transactions
        if t.waits and nonce > t.nonce and _long_overtaken(t, head, confirmations)
    ]


def _waiting(transaction: Open, seen: Seen, confirmations: int) -> Change | None:
    receipt = seen.receipt(transaction)
    if receipt is not None:
        return Mined(transaction, receipt)
    if seen.nonce <= transaction.nonce:
        return None if transaction.overtaken_at is None else Overtaken(transaction, None)
    if any(a.hash in seen.receipts for a in transaction.attempts):
        # Somebody has one that does not fit: nothing is given up on that.
        return None
    if transaction.overtaken_at is None:
        return Overtaken(transaction, seen.head)
    if _long_overtaken(transaction, seen.head, confirmations):
        return Replaced(transaction)
    return None


def _long_overtaken(transaction: Open, head: int, confirmations: int) -> bool:
    return transaction.overtaken_at is not None and head >= transaction.overtaken_at + confirmations


def _mined(transaction: Open, seen: Seen, confirmations: int) -> Change | None:
    assert transaction.block_number is not None
    now_there = seen.canonical.get(transaction.block_number)
    if now_there is None:
        # The node is a block or two late, or the new fork is: neither says anything yet.
        return None
    if now_there == transaction.block_hash:
        deep = seen.head - transaction.block_number >= confirmations
        return Final(transaction) if deep else None
    receipt = seen.receipt(transaction)
    return Lost(transaction) if receipt is None else Mined(transaction, receipt)
