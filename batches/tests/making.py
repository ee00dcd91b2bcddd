"""Orders, leaves and batches for tests."""

from typing import Any

from solders.keypair import Keypair

from batches.records import Leaf, Order, OrderType, Side, TimeInForce

MARKET = bytes(range(32))
OWNERS = [Keypair.from_seed(bytes([number]) * 32) for number in range(4)]


def order(owner: int = 0, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "market": MARKET,
        "owner": bytes(OWNERS[owner].pubkey()),
        "nonce": 1,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.ROLL,
        "max_fee_bps": 30,
        "limit": 1_000,
        "quantity": 10,
        "expiry_slot": 9_000,
        "from_slot": 0,
    }
    return Order(**{**values, **changes})


def leaf(
    owner: int = 0,
    *,
    remaining: int | None = None,
    age: int = 0,
    receipt_seq: int = 1,
    **changes: Any,
) -> Leaf:
    """An order that its owner has signed, as a batch would commit to it."""
    made = order(owner, **changes)
    signature = bytes(OWNERS[owner].sign_message(bytes(made)))
    left = made.quantity if remaining is None else remaining
    return Leaf(made, signature, left, age, receipt_seq)
