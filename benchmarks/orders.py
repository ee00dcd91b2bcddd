"""The orders that are sent: random pairs, a few dollars each, from every trader's wallet."""

import random
from collections.abc import Sequence

import orjson

from benchmarks.load import post
from benchmarks.stack import Stack
from sandbox.traffic import order

BULK_LIMIT = 1_000
# Enough that no two neighbours are alike.
VARIETY = 500


def single(stack: Stack, path: str = "/api/orders/execute") -> list[bytes]:
    """Requests of one order each."""
    return [post(path, orjson.dumps(body), stack.headers) for body in _bodies(stack, VARIETY)]


def bulk(stack: Stack, orders: int) -> list[bytes]:
    """Requests that make so many orders together, as few as that takes."""
    sizes = [BULK_LIMIT] * (orders // BULK_LIMIT)
    if orders % BULK_LIMIT:
        sizes.append(orders % BULK_LIMIT)
    return [
        post("/api/orders/bulk", orjson.dumps({"orders": _bodies(stack, size)}), stack.headers)
        for size in sizes
    ]


def _bodies(stack: Stack, count: int) -> Sequence[dict[str, object]]:
    wallets = stack.wallets
    return [order(random.choice(wallets)) for _ in range(count)]
