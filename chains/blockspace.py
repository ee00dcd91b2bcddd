"""What the apps ask of a seller of block space: the protocol and the values that cross it.

The port is ours. It holds what is publicly known of Raiku (sealed auctions of future slots,
immediate inclusion at a first price, three kinds of receipts), not the wire of its client API.

Slots are the cluster's, prices micro-lamports per compute unit (CU), charges lamports, transactions
their signed wire bytes. Every adapter raises only the errors of `chains.errors`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal[
    "NEW",
    "BIDDING",
    "WON",
    "OUTBID",
    "CANCELLED",
    "REJECTED",
    "SUBMITTED",
    "PRECONFIRMED",
    "INCLUDED",
    "REVERTED",
    "FAILED",
    "EXPIRED_UNUSED",
]

# The life of a reservation at the venue. Whoever polls it may see several steps as one. Immediate
# inclusion takes the steps up to SUBMITTED at once.
TRANSITIONS: Mapping[State, tuple[State, ...]] = {
    "NEW": ("BIDDING", "REJECTED"),
    "BIDDING": ("WON", "OUTBID", "CANCELLED"),
    "WON": ("SUBMITTED", "EXPIRED_UNUSED"),
    # A venue in trouble fails what it has not pre-confirmed.
    "SUBMITTED": ("PRECONFIRMED", "FAILED"),
    "PRECONFIRMED": ("INCLUDED", "REVERTED", "FAILED"),
    # Costs nothing.
    "REJECTED": (),
    "OUTBID": (),
    "CANCELLED": (),
    # The slot was skipped, or the transactions are not in it. Costs nothing.
    "FAILED": (),
    # Charged: the space was kept free.
    "EXPIRED_UNUSED": (),
    "REVERTED": (),
    "INCLUDED": (),
}

# What each kind of receipt says became of its reservation. `pre-confirmation`, `final-inclusion`
# and `failed` are Raiku's public kinds; the others tell what would have to be asked for.
RECEIPT_STATES: Mapping[str, State] = {
    "won": "WON",
    "outbid": "OUTBID",
    "unused": "EXPIRED_UNUSED",
    "pre-confirmation": "PRECONFIRMED",
    "final-inclusion": "INCLUDED",
    "reverted": "REVERTED",
    "failed": "FAILED",
}


@dataclass(frozen=True, slots=True)
class SlotOffer:
    """A slot that the venue's validators lead.

    Attributes:
        leader: the validator's address.
        opens_at_slot: the first slot during which bids are taken.
        closes_at_slot: the first during which they no longer are.
        cu_free: what has not been sold of it.
    """

    slot: int
    leader: str
    opens_at_slot: int
    closes_at_slot: int
    min_micro_lamports_per_cu: int
    cu_free: int


@dataclass(frozen=True, slots=True)
class Bid:
    """An offer for space in one slot, at this price or less. `client_id` is the caller's name of
    it, at most 64 printable characters."""

    client_id: str
    slot: int
    cu: int
    max_micro_lamports_per_cu: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """A bid, and what the venue says became of it.

    Attributes:
        id: the venue's name of it.
        state: UNKNOWN where the venue cannot tell what it answered before, after a restart for
            one: nothing follows from it, and the chain has to be looked at.
        reason: why it was REJECTED or FAILED, in the venue's words.
        charged: lamports, once it has ended.
    """

    id: str
    client_id: str
    state: State | Literal["UNKNOWN"]
    slot: int
    reason: str
    charged: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the venue told of a reservation. It settles nothing: what the chain shows does.

    Attributes:
        seq: rises, with gaps; where reading resumes.
        kind: one of `RECEIPT_STATES`, or something newer.
        slot: where the transactions are, or the slot reserved for them.
    """

    seq: int
    reservation_id: str
    client_id: str
    kind: str
    slot: int | None
    reason: str
    charged_lamports: int


class BlockspaceVenue(Protocol):
    """Sells space in blocks: in a slot ahead of time (AOT), or just in time (JIT)."""

    async def slots(self, first: int, last: int) -> list[SlotOffer]:
        """The venue's slots of the range, both ends included, in order; also those whose auction
        has closed.

        Raises:
            Transient: no usable answer.
            Definitive: the range is refused.
        """

    async def bid_aot(self, bids: Sequence[Bid]) -> list[Reservation]:
        """Bid in sealed auctions, and learn what became of earlier bids: one answer per bid.

        A bid counts once by its `client_id`, so asking again is safe, and how its state is read.

        Raises:
            Transient: no usable answer; some of the bids may stand.
            Definitive: the bids are refused as a whole.
        """

    async def cancel(self, reservation_id: str) -> None:
        """Withdraw a bid while its auction is open; safe to repeat.

        Raises:
            Transient: no usable answer; it may be withdrawn.
            Definitive: its auction has closed.
            Ambiguous: the venue does not know the reservation.
        """

    async def submit(self, reservation_id: str, transactions: Sequence[bytes]) -> None:
        """Bind transactions to a slot that was won, until it begins; safe to repeat with the same.

        Raises:
            Transient: the slot is not won yet: the venue has not taken them.
            Definitive: it has refused them.
            Ambiguous: it may have taken them, or does not know the reservation.
        """

    async def bid_jit(
        self, client_id: str, transactions: Sequence[bytes], cu: int, micro_lamports_per_cu: int
    ) -> Reservation:
        """Buy immediate inclusion at the price that is bid; safe to repeat with the same.

        Raises:
            Transient: the venue says that it cannot now: it has sent nothing.
            Definitive: it refuses the request.
            Ambiguous: it may have sent them.
        """

    async def receipts(self, after_seq: int, limit: int) -> list[Receipt]:
        """Receipts behind `after_seq`, by rising `seq`, at most `limit`.

        Each may come more than once, late, out of order or never: tell them apart by
        (`reservation_id`, `kind`).

        Raises:
            Transient: no usable answer.
            Definitive: the question is refused.
        """

    async def aclose(self) -> None: ...
