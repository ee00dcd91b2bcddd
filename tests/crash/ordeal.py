"""Orders that are under way while something breaks, and the account that is given of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import uuid4

import httpx

from sandbox.tokens import TOKENS
from tests.clients import TERMINAL, Json, api, read, swaps
from tests.onchain import Balances
from tests.stack import Stack
from tests.witness import Witness

# Leases, retries and a process that starts again all fit in; what takes longer is stuck.
PATIENCE_SECONDS = 90.0
# How long a client waits before it repeats a request that nobody answered.
REPEAT_SECONDS = 0.1

TOKEN = {token.symbol: token for token in TOKENS}


@dataclass
class Ordeal:
    """Orders, a witness for each, and what the chain held before them.

    Attributes:
        outcomes: how many orders ended in each status; known once the account is given.
        orders: each order as the API shows it in the end.
        replayed: whether the answer had been given before, to a request that got none.
    """

    stack: Stack
    balances: Balances
    executed: int
    witnesses: list[Witness] = field(default_factory=list)
    orders: list[Json] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    replayed: bool = False
    _following: list[asyncio.Task[Witness]] = field(default_factory=list)

    async def send(self, count: int) -> None:
        """Have orders executed and followed; the request is repeated until it is answered."""
        headers = {"Idempotency-Key": str(uuid4())}
        body = {"orders": swaps(self.stack, count)}
        async with api(self.stack) as client:
            while True:
                try:
                    answer = await client.post("/api/orders/bulk", json=body, headers=headers)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code < 500:
                    break
                await asyncio.sleep(REPEAT_SECONDS)
        assert answer.status_code == 202, answer.text
        self.replayed = "Idempotent-Replay" in answer.headers
        for result in answer.json()["results"]:
            witness = Witness(self.stack, result["order"]["orderId"])
            self.witnesses.append(witness)
            self._following.append(asyncio.create_task(witness.follow()))

    async def give_account(self) -> None:
        """Wait for the end of all orders, and compare what everybody says of them.

        Raises:
            AssertionError: an order is stuck, was executed other than once or never, a client
                missed something or saw it twice, or the wallets do not hold what they should.
        """
        _, stuck = await asyncio.wait(self._following, timeout=PATIENCE_SECONDS)
        for task in stuck:
            task.cancel()
        assert not stuck, [w.statuses for w in self.witnesses if not w.ended]
        async with api(self.stack) as client:
            self.orders = [await read(client, w.order_id) for w in self.witnesses]
        self.outcomes = Counter(order["status"] for order in self.orders)
        self._check_executions()
        self._check_witnesses()
        self._check_balances()

    def _check_executions(self) -> None:
        executions = self.stack.chain.executions([order["orderId"] for order in self.orders])
        for order in self.orders:
            assert order["status"] in TERMINAL, order
            expected = 1 if order["status"] == "CONFIRMED" else 0
            assert executions[order["orderId"]] == expected, order
        total = self.stack.chain.all_executions() - self.executed
        assert total == self.outcomes["CONFIRMED"], "the chain has executions of no order"

    def _check_witnesses(self) -> None:
        for witness, order in zip(self.witnesses, self.orders, strict=True):
            assert witness.seqs == list(range(1, order["seq"] + 1))
            assert witness.statuses[-1] == order["status"]

    def _check_balances(self) -> None:
        expected = Counter(self.balances)
        for order in self.orders:
            if order["status"] == "CONFIRMED":
                sold, bought = TOKEN[order["inputToken"]], TOKEN[order["outputToken"]]
                spent = int(Decimal(order["spentAmount"]).scaleb(sold.decimals))
                gained = int(Decimal(order["outputAmount"]).scaleb(bought.decimals))
                expected[order["userWallet"], str(sold.mint)] -= spent
                expected[order["userWallet"], str(bought.mint)] += gained
        assert self.stack.chain.balances(self.stack.wallets) == dict(expected)


@asynccontextmanager
async def orders_under_way(stack: Stack, count: int) -> AsyncIterator[Ordeal]:
    """Orders are sent before the block; after it they are accounted for."""
    ordeal = new_ordeal(stack)
    await ordeal.send(count)
    yield ordeal
    await ordeal.give_account()


def new_ordeal(stack: Stack) -> Ordeal:
    """An ordeal without orders yet."""
    return Ordeal(stack, stack.chain.balances(stack.wallets), stack.chain.all_executions())
