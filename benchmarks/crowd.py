"""`python -m benchmarks.crowd`: many markets with full books, in the database of a running stack.

It opens copies of a market and places orders as the API does, without HTTP: the load has to leave
the cores to what is measured. Two lines of its input: what to open, which it answers with a line
once every escrow has arrived, and for how long to trade.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlane.settings.sandbox")
django.setup()

from solders.keypair import Keypair  # noqa: E402

from batches import acceptance, offers  # noqa: E402
from batches.market_address import market_address  # noqa: E402
from batches.models import Batch, BookEntry, Market, Transfer  # noqa: E402
from batches.states import OPEN_TRANSFER  # noqa: E402
from fairlane.core.principals import ALL, SCOPES, Principal  # noqa: E402
from sandbox.batch_orders import BUY, SELL, Terms, body  # noqa: E402
from sandbox.world import write_world  # noqa: E402

BY = Principal("key", "1", "benchmark", frozenset(SCOPES), ALL)
PREFIX = "CROWD-"
LOTS = 1_000
# Ticks between the best buy and the best sell of a book.
SPREAD = 20
_nonces = count(1)


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    traders = list(write_world(Path(wanted["home"])).traders.values())
    markets = [_opened(number) for number in range(wanted["markets"])]
    planned = Batch.objects.filter(market__in=markets, status="PLANNED")
    _until(lambda: planned.values("market").distinct().count() == len(markets))
    for market in markets:
        terms = [_resting(market, place) for place in range(wanted["orders"])]
        _place(market, [(traders[n % len(traders)], one) for n, one in enumerate(terms)])
    _until(lambda: not Transfer.objects.filter(status__in=OPEN_TRANSFER).exists())
    print(BookEntry.objects.filter(market__in=markets).count(), flush=True)
    _trade(markets, traders, **json.loads(sys.stdin.readline()))


def _opened(number: int) -> Market:
    """A market like the first, in the same vaults."""
    market = Market.objects.get(name="SOL-USDC")
    market.pk, market.name = None, f"{PREFIX}{number}"
    named = ("base_mint", "quote_mint", "lot", "tick", "coordinator", "receipt_key")
    market.address = market_address(market.name, **{key: getattr(market, key) for key in named})
    market.receipt_hash, market.receipt_seq, market.planned_until = bytes(32), 0, 0
    market.uses_pool, market.pool_fee_bps = False, 0
    market.save(force_insert=True)
    return market


def _resting(market: Market, place: int) -> Terms:
    """An order that meets none of the others."""
    side = (BUY, SELL)[place % 2]
    away = SPREAD + place
    return _terms(market, side, market.reference + (away if side == SELL else -away), False)


def _terms(market: Market, side: int, limit: int, is_for_one_batch: bool) -> Terms:
    return Terms(
        market=market.address,
        side=side,
        is_market=False,
        is_for_one_batch=is_for_one_batch,
        max_fee_bps=market.fee_bps,
        limit=limit,
        quantity=LOTS,
        expiry_slot=2**60,
        nonce=next(_nonces),
    )


def _place(market: Market, orders: list[tuple[Keypair, Terms]]) -> None:
    taken = [offers.read(market, body(owner, terms), by=BY) for owner, terms in orders]
    acceptance.accept(market.id, taken, by=BY.ref)


def _trade(markets: list[Market], traders: list[Keypair], *, seconds: int, pairs: int) -> None:
    """A buyer and a seller who meet, in so many of the markets each second."""
    places = count()
    began = time.monotonic()
    for second in range(seconds):
        for _ in range(pairs):
            place = next(places)
            market = markets[place % len(markets)]
            buyer, seller = (traders[(place + n) % len(traders)] for n in (0, 1))
            both = ((buyer, BUY), (seller, SELL))
            _place(market, [(o, _terms(market, s, market.reference, True)) for o, s in both])
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))


def _until(done: Callable[[], bool]) -> None:
    while not done():
        time.sleep(0.5)


if __name__ == "__main__":
    main()
