"""The venue's book: bids, auctions, reservations and what they cost. No I/O; in memory."""

from collections.abc import Sequence
from typing import Any

from chains.blockspace import RECEIPT_STATES, Bid
from sandbox.services.raiku import auction
from sandbox.services.raiku.feed import Feed
from sandbox.services.raiku.knobs import RaikuKnobs, happens
from sandbox.services.raiku.leaders import leader
from sandbox.services.raiku.reservations import (
    BELOW_MINIMUM,
    CU_LIMIT,
    DUPLICATE,
    NOT_A_LEADER,
    TOO_EARLY,
    TOO_LATE,
    RefusedError,
    Reservation,
    Transaction,
    name,
    units_of,
)

MAX_RESERVATIONS = 100_000


class Book:
    """Answers clients, and moves on with the cluster's slots.

    `now` is the slot it stands at; None until the node has told one. What it was asked in an
    earlier life it has forgotten, and it says so instead of guessing.
    """

    def __init__(self, *, seed: int, share: int, lead: int, feed: Feed) -> None:
        self.knobs = RaikuKnobs()
        self.feed = feed
        self.now: int | None = None
        self._seed = seed
        self._share = share
        self._lead = lead
        self._by_client: dict[str, Reservation] = {}
        self._by_id: dict[str, Reservation] = {}
        self._by_slot: dict[int, list[Reservation]] = {}
        self._in_flight: list[Reservation] = []
        # Up to this slot bids may have been taken that are not remembered.
        self._forgotten = -1

    @property
    def slot(self) -> int:
        """
        Raises:
            RefusedError: the venue does not know the slot yet.
        """
        if self.now is None:
            raise RefusedError("not_yet", "the venue has just started")
        return self.now

    @property
    def in_flight(self) -> Sequence[Reservation]:
        """What was sent and has not ended."""
        return [one for one in self._in_flight if not one.has_ended]

    def offers(self, first: int, last: int) -> list[dict[str, Any]]:
        """The venue's slots of the range, both ends included."""
        offers = []
        for slot in range(first, last + 1):
            address = leader(self._seed, self._share, slot)
            if address is None:
                continue
            terms = self._terms(slot)
            offers.append(
                {
                    "slot": slot,
                    "leader": address,
                    "opensAtSlot": terms.opens_at,
                    "closesAtSlot": terms.closes_at,
                    "minMicroLamportsPerCu": terms.floor,
                    "cuFree": self._free(slot),
                }
            )
        return offers

    def bid(self, asked: Bid) -> dict[str, Any]:
        """Take a bid, or tell what became of it.

        Raises:
            RefusedError: the venue has just started.
        """
        terms = (asked.slot, asked.cu, asked.max_micro_lamports_per_cu)
        bid = Reservation(name(asked.client_id, *terms), asked.client_id, *terms)
        known = self._by_client.get(bid.client_id)
        if known is not None:
            return (known if known.id == bid.id else bid.rejected(DUPLICATE)).to_json()
        reason = self._objection(bid)
        if reason == TOO_LATE and bid.slot <= self._forgotten:
            return bid.unknown()
        self._keep(bid)
        if reason is not None:
            return bid.rejected(reason).to_json()
        bid.move("BIDDING")
        self._by_slot.setdefault(bid.slot, []).append(bid)
        return bid.to_json()

    def cancel(self, reservation_id: str) -> None:
        """
        Raises:
            RefusedError: unknown, or its auction has closed.
        """
        found = self._found(reservation_id)
        if found.state == "CANCELLED":
            return
        if found.state != "BIDDING":
            raise RefusedError("too_late", f"it is {found.state}")
        found.move("CANCELLED")
        self._by_slot[found.slot].remove(found)

    def submit(self, reservation_id: str, transactions: Sequence[Transaction]) -> None:
        """Bind transactions to a slot that was won.

        Raises:
            RefusedError: unknown, not won yet or at all, too late, too large, or others are bound.
        """
        found = self._found(reservation_id)
        if found.transactions:
            if found.transactions != tuple(transactions):
                raise RefusedError("duplicate", "it has other transactions")
            return
        if found.state == "BIDDING":
            raise RefusedError("not_yet", "its auction is open")
        if found.state != "WON":
            raise RefusedError("too_late", f"it is {found.state}")
        if units_of(transactions) > found.cu:
            raise RefusedError("cu_limit", f"{found.cu} units are reserved")
        found.transactions = tuple(transactions)
        found.move("SUBMITTED")

    def asked_jit(self, client_id: str, *terms: object) -> dict[str, Any] | None:
        """The answer to a bid for immediate inclusion that was made before."""
        known = self._by_client.get(client_id)
        if known is None:
            return None
        bid = Reservation(name(client_id, *terms), client_id, self.slot, 0, 0, jit=True)
        return (known if known.id == bid.id else bid.rejected(DUPLICATE)).to_json()

    def jit(self, bid: Reservation, transactions: Sequence[Transaction]) -> None:
        """Sell space in the slot of now; what is SUBMITTED afterwards is to be sent."""
        self._keep(bid)
        reason = self._jit_objection(bid, transactions)
        if reason is not None:
            bid.rejected(reason)
            return
        bid.move("BIDDING")
        if self.knobs.outbid:
            self._tell(bid, "outbid")
            return
        bid.cost = auction.lamports(bid.cu, bid.price)
        bid.transactions = tuple(transactions)
        self._tell(bid, "won")
        bid.move("SUBMITTED")
        bid.sent = True
        self._by_slot.setdefault(bid.slot, []).append(bid)
        self._in_flight.append(bid)

    def advance(self, slot: int) -> list[Reservation]:
        """A slot has begun; returns what is to be sent in it."""
        if self.now is None:
            self._forgotten = slot + self._lead
        elif slot <= self.now:
            return []
        self.now = slot
        due: list[Reservation] = []
        for reserved in sorted(self._by_slot):
            self._close(reserved)
            for one in self._by_slot[reserved]:
                if one.state == "SUBMITTED":
                    self._tell(one, "pre-confirmation")
            if reserved <= slot:
                due += self._begin(reserved)
            if reserved < slot:
                del self._by_slot[reserved]
        self._in_flight = [*self.in_flight, *due]
        self.feed.release(slot)
        self._forget()
        return due

    def preconfirm(self, reservation: Reservation) -> None:
        """Promise what was just sent."""
        if reservation.state == "SUBMITTED":
            self._tell(reservation, "pre-confirmation")

    def end(
        self, reservation: Reservation, kind: str, *, reason: str = "", landed: int | None = None
    ) -> None:
        """What the chain shows of a reservation that was sent; `landed` is the slot."""
        charged = 0 if kind == "failed" else reservation.cost
        self._tell(reservation, kind, reason=reason, charged=charged, slot=landed)

    def _objection(self, bid: Reservation) -> str | None:
        """Why a bid is not taken. What holds at any time comes first, so that a bid is rejected
        the same way however often the venue was restarted."""
        terms = self._terms(bid.slot)
        if leader(self._seed, self._share, bid.slot) is None:
            return NOT_A_LEADER
        if bid.price < terms.floor:
            return BELOW_MINIMUM
        if bid.cu > auction.SLOT_CU:
            return CU_LIMIT
        if self.slot < terms.opens_at:
            return TOO_EARLY
        return TOO_LATE if self.slot >= terms.closes_at else None

    def _jit_objection(self, bid: Reservation, transactions: Sequence[Transaction]) -> str | None:
        if leader(self._seed, self._share, bid.slot) is None:
            return NOT_A_LEADER
        if bid.price < auction.jit_floor(self._terms(bid.slot).floor):
            return BELOW_MINIMUM
        too_large = units_of(transactions) > bid.cu or bid.cu > self._free(bid.slot)
        return CU_LIMIT if too_large else None

    def _close(self, slot: int) -> None:
        """Hold the auction of a slot once its time has come."""
        terms = self._terms(slot)
        bidding = [one for one in self._by_slot[slot] if one.state == "BIDDING"]
        if not bidding or self.slot < terms.closes_at:
            return
        outcome = auction.clear([auction.Offer(b.cu, b.price) for b in bidding], terms=terms)
        winners = () if self.knobs.outbid else outcome.winners
        for position, one in enumerate(bidding):
            if position in winners:
                one.cost = auction.lamports(one.cu, outcome.price)
            self._tell(one, "won" if position in winners else "outbid")

    def _begin(self, slot: int) -> list[Reservation]:
        """The slot is there, or has passed: what is to be sent in it."""
        skipped = slot < self.slot or happens(self.knobs.skipped, self._seed, f"skip/{slot}")
        due = []
        for one in self._by_slot[slot]:
            if one.state == "WON":
                self._tell(one, "unused", charged=one.cost)
            elif one.state == "PRECONFIRMED" and not one.sent:
                if skipped:
                    self._tell(one, "failed", reason="slot skipped")
                else:
                    one.sent = True
                    due.append(one)
        return due

    def _tell(
        self,
        of: Reservation,
        kind: str,
        *,
        reason: str = "",
        charged: int = 0,
        slot: int | None = None,
    ) -> None:
        of.move(RECEIPT_STATES[kind], reason=reason, charged=charged)
        self.feed.tell(of, kind, knobs=self.knobs, now=self.slot, slot=slot)

    def _terms(self, slot: int) -> auction.Terms:
        return auction.terms(self._seed, slot, lead=self._lead)

    def _free(self, slot: int) -> int:
        held = sum(one.cu for one in self._by_slot.get(slot, ()) if one.holds_space)
        return auction.SLOT_CU - held

    def _found(self, reservation_id: str) -> Reservation:
        found = self._by_id.get(reservation_id)
        if found is None:
            raise RefusedError("unknown", "there is no such reservation, or not any more")
        return found

    def _keep(self, reservation: Reservation) -> None:
        self._by_client[reservation.client_id] = reservation
        self._by_id[reservation.id] = reservation

    def _forget(self) -> None:
        """Drop the oldest of too many."""
        while len(self._by_client) > MAX_RESERVATIONS:
            oldest = next(iter(self._by_client.values()))
            if not oldest.has_ended:
                return
            del self._by_client[oldest.client_id], self._by_id[oldest.id]
            if oldest.state != "REJECTED":
                self._forgotten = max(self._forgotten, oldest.slot)
