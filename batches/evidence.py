"""What a published batch is judged by beside itself, and what a check may find. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from batches.bundle import Bundle
from batches.receipts import SignedReceipt
from chains.solana.anchor import Anchor


@dataclass(frozen=True, slots=True)
class Moved:
    """What a token account has gained, or lost.

    Attributes:
        owner: the wallet that may spend from it.
        atoms: below zero where it has lost.
    """

    account: str
    owner: str
    mint: str
    atoms: int


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """A finalized transaction that succeeded, as the chain has it."""

    slot: int
    payer: str
    memos: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor, and the slot that it landed in."""

    slot: int
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Listing:
    """Every anchor that a coordinator has put on chain within a stretch of slots.

    Attributes:
        first_slot, last_slot: of the stretch, both included.
    """

    first_slot: int
    last_slot: int
    anchors: tuple[Anchored, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beside the bundle itself.

    Attributes:
        earlier: bundles of the same market, in any order. Nothing is believed of them but what the
            bundle or the chain proves.
        chain: transactions by signature.
        listing: the anchors around the bundle's own.
        receipts: of orders that may be in the batch.
        is_first: whether the market is known to have no batch before.
    """

    earlier: Sequence[Bundle] = ()
    chain: Mapping[str, ChainTransaction] = field(default_factory=dict)
    listing: Listing | None = None
    receipts: Sequence[SignedReceipt] = ()
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """What a check found wrong."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What a check would need."""

    what: str


Findings = Iterator[Broken | Missing]
