"""The anchor of a tick: one memo that puts the root of its batches on chain before they execute."""

import re
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.message import Message
from solders.pubkey import Pubkey

from chains.ports import LandedTransaction
from chains.solana import programs

# The memo program documents 566 bytes for these units; the longest anchor has fewer than 220. The
# node's own program uses some 700, so a dry run allows far less.
UNIT_LIMIT = 200_000

_NUMBER = r"(0|[1-9][0-9]{0,19})"
_HASH = r"([1-9A-HJ-NP-Za-km-z]{32,44})"
_TEXT = re.compile(
    rf"fairlane1 t={_NUMBER} cut={_NUMBER} exec={_NUMBER} n={_NUMBER} r={_HASH} prev={_HASH}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a tick commits to.

    Attributes:
        batches: how many headers the tree holds.
        root: the 32-byte root of the tick's tree.
        previous: the root of the tick anchored before; 32 zero bytes for the first.
    """

    tick: int
    cutoff_slot: int
    execution_slot: int
    batches: int
    root: bytes
    previous: bytes

    def __str__(self) -> str:
        return (
            f"fairlane1 t={self.tick} cut={self.cutoff_slot} exec={self.execution_slot}"
            f" n={self.batches} r={Pubkey.from_bytes(self.root)}"
            f" prev={Pubkey.from_bytes(self.previous)}"
        )


def parse(text: str) -> Anchor | None:
    """The anchor that `text` is; None for any other text, however close."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    try:
        root, previous = (bytes(Pubkey.from_string(match[group])) for group in (5, 6))
    except ValueError:
        return None
    tick, cutoff, execution, batches = (int(match[group]) for group in (1, 2, 3, 4))
    return Anchor(tick, cutoff, execution, batches, root, previous)


def build(
    anchor: Anchor,
    *,
    payer: str,
    blockhash: str,
    unit_price: int = 0,
    unit_limit: int = UNIT_LIMIT,
) -> bytes:
    """The message that anchors; `transfers.sign` makes the transaction of it.

    Args:
        unit_price: micro-lamports per compute unit.

    Raises:
        ValueError: the address, the blockhash or a root is malformed.
    """
    instructions = [
        set_compute_unit_limit(unit_limit),
        set_compute_unit_price(unit_price),
        programs.memo(str(anchor)),
    ]
    wallet = Pubkey.from_string(payer)
    return bytes(Message.new_with_blockhash(instructions, wallet, Hash.from_string(blockhash)))


def landed(transaction: LandedTransaction, *, payer: str) -> Anchor | None:
    """The anchor that `payer` put on chain with this transaction, which stands in its `slot`.

    None where it failed, is another wallet's, or holds anything but one anchor for its memos.
    """
    if transaction.err is not None or transaction.payer != payer or len(transaction.memos) != 1:
        return None
    return parse(transaction.memos[0])
