"""The venue at work: it follows the slots, sends in those it sold, and looks at the chain."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from chains.errors import ChainError, outside_text
from chains.ports import SendOutcome, SignatureStatus, SlotSample
from sandbox.services.raiku.book import Book
from sandbox.services.raiku.landing import verdict
from sandbox.services.raiku.reservations import Reservation, Transaction, name

logger = logging.getLogger(__name__)


class Node(Protocol):
    """What the venue asks of a `chains.ports.SolanaNode`."""

    async def send(self, transactions: Sequence[bytes]) -> list[SendOutcome]: ...

    async def statuses(self, signatures: Sequence[str]) -> list[SignatureStatus | None]: ...


class Engine:
    def __init__(self, book: Book, node: Node) -> None:
        self.book = book
        self._node = node
        self._looking: asyncio.Task[None] | None = None

    async def follow(self, samples: AsyncIterator[SlotSample]) -> None:
        """Work for as long as there are slots."""
        async for sample in samples:
            await self.step(sample.slot)

    async def jit(
        self, client_id: str, transactions: Sequence[Transaction], *, cu: int, price: int
    ) -> dict[str, Any]:
        """Sell immediate inclusion, and send.

        Raises:
            ChainError: the node cannot be asked; nothing was sent.
            RefusedError: the venue has just started.
        """
        signatures = [one.signature for one in transactions]
        terms = ("jit", cu, price, signatures)
        if answer := self.book.asked_jit(client_id, *terms):
            return answer
        sent_before = any(await self._node.statuses(signatures))
        # The same may have been asked meanwhile.
        if answer := self.book.asked_jit(client_id, *terms):
            return answer
        id_ = name(client_id, *terms)
        bid = Reservation(id_, client_id, self.book.slot, cu, price, jit=True)
        if sent_before:
            return bid.unknown()
        self.book.jit(bid, transactions)
        if bid.state == "SUBMITTED":
            await self._send([bid])
            self.book.preconfirm(bid)
        return bid.to_json()

    async def step(self, slot: int) -> None:
        """A slot has begun. Sending comes first; looks never wait for one another."""
        await self._send(self.book.advance(slot))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self.look())

    async def look(self) -> None:
        """Tell what the chain shows of everything that was sent."""
        in_flight = self.book.in_flight
        if not in_flight:
            return
        now = self.book.slot
        signatures = [item.signature for one in in_flight for item in one.transactions]
        try:
            statuses = iter(await self._node.statuses(signatures))
        except ChainError as error:
            logger.warning("the node cannot be asked: %s", error)
            return
        for one in in_flight:
            found = [next(statuses) for _ in one.transactions]
            # A repeated look, or a promise that is still being made.
            if one.state != "PRECONFIRMED":
                continue
            told = verdict(
                found,
                slot=one.slot,
                anywhere=one.jit,
                seen=one.seen,
                now=now,
                send_errors=one.send_errors,
            )
            one.seen = one.seen or None not in found
            if told is not None:
                self.book.end(one, told.kind, reason=told.reason, landed=told.slot)

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _send(self, reservations: Sequence[Reservation]) -> None:
        bound = [(one, item) for one in reservations for item in one.transactions]
        if not bound:
            return
        outcomes = await self._node.send([item.raw for _, item in bound])
        for (reservation, _), outcome in zip(bound, outcomes, strict=True):
            if outcome.error is not None:
                reservation.send_errors = outside_text(outcome.error)
