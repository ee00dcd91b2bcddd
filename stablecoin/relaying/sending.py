"""Write ahead, then send: every byte that a node may get is stored before any node gets it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from chains.evm.fees import Fees
from chains.evm.ports import Sent
from chains.evm.transactions import RelayerKey, SignedTransaction, sign
from fairlane.core import arrays, bulk, transitions
from fairlane.core.models import Work
from fairlane.core.transitions import Move
from stablecoin import locks
from stablecoin.models import Attempt, Relayer, Request, Transaction
from stablecoin.relaying.offers import Offer, Replace, Resend
from stablecoin.stage_names import send
from stablecoin.states import REQUEST

logger = structlog.get_logger(__name__)

# A transfer of nothing to oneself: what fills a nonce.
FILLER_GAS = 21_000


@dataclass(frozen=True, slots=True)
class Signer:
    """A relayer with its key."""

    relayer_id: UUID
    chain_id: int
    contract: str
    key: RelayerKey


@dataclass(frozen=True, slots=True)
class Ready:
    """A request whose call would succeed now, with its data and gas limit."""

    request_id: UUID
    data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Packet:
    """Stored bytes that are to be sent."""

    attempt_id: int
    transaction_id: int
    request_id: UUID | None
    hash: str
    raw: bytes


def store_new(signer: Signer, ready: Sequence[Ready], fees: Fees) -> list[Packet]:
    """Give requests the next nonces, and store their signed transactions.

    Only for requests that still wait for it. Part of the caller's transaction, which holds the
    relayer's claim; the cursor's lock keeps out whoever believes to hold it too.
    """
    relayer = Relayer.objects.select_for_update().get(id=signer.relayer_id)
    taken = _take([r.request_id for r in ready], signer.chain_id)
    chosen = [r for r in ready if r.request_id in taken]
    nonces = range(relayer.next_nonce, relayer.next_nonce + len(chosen))
    Relayer.objects.filter(id=relayer.id).update(next_nonce=nonces.stop)
    signed = [
        _sign(signer, nonce, signer.contract, r.data, r.gas, fees)
        for nonce, r in zip(nonces, chosen, strict=True)
    ]
    ids = _insert(signer, [(n, r.request_id, r.gas) for n, r in zip(nonces, chosen, strict=True)])
    return _store(
        [
            (ids[n], r.request_id, 1, s, fees, False)
            for n, r, s in zip(nonces, chosen, signed, strict=True)
        ]
    )


def store_fillers(signer: Signer, nonces: Sequence[int], fees: Fees) -> list[Packet]:
    """Store transactions that fill nonces which no transaction was ever made for."""
    ids = _insert(signer, [(nonce, None, FILLER_GAS) for nonce in nonces])
    return _store([(ids[n], None, 1, _fill(signer, n, fees), fees, True) for n in nonces])


def store_offers(signer: Signer, offered: Sequence[Offer], data: dict[UUID, bytes]) -> list[Packet]:
    """Store the attempts that replace others; returns these and the bytes to send again.

    Args:
        data: the contract's call of each request that is still to be carried out. The nonces of
            the others are only filled.
    """
    packets = [
        Packet(
            o.attempt.id, o.transaction.id, o.transaction.request_id, o.attempt.hash, o.attempt.raw
        )
        for o in offered
        if isinstance(o, Resend)
    ]
    replaced = [o for o in offered if isinstance(o, Replace)]
    new = [
        (
            o.transaction.id,
            o.transaction.request_id,
            o.transaction.last.number + 1,
            _replacement(signer, o, data),
            o.fees,
            _fills(o, data),
        )
        for o in replaced
    ]
    granted = [o.transaction.id for o in replaced if not o.cancels]
    Transaction.objects.filter(id__in=granted, wish="speed_up").update(wish="")
    return packets + _store(new)


def record(packets: Sequence[Packet], answers: Sequence[Sent]) -> None:
    """What the nodes said. It proves nothing; only what they have taken is told as sent."""
    now = datetime.now(UTC)
    bulk.update(
        Attempt,
        [
            {"id": p.attempt_id, "sent_at": now, "answer": f"{a.result} {a.message}"[:200].strip()}
            for p, a in zip(packets, answers, strict=True)
        ],
        key="id",
    )
    taken = [p for p, a in zip(packets, answers, strict=True) if a.result in ("accepted", "known")]
    locks.hold({p.request_id for p in taken if p.request_id})
    Transaction.objects.filter(id__in=[p.transaction_id for p in taken], state="SIGNED").update(
        state="BROADCAST"
    )
    transitions.move(
        Request,
        REQUEST,
        [
            Move(p.request_id, "SUBMITTED", {"txHash": p.hash}, {"transaction_hash": p.hash})
            for p in taken
            if p.request_id
        ],
        only_from=["SIGNED"],
    )
    _tell(packets, answers)


def _tell(packets: Sequence[Packet], answers: Sequence[Sent]) -> None:
    odd = [
        (p, a)
        for p, a in zip(packets, answers, strict=True)
        if a.result in ("insufficient_funds", "refused", "unknown", "underpriced")
    ]
    for packet, answer in odd[:1]:
        level = (
            logger.error if answer.result in ("insufficient_funds", "refused") else logger.warning
        )
        level(
            "relayer.send_answered",
            result=answer.result,
            message=answer.message,
            count=len(odd),
            hash=packet.hash,
        )


def _take(ids: Sequence[UUID], chain_id: int) -> set[UUID]:
    """Take the work of requests that still wait to be sent on this chain."""
    waiting = Work.objects.select_for_update().filter(
        object_id__in=ids, stage=send(chain_id), quarantined_at=None
    )
    held = set(waiting.order_by("object_id").values_list("object_id", flat=True))
    still = set(Request.objects.filter(id__in=held, status="SIGNED").values_list("id", flat=True))
    Work.objects.filter(object_id__in=held).delete()
    return still


def _insert(signer: Signer, rows: Sequence[tuple[int, UUID | None, int]]) -> dict[int, int]:
    """Store transactions of nonce, request and gas; returns their ids by nonce."""
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stablecoin_transaction (relayer_id, nonce, request_id, state, gas, wish,"
            " mined_hash, block_hash, error)"
            " SELECT %s, nonce, request, 'SIGNED', gas, '', '', '', ''"
            " FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[]) AS i(nonce, request, gas)"
            " RETURNING nonce, id",
            [
                signer.relayer_id,
                arrays.literal(nonce for nonce, _, _ in rows),
                arrays.literal(request for _, request, _ in rows),
                arrays.literal(gas for _, _, gas in rows),
            ],
        )
        return dict(cursor.fetchall())


def _store(
    attempts: Sequence[tuple[int, UUID | None, int, SignedTransaction, Fees, bool]],
) -> list[Packet]:
    """Store attempts: transaction, request, number, bytes, fees, whether it only fills."""
    if not attempts:
        return []
    columns: list[list[Any]] = [
        [transaction_id for transaction_id, *_ in attempts],
        [number for _, _, number, *_ in attempts],
        [signed.hash for _, _, _, signed, _, _ in attempts],
        [signed.raw for _, _, _, signed, _, _ in attempts],
        [fees.max_fee for *_, fees, _ in attempts],
        [fees.priority_fee for *_, fees, _ in attempts],
        [cancels for *_, cancels in attempts],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stablecoin_attempt (transaction_id, number, hash, raw, max_fee,"
            " priority_fee, cancels, answer) SELECT *, '' FROM unnest(%s::bigint[], %s::smallint[],"
            " %s::text[], %s::bytea[], %s::numeric[], %s::numeric[], %s::boolean[])"
            " RETURNING hash, id",
            [arrays.literal(column) for column in columns],
        )
        ids = dict(cursor.fetchall())
    return [
        Packet(ids[signed.hash], transaction_id, request_id, signed.hash, signed.raw)
        for transaction_id, request_id, _, signed, _, _ in attempts
    ]


def _fills(offer: Replace, data: dict[UUID, bytes]) -> bool:
    """Whether the attempt does nothing for a request."""
    return offer.cancels or offer.transaction.request_id not in data


def _replacement(signer: Signer, offer: Replace, data: dict[UUID, bytes]) -> SignedTransaction:
    transaction = offer.transaction
    if transaction.request_id is None or _fills(offer, data):
        return _fill(signer, transaction.nonce, offer.fees)
    call = data[transaction.request_id]
    return _sign(signer, transaction.nonce, signer.contract, call, transaction.gas, offer.fees)


def _fill(signer: Signer, nonce: int, fees: Fees) -> SignedTransaction:
    return _sign(signer, nonce, signer.key.address, b"", FILLER_GAS, fees)


def _sign(
    signer: Signer, nonce: int, to: str, data: bytes, gas: int, fees: Fees
) -> SignedTransaction:
    return sign(
        signer.key, chain_id=signer.chain_id, nonce=nonce, to=to, data=data, gas=gas, fees=fees
    )
