"""Pack: put transfers that are due into signed transactions, store these, and send them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import transaction
from uuid_utils.compat import uuid7

from batches import registry, settlement
from batches.ledger import Journal
from batches.models import Batch, Packet, Transfer
from batches.moving import escrows, lanes, payouts, rows
from batches.stage_names import LAND, PULL
from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import Blockhash, SolanaNode
from chains.solana import transfers
from fairlane.core import bulk, checkpoints, claims, wakeups
from fairlane.core.claims import Claim, Step

logger = structlog.get_logger(__name__)

OUTAGE_LOOK_MS = 500


@dataclass(frozen=True, slots=True)
class Packed:
    """A transaction and the transfers that it carries, in its order."""

    id: UUID
    carried: Sequence[Transfer]
    signed: transfers.Signed

    @property
    def tick_id(self) -> UUID | None:
        """The tick that it settles."""
        batch = self.carried[0].batch
        return batch.tick_id if batch else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the chain says before transfers are packed.

    Attributes:
        hopeless: those that cannot happen, and why.
        homeless: those that have to wait for an account.
        blockhash, unit_price: what transactions are built on now.
    """

    hopeless: Mapping[UUID, str]
    homeless: Collection[UUID]
    blockhash: Blockhash
    unit_price: int


def work(claim: Claim) -> None:
    """Pack the transfers of a claim."""
    found = rows.due(claim.ids)
    claim.finish(set(claim.ids) - {row.id for row in found})
    if not found:
        return
    try:
        asked = adapters.run(_ask(claim.stage, adapters.solana(), found))
    except ChainError as error:
        logger.warning("packing.waits", reason=str(error))
        claim.hand_over({row.id: Step(claim.stage, OUTAGE_LOOK_MS) for row in found})
        return
    found = _without_waiting(claim, found, asked, datetime.now(UTC))
    packets = _pack([row for row in found if row.id not in asked.hopeless], asked)
    checkpoints.reach(f"{claim.stage}.before_persist")
    stored = _record(claim, found, packets, asked)
    checkpoints.reach(f"{claim.stage}.persisted")
    _send(stored)
    checkpoints.reach(f"{claim.stage}.sent")


def _without_waiting(
    claim: Claim, found: Sequence[Transfer], asked: Asked, now: datetime
) -> list[Transfer]:
    """Let those wait that may be possible later; returns the others."""
    payouts.let_wait(claim, [row for row in found if row.id in asked.homeless], now)
    hopeless = [row for row in found if row.id in asked.hopeless]
    doubtful = [row for row in hopeless if escrows.is_doubtful(row, now)]
    escrows.look_again(claim, doubtful, asked.hopeless)
    waiting = {row.id for row in doubtful}.union(asked.homeless)
    return [row for row in found if row.id not in waiting]


def _record(
    claim: Claim, found: Sequence[Transfer], packets: Sequence[Packed], asked: Asked
) -> list[Packed]:
    """Refuse what is hopeless, and store the packets; returns those that are to be sent."""
    with transaction.atomic():
        working = claim.hold([row.id for row in found])
        claim.finish(working)
        parcels = {row.parcel for row in found if row.id in working}
        escrows.hold(row for row in found if row.id in asked.hopeless)
        # One that was cancelled meanwhile is not due any more.
        held = rows.hold_due([row.id for row in found if row.parcel in parcels])
        journal = Journal()
        escrows.refuse({i: why for i, why in asked.hopeless.items() if i in held}, journal)
        stored = [p for p in packets if all(row.id in held for row in p.carried)]
        _store(stored, asked.blockhash)
        # The rest of a packet that lost one is packed anew.
        done = {*asked.hopeless, *(row.id for p in stored for row in p.carried)}
        again = [row for row in found if row.id in held - done]
        claims.open_work(rows.leads(again), claim.stage)
        wakeups.wake(LAND)
        journal.post()
    return stored


async def _ask(stage: str, node: SolanaNode, found: Sequence[Transfer]) -> Asked:
    vaults = sorted({registry.vault(row.market, row.mint) for row in found})
    hopeless, homeless, blockhash, unit_price = await asyncio.gather(
        escrows.hopeless(node, found) if stage == PULL else _none(),
        payouts.homeless(node, found),
        node.latest_blockhash(),
        node.prioritization_fee(vaults),
    )
    return Asked(hopeless, homeless, blockhash, unit_price)


async def _none() -> Mapping[UUID, str]:
    return {}


def _pack(found: Sequence[Transfer], asked: Asked) -> list[Packed]:
    """Transactions for transfers, as few as hold them."""
    coordinator = registry.address_of(registry.COORDINATOR)
    groups: dict[object, list[Transfer]] = {}
    for row in found:
        groups.setdefault(_company(row), []).append(row)
    packed: list[Packed] = []
    for group in groups.values():
        chain = [rows.on_chain(row) for row in group]
        batch, done, id_ = group[0].batch, 0, uuid7()
        length = len(_reference(id_, batch))
        for part in transfers.pack(
            chain, payer=coordinator, authority=coordinator, reference_length=length
        ):
            reference = _reference(id_, batch)
            packet = transfers.Packet(coordinator, coordinator, part, reference, asked.unit_price)
            message = transfers.build(packet, blockhash=asked.blockhash.value)
            signed = transfers.sign(message, adapters.batch_keys())
            packed.append(Packed(id_, group[done : done + len(part)], signed))
            done, id_ = done + len(part), uuid7()
    return packed


def _reference(packet: UUID, batch: Batch | None) -> str:
    """What names a packet on chain, with the tick that it settles."""
    return str(packet) if batch is None else settlement.reference(packet, batch.number)


def _company(row: Transfer) -> object:
    """What a transfer shares transactions with: those of its tick. A deposit shares its own with
    none, and nor does what has failed, or whoever lets his own fail would keep others from ever
    being moved."""
    if row.tries or row.parcel != row.id:
        return row.parcel
    return row.batch.tick_id if row.batch else None


def _store(packets: Sequence[Packed], blockhash: Blockhash) -> None:
    bulk.insert(
        Packet,
        [
            {
                "id": packet.id,
                "direction": packet.carried[0].direction,
                "tick_id": packet.tick_id,
                "status": "SIGNED",
                "signature": packet.signed.signature,
                "transaction": packet.signed.raw,
                "first_slot": blockhash.slot,
                "last_valid_block_height": blockhash.last_valid_block_height,
                "error": "",
            }
            for packet in packets
        ],
    )
    rows.update(
        [
            {
                "id": row.id,
                "status": "PACKED",
                "packet_id": packet.id,
                "position": position,
                "reason": "",
            }
            for packet in packets
            for position, row in enumerate(packet.carried)
        ]
    )
    claims.open_work([packet.id for packet in packets], LAND)


def _send(packets: Sequence[Packed]) -> None:
    """Send what is stored, settlements by their tick's lane. What is answered decides nothing."""
    if not packets:
        return
    settlements: dict[UUID, list[bytes]] = {}
    for packet in packets:
        if packet.tick_id is not None:
            settlements.setdefault(packet.tick_id, []).append(packet.signed.raw)
    taken = lanes.send(settlements)
    plain = [packet.signed.raw for packet in packets if packet.tick_id not in taken]
    if plain:
        adapters.run(adapters.solana().send(plain))
    Packet.objects.filter(id__in=[p.id for p in packets]).update(sent_at=datetime.now(UTC))
