"""What a cycle offers to the nodes for transactions that wait: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chains.evm.fees import Fees, bumped
from stablecoin.relaying.rows import Bytes, Open

# Nodes forget what waits when they restart, and never tell: the same bytes again cost nothing.
RESEND_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Resend:
    """The same bytes again.

    Attributes:
        capped: they should offer more, and people allow no more.
    """

    transaction: Open
    attempt: Bytes
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Replace:
    """Another attempt for the nonce: with higher fees, or one that only fills it."""

    transaction: Open
    fees: Fees
    cancels: bool


Offer = Resend | Replace


@dataclass(frozen=True, slots=True)
class Market:
    """Fees of the moment in wei, the most that people allow, and when the last block was made."""

    base_fee: int
    priority_fee: int
    cap: int
    block_at: datetime


def offers(
    transactions: Sequence[Open], market: Market, *, now: datetime, patience: timedelta
) -> list[Offer]:
    """What to send for transactions that are in no block.

    Args:
        patience: how long bytes that a node has may be passed over by blocks before their fees
            are raised.
    """
    return [
        offer
        for transaction in transactions
        if transaction.waits and (offer := _offer(transaction, market, now, patience))
    ]


def _offer(transaction: Open, market: Market, now: datetime, patience: timedelta) -> Offer | None:
    last = transaction.last
    if last.sent_at is None or transaction.overtaken_at is not None:
        # Stored and never given to a node; or its nonce is used, and what is mined is looked for.
        return Resend(transaction, last) if last.sent_at is None else None
    wish = _wish(transaction)
    # Bytes that no node takes hold up all nonces that follow: theirs is filled.
    refused = (
        transaction.state == "SIGNED" and last.answer.startswith("refused") and not last.cancels
    )
    wants_more = bool(wish) or _priced_out(last, market) or _waited(last, market, now, patience)
    if refused or wants_more:
        fees = bumped(last.fees, market.base_fee, market.priority_fee, cap=market.cap)
        if refused or fees != last.fees:
            return Replace(transaction, fees, cancels=last.cancels or refused or wish == "cancel")
    due = now - last.sent_at > RESEND_AFTER
    return Resend(transaction, last, capped=wants_more) if due else None


def _priced_out(last: Bytes, market: Market) -> bool:
    return last.answer.startswith("underpriced") or market.base_fee > last.fees.max_fee


def _waited(last: Bytes, market: Market, now: datetime, patience: timedelta) -> bool:
    """Whether a node has the bytes, and blocks go by without them.

    Higher fees mend neither an empty account, nor a node out of reach, nor a chain that stands
    still; but they are paid once these are mended.
    """
    return last.taken and min(now, market.block_at) - last.created_at > patience


def _wish(transaction: Open) -> Literal["", "speed_up", "cancel"]:
    """What an operator asked for and is not done yet."""
    if transaction.wish == "cancel" and not transaction.last.cancels:
        return "cancel"
    return "speed_up" if transaction.wish == "speed_up" else ""
