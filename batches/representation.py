"""Markets, batches and orders as the API, the sockets and the page show them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from solders.signature import Signature

from batches import offers, registry
from batches.band import TICKS, first_tick
from batches.models import (
    Batch,
    BatchFill,
    BatchOrder,
    Lane,
    Market,
    Reservation,
    SlotReading,
    Transfer,
)
from batches.records import OrderType, Side, TimeInForce
from batches.reserves import Reserves
from batches.terms import price_text
from batches.verification import STEPS, Verdict
from fairlane.core import history
from fairlane.core.models import Event
from orders.amounts import to_text

# Long after what a batch has put on chain is final.
_FINAL_AFTER = timedelta(minutes=1)


def market(row: Market, *, paused: bool, reserves: Reserves) -> dict[str, Any]:
    """A market with its terms, and the band that its next batch would have.

    Args:
        reserves: of its pool.
    """
    return {
        "market": row.name,
        "address": row.address,
        "base": _token(row.base_symbol, row.base_mint, row.base_decimals),
        "quote": _token(row.quote_symbol, row.quote_mint, row.quote_decimals),
        "lot": str(row.lot),
        "tick": str(row.tick),
        "feeBps": row.fee_bps,
        "cadenceMs": row.cadence_ms,
        "collarBps": row.collar_bps,
        "minimumNotional": str(row.minimum_notional),
        "ownerCap": None if row.owner_cap is None else str(row.owner_cap),
        "maxOpenOrders": row.max_open_orders,
        "lockMs": row.lock_ms,
        "cutoffLeadMs": registry.cutoff_lead_ms(row.cadence_ms),
        "lookAhead": row.look_ahead or settings.BATCH_LOOK_AHEAD,
        "active": row.active,
        "paused": paused,
        "reference": {"tick": row.reference, "price": price(row, row.reference)},
        "bandFirstTick": first_tick(row.reference),
        "bandTicks": TICKS,
        "coordinator": row.coordinator,
        "receiptKey": row.receipt_key,
        "pool": {
            "feeBps": row.pool_fee_bps,
            "base": to_text(reserves.base, row.base_decimals),
            "quote": to_text(reserves.quote, row.quote_decimals),
        }
        if row.uses_pool
        else None,
    }


def batch(
    row: Batch, reservation: Reservation | None, reading: SlotReading | None
) -> dict[str, Any]:
    """A batch with its market and tick.

    Args:
        reservation: of its tick.
    """
    tick = row.tick
    traded = row.price > 0
    quote = row.market.quote_decimals
    return {
        "id": str(row.id),
        "market": row.market.name,
        "batchNo": row.number,
        "slot": tick.target_slot,
        "cutoffSlot": tick.cutoff_slot,
        "eta": eta(row, reading).isoformat(timespec="milliseconds"),
        "status": row.status,
        "lane": tick.lane,
        "reserved": tick.lane in (Lane.AOT, Lane.JIT),
        "reservation": None
        if reservation is None
        else {
            "id": str(reservation.id),
            "state": reservation.state,
            "slot": reservation.slot,
            "charged": str(reservation.charged),
        },
        "merkleRoot": root(row),
        "tickRoot": _hex(tick.root),
        "anchorSignature": tick.anchor_signature,
        "anchorSlot": tick.anchor_slot,
        "clearingPrice": price(row.market, row.price) if traded else None,
        "clearingTick": row.price if traded else None,
        "volume": to_text(row.volume * row.market.lot, row.market.base_decimals),
        "volumeLots": row.volume,
        "turnover": to_text(row.turnover, quote),
        "fees": to_text(row.fees, quote),
        "pool": pool_leg(row),
        "orders": row.orders,
        "fills": row.fills,
        "reason": row.reason,
        "settlementSignatures": row.settlements,
        "settlementCount": row.settlement_count,
        "createdAt": row.created_at.isoformat(),
        "updatedAt": row.updated_at.isoformat(),
    }


def pool_leg(row: Batch) -> dict[str, Any] | None:
    """What the pool traded in a batch that has cleared; None where it took no part."""
    if not row.pool_used or row.result_root is None:
        return None
    return {
        "lots": row.pool_lots,
        "base": to_text(row.pool_lots * row.market.lot, row.market.base_decimals),
        "quote": to_text(row.pool_quote, row.market.quote_decimals),
    }


def why_nothing_executed(row: Batch) -> str:
    """What became of a batch that has committed to orders in vain; nothing of any other."""
    if row.status not in ("ROLLED", "VOIDED"):
        return ""
    return f"The batch is {row.status} and has executed nothing: {row.reason or 'no reason given'}"


def root(row: Batch) -> str | None:
    """The root of the batch's tree, which its header ends with."""
    return _hex(row.header and bytes(row.header)[-32:])


def eta(row: Batch, reading: SlotReading | None) -> datetime:
    """When its slot begins, by the clock of slots; without one, when its time says."""
    slot = row.tick.target_slot
    at_ms = float(row.tick.executes_at_ms)
    if reading is not None and slot is not None:
        at_ms = reading.at_ms + (slot - reading.slot) * reading.slot_ms
    return datetime.fromtimestamp(at_ms / 1_000, UTC)


def order(row: BatchOrder) -> dict[str, Any]:
    """An order with its market."""
    its = row.market
    signed = registry.order_of(row)
    buys = row.side == Side.BUY
    decimals = its.quote_decimals if buys else its.base_decimals
    return {
        "id": str(row.id),
        "hash": _hex(row.hash),
        "market": its.name,
        "wallet": row.wallet,
        "side": "buy" if buys else "sell",
        "type": "market" if row.type == OrderType.MARKET else "limit",
        "timeInForce": "roll" if row.time_in_force == TimeInForce.ROLL else "oneBatch",
        "limitTick": row.limit,
        "limitPrice": price(its, row.limit),
        "quantityLots": row.quantity,
        "quantity": to_text(row.quantity * its.lot, its.base_decimals),
        "remainingLots": row.remaining,
        "filledLots": row.quantity - row.remaining,
        "age": row.age,
        "status": row.status,
        "reason": row.reason,
        "batchNo": row.batch_no,
        "inBatch": row.batch_id is not None,
        "cancelling": row.cancelling,
        "nonce": str(signed.nonce),
        "maxFeeBps": row.max_fee_bps,
        "fromSlot": row.from_slot,
        "expirySlot": row.expiry_slot,
        "escrow": to_text(int(row.escrow), decimals),
        "escrowLeft": to_text(int(row.escrow_left), decimals),
        "receipt": {
            "record": _hex(row.receipt),
            "signature": str(Signature.from_bytes(bytes(row.receipt_signature))),
            "seq": row.receipt_seq,
        },
        "record": _hex(row.record),
        "signature": str(Signature.from_bytes(bytes(row.signature))),
        "seq": row.seq,
        "createdAt": row.created_at.isoformat(),
        "updatedAt": row.updated_at.isoformat(),
    }


def order_detail(
    row: BatchOrder,
    fills: Sequence[BatchFill],
    transfers: Sequence[Transfer],
    payouts: Sequence[Transfer],
    events: Sequence[Event],
) -> dict[str, Any]:
    """An order with what batches gave it, its money on the chain, and its history.

    Args:
        payouts: what these batches have paid its owner, for all his orders in them at once.
    """
    its, numbers = row.market, {fill.batch_id: fill.batch.number for fill in fills}
    return {
        **order(row),
        "fills": [
            {
                "batchNo": fill.batch.number,
                "lots": fill.lots,
                "quantity": to_text(fill.lots * its.lot, its.base_decimals),
                "price": price(its, fill.batch.price),
                "quote": to_text(fill.quote, its.quote_decimals),
                "fee": to_text(fill.fee, its.quote_decimals),
            }
            for fill in fills
        ],
        "transfers": [
            {
                "direction": transfer.direction,
                "mint": transfer.mint,
                "amount": str(transfer.amount),
                "status": transfer.status,
                "signature": transfer.packet.signature if transfer.packet else None,
                "reason": transfer.reason,
            }
            for transfer in transfers
        ],
        "payouts": [
            {
                "batchNo": numbers[transfer.batch_id],
                "mint": transfer.mint,
                "amount": str(transfer.amount),
                "status": transfer.status,
                "signature": transfer.packet.signature if transfer.packet else None,
            }
            for transfer in payouts
            if transfer.batch_id
        ],
        "history": [history.entry(event) for event in events],
    }


def verdict(found: Verdict, of: Batch | None = None) -> dict[str, Any]:
    """A verdict, step by step.

    Args:
        of: the batch, if there is one here.
    """
    return {
        "status": found.status,
        "step": found.step,
        "reasons": list(found.reasons),
        "note": "" if of is None else why_nothing_executed(of) or _too_fresh(found, of),
        "steps": [
            {"step": step, "title": title, "holds": found.holds(step)}
            for step, title in enumerate(STEPS, start=1)
        ],
    }


def _too_fresh(found: Verdict, of: Batch) -> str:
    """That a batch may only have to become final."""
    if found.status != "UNCERTAIN" or timezone.now() - of.updated_at > _FINAL_AFTER:
        return ""
    return "The chain counts once it is final, some seconds after a batch: ask again"


def price(its: Market, ticks: int) -> str:
    """Quote tokens per base token, as decimal text."""
    return price_text(offers.units(its).price(ticks))


def _token(symbol: str, mint: str, decimals: int) -> dict[str, Any]:
    return {"symbol": symbol, "mint": mint, "decimals": decimals}


def _hex(data: bytes | memoryview | None) -> str | None:
    return bytes(data).hex() if data else None
