"""What became of transactions of transfers, written down for a whole claim at once."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from batches import ledger
from batches.coordination import settling
from batches.ledger import Journal, Posting
from batches.models import Direction, Packet, Transfer
from batches.moving import escrows, lanes, rows
from batches.stage_names import PAY, PULL
from chains.ports import LandedTransaction
from chains.solana import transfers
from chains.solana.failures import explain
from chains.solana.swap import instruction_programs
from fairlane.core import bulk, claims, wakeups

logger = structlog.get_logger(__name__)

# Transactions that a transfer fails in, and that do not name it, before a person looks. All but the
# first carry nothing else.
MAX_TRIES = 5
# A payout that its transaction failed for is tried once more: its account may be gone since it was
# looked at, and then it waits for it.
MAX_BLAMED_TRIES = 2


@dataclass(slots=True)
class Outcomes:
    """Collected first and written last, so that all rows change in sets and in one order."""

    packets: list[dict[str, Any]] = field(default_factory=list)
    arrived: list[Transfer] = field(default_factory=list)
    paid: list[Transfer] = field(default_factory=list)
    ticks: set[UUID] = field(default_factory=set)
    again: list[Transfer] = field(default_factory=list)
    aside: dict[UUID, tuple[Transfer, str]] = field(default_factory=dict)
    refused: dict[UUID, tuple[Transfer, str]] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)

    def expired(self, packet: Packet, carried: Collection[Transfer]) -> None:
        """It can land no more: its transfers have not happened."""
        self._end(packet, "EXPIRED")
        self.again += carried

    def review(self, packet: Packet, carried: Collection[Transfer], reason: str) -> None:
        """A person has to find out what happened."""
        logger.error("packet.review", signature=packet.signature, reason=reason)
        self._end(packet, "REVIEW", reason)
        self.aside |= {row.id: (row, reason) for row in carried}

    def landed(
        self, packet: Packet, carried: Collection[Transfer], landed: LandedTransaction
    ) -> None:
        """It stands in a block: it did what it was to do, or nothing, or something else."""
        chain = [rows.on_chain(row) for row in carried]
        # Anybody may pay into an owner's account as well; the vault's own are the coordinator's
        # alone, but for what strangers give to it.
        owners = packet.direction == Direction.PAY
        gifted = {move.destination for move in chain} if owners else set()
        differences = transfers.differences(landed, chain, at_least=gifted)
        if differences and not packet.accepted:
            text = f"{packet.signature} moved something else: {dict(differences)}"
            self.review(packet, carried, text)
        elif landed.err is None:
            self._done(packet, carried, landed)
        else:
            self._failed(packet, list(carried), landed)

    def write(self) -> None:
        """Everything, in the caller's transaction: batches first, then orders, then transfers."""
        bulk.update(Packet, self.packets, key="id")
        rows.update([{"id": row.id, "status": "DONE"} for row in self.paid])
        settling.settle({row.batch_id for row in self.paid if row.batch_id})
        lanes.decide(self.ticks)
        pulls = [*self.arrived, *(row for row, _ in (*self.aside.values(), *self.refused.values()))]
        escrows.hold([*pulls, *self.again])
        rows.update([{"id": row.id, "status": "DONE"} for row in self.arrived])
        escrows.arrived(self.arrived, self.journal)
        rows.update(
            [
                {"id": id_, "status": "REVIEW", "tries": row.tries, "reason": reason[:200]}
                for id_, (row, reason) in self.aside.items()
            ]
        )
        escrows.uncertain(self.aside.values())
        unwanted = escrows.unwanted(self.again)
        send_again([row for row in self.again if row.id not in unwanted])
        refused = {id_: reason for id_, (_, reason) in self.refused.items()}
        escrows.refuse(refused | dict.fromkeys(unwanted, "asked for"), self.journal)
        self.journal.post()

    def _done(
        self, packet: Packet, carried: Collection[Transfer], landed: LandedTransaction
    ) -> None:
        self._end(packet, "CONFIRMED", landed=landed)
        pulls = packet.direction == Direction.PULL
        (self.arrived if pulls else self.paid).extend(carried)
        if packet.tick_id is not None:
            self.ticks.add(packet.tick_id)
        reference = f"packet:{packet.id}"
        self.journal.add(
            *(_entry(row)(reference, row.market_id, row.mint, int(row.amount)) for row in carried)
        )

    def _failed(self, packet: Packet, carried: list[Transfer], landed: LandedTransaction) -> None:
        """Nothing moved. The transfer to blame is out, and the others are packed again: alone, so
        that nobody is kept waiting twice by what others do."""
        reason = explain(landed.err, instruction_programs(_message(packet)))
        self._end(packet, "FAILED", reason, landed=landed)
        blamed = transfers.blamed(landed.err, [rows.on_chain(row) for row in carried])
        out = None if blamed is None else carried[blamed].parcel
        pulls = packet.direction == Direction.PULL
        for row in carried:
            row.tries += 1
            most = MAX_TRIES
            if row.parcel == out:
                most = 0 if pulls else MAX_BLAMED_TRIES
            if row.tries < most:
                self.again.append(row)
            elif pulls:
                self.refused[row.id] = row, reason
            else:
                # What is owed stays owed: a person finds out why it cannot be paid.
                self.aside[row.id] = row, reason

    def _end(
        self,
        packet: Packet,
        status: str,
        error: str = "",
        *,
        landed: LandedTransaction | None = None,
    ) -> None:
        self.packets.append(
            {
                "id": packet.id,
                "status": status,
                "error": error,
                "slot": landed.slot if landed else None,
                "fee": landed.fee if landed else None,
            }
        )


def _entry(row: Transfer) -> Callable[[str, int, str, int], Posting]:
    if row.direction == Direction.PAY:
        return ledger.paid
    return ledger.funded if row.order_id is None else ledger.escrowed


def send_again(carried: Collection[Transfer]) -> None:
    """Let transfers that have not happened be packed anew; part of the caller's transaction."""
    rows.update(
        [
            {
                "id": row.id,
                "status": "DUE",
                "packet_id": None,
                "position": None,
                "tries": row.tries,
                "reason": "",
            }
            for row in carried
        ]
    )
    for direction, stage in ((Direction.PULL, PULL), (Direction.PAY, PAY)):
        ids = rows.leads(row for row in carried if row.direction == direction)
        if ids:
            claims.open_work(ids, stage)
            wakeups.wake(stage)


def _message(packet: Packet) -> bytes:
    """The signed message: what follows the one signature."""
    return bytes(packet.transaction)[1 + 64 :]
