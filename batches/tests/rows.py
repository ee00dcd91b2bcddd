"""Rows of markets, batches and orders, with no chain behind them."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from solders.keypair import Keypair

from batches import book
from batches.market_address import market_address
from batches.models import Batch, BatchOrder, Market, Tick
from batches.states import OPEN_ORDER

BASE, QUOTE = (str(Keypair.from_seed(bytes([n]) * 32).pubkey()) for n in (10, 11))
WALLETS = [str(Keypair.from_seed(bytes([n]) * 32).pubkey()) for n in range(1, 5)]
_numbers = count(1)


def market(name: str = "A-B", **columns: Any) -> Market:
    values: dict[str, Any] = {
        "base_symbol": "A",
        "base_mint": BASE,
        "base_decimals": 6,
        "quote_symbol": "B",
        "quote_mint": QUOTE,
        "quote_decimals": 6,
        "lot": 10**6,
        "tick": 10**3,
        "fee_bps": 10,
        "reference": 500,
        "coordinator": WALLETS[0],
        "receipt_key": WALLETS[0],
    }
    values |= columns
    return Market.objects.create(name=name, address=address(name, values), **values)


def address(name: str, columns: Mapping[str, Any]) -> str:
    """Of a market with these columns."""
    named = ("base_mint", "quote_mint", "lot", "tick", "coordinator", "receipt_key")
    return market_address(name, **{key: columns[key] for key in named})


def batch(of: Market, number: int, status: str = "SETTLED", **columns: Any) -> Batch:
    """A batch, in the tick of its number."""
    tick, _ = Tick.objects.get_or_create(
        cadence_ms=of.cadence_ms, number=number, defaults={"id": uuid4(), "status": "SETTLED"}
    )
    return Batch.objects.create(
        id=uuid4(),
        market=of,
        tick=tick,
        number=number,
        status=status,
        wallet=of.address,
        **columns,
    )


def order(of: Market, wallet: str = WALLETS[0], status: str = "OPEN", **columns: Any) -> BatchOrder:
    """An order, in the book if it is open; its signature is nobody's."""
    number = next(_numbers)
    record = number.to_bytes(128, "little")
    values: dict[str, Any] = {
        "hash": sha256(record).digest(),
        "record": record,
        "signature": bytes(64),
        "side": 0,
        "type": 0,
        "time_in_force": 0,
        "limit": 500,
        "quantity": 1,
        "remaining": 0 if status == "FILLED" else 1,
        "max_fee_bps": 10,
        "from_slot": 0,
        "expiry_slot": 10**9,
        "batch_no": 1,
        "receipt_seq": number,
        "receipt": bytes(4),
        "receipt_signature": bytes(64),
        "escrow": 0,
        "created_by": "tests",
    }
    id_ = UUID(int=number)
    values |= columns
    created = BatchOrder.objects.create(id=id_, market=of, wallet=wallet, status=status, **values)
    if status in OPEN_ORDER:
        book.enter([{"id": id_, "market_id": of.id, "wallet": wallet, **values}])
    return created
