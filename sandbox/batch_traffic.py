"""`python -m sandbox.batch_traffic`: traders who send signed orders to the markets of batches."""

import math
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
from solders.keypair import Keypair

from sandbox.batch_orders import BUY, SELL, Terms, body, name
from sandbox.home import HOME
from sandbox.tokens import TOKENS
from sandbox.traffic import backoff, until_stopped
from sandbox.world import write_world

# Some four orders a second, over all markets.
PAUSE_SECONDS = (0.1, 0.4)
TIMEOUT_SECONDS = 15
# How old what is known of markets and slots may be.
FRESH_SECONDS = 5.0
# In quote tokens: a trader has a million of each token's worth.
WORTH = (2, 60)
# The price swings by so much, once in a quarter of an hour; a band reaches a tenth.
SWING, SWING_SECONDS = 0.03, 900
# What traders ask for lies around the price, most of it on their own side of it.
WORST, BEST = 0.004, 0.002
# A market order goes less far than it may: the reference may have moved since it was read, and
# with the first trades by as much as the price swings.
COLLAR_SHARE = 0.4
# One order in so many is a market order, is for one batch, or is cancelled later on.
MARKET_ONE_IN = 8
ONE_BATCH_ONE_IN = 8
CANCEL_ONE_IN = 15
# Orders that do not trade leave the book by then.
LIFE_SLOTS = 300
# Those that may still be cancelled.
REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Known:
    """What the API and the node said last.

    Attributes:
        markets: as the API shows them.
    """

    markets: Sequence[Mapping[str, Any]]
    slot: int
    at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.at < FRESH_SECONDS


def main() -> int:
    return until_stopped(
        lambda world, stop: run(world, list(write_world(HOME.directory).traders.values()), stop)
    )


def run(world: Mapping[str, Any], traders: Sequence[Keypair], stop: threading.Event) -> None:
    """Send orders until told to stop, more and more rarely while they are not taken."""
    headers = {"Authorization": f"Bearer {world['api_keys']['demo']}"}
    sent: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
    known = Known([], 0, -math.inf)
    pause = 0.0
    with httpx.Client(
        base_url=world["base_url"], headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
    ) as client:
        while not stop.wait(pause):
            try:
                known = known if known.is_fresh else look(client, world["services"]["solana"])
                if sent and not random.randrange(CANCEL_ONE_IN):
                    _cancel(client, *sent.popleft())
                else:
                    sent.append(_send(client, known, random.choice(traders)))
            except (httpx.HTTPError, ValueError, LookupError) as error:
                print(f"not taken: {error!r}", flush=True)
                pause = backoff(pause)
            else:
                pause = random.uniform(*PAUSE_SECONDS)


def look(client: httpx.Client, node: str) -> Known:
    """Ask for the markets and the running slot."""
    markets = client.get("/api/markets").raise_for_status().json()["markets"]
    call = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [{"commitment": "confirmed"}]}
    slot = client.post(node, json=call).raise_for_status().json()["result"]
    return Known(
        [it for it in markets if it["active"] and not it["paused"]], slot, time.monotonic()
    )


def order(market: Mapping[str, Any], *, slot: int, now: float) -> Terms:
    """An order around the price of this Unix time, that expires some time after the slot."""
    side = random.choice((BUY, SELL))
    is_market = not random.randrange(MARKET_ONE_IN)
    price = price_ticks(market, now)
    lot_worth = int(market["tick"]) * price / 10 ** market["quote"]["decimals"]
    return Terms(
        market=market["address"],
        side=side,
        is_market=is_market,
        is_for_one_batch=not random.randrange(ONE_BATCH_ONE_IN),
        max_fee_bps=market["feeBps"],
        limit=_collar(market, side) if is_market else _limit(price, side),
        quantity=max(1, round(random.uniform(*WORTH) / lot_worth)),
        expiry_slot=slot + LIFE_SLOTS,
        nonce=random.getrandbits(64),
    )


def price_ticks(market: Mapping[str, Any], now: float) -> float:
    """The price that this Unix time has, in ticks: it swings slowly around the tokens' own."""
    prices = {token.symbol: token.usd for token in TOKENS}
    base, quote = market["base"], market["quote"]
    lot = Decimal(market["lot"]).scaleb(-base["decimals"])
    worth = prices[base["symbol"]] / prices[quote["symbol"]] * lot
    middle = float(worth.scaleb(quote["decimals"]) / int(market["tick"]))
    return middle * (1 + SWING * math.sin(2 * math.pi * now / SWING_SECONDS))


def _limit(price: float, side: int) -> int:
    """Most buyers ask for less than the price, and most sellers for more."""
    better = random.uniform(-WORST, BEST)
    return max(1, round(price * (1 + better if side == BUY else 1 - better)))


def _collar(market: Mapping[str, Any], side: int) -> int:
    reach: float = COLLAR_SHARE * market["collarBps"] / 10_000
    reference: int = market["reference"]["tick"]
    return max(1, round(reference * (1 + reach if side == BUY else 1 - reach)))


def _send(client: httpx.Client, known: Known, trader: Keypair) -> tuple[str, str]:
    """Send an order; returns the market and the hash that it is known by."""
    market = random.choice(known.markets)
    terms = order(market, slot=known.slot, now=time.time())
    signed = body(trader, terms)
    _accepted(client.post(f"/api/batches/{market['market']}/orders", json=signed))
    kind = "market" if terms.is_market else "limit"
    side = "buy" if terms.side == BUY else "sell"
    print(f"{market['market']} {side} {terms.quantity} lots, {kind} {terms.limit}", flush=True)
    return market["market"], name(signed["record"])


def _cancel(client: httpx.Client, market: str, order: str) -> None:
    answer = client.delete(f"/api/batches/{market}/orders/{order}")
    # Most have been filled by now.
    if answer.status_code != httpx.codes.CONFLICT:
        _accepted(answer)
        print(f"{market} cancelled {order}", flush=True)


def _accepted(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise ValueError(f"refused with {answer.status_code} {answer.text[:400]}")


if __name__ == "__main__":
    sys.exit(main())
