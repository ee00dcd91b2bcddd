import asyncio
import random
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

import aiohttp
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fairlane.core import keys
from orders import registry
from orders.states import ORDER

# The command's own key: longer than any order takes, even one whose transactions expire.
KEY_LIFE = timedelta(minutes=15)
# The sizes of the sample orders, in tokens.
AMOUNTS = ("0.01", "0.025", "0.05", "0.1")


class Command(BaseCommand):
    help = "Create sample orders through the API, follow them over the WebSocket, print the log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", nargs="?", type=int, default=5, help="1 to 1000; 5 by default")
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="the site's address")
        parser.add_argument("--input-token", default="SOL", help="what the orders sell")

    def handle(self, *, count: int, url: str, input_token: str, **options: Any) -> None:
        if not 1 <= count <= 1000:
            raise CommandError("The count is from 1 to 1000.")
        orders = _samples(count, input_token)
        key, plain = keys.issue(
            name="seed_orders",
            scopes=["orders:read", "orders:write"],
            wallets=sorted({order["userWallet"] for order in orders}),
            by="command:seed_orders",
            expires_at=timezone.now() + KEY_LIFE,
        )
        try:
            asyncio.run(self._follow(url.rstrip("/"), plain, orders))
        except aiohttp.ClientError as error:
            raise CommandError(f"{url} does not answer as expected: {error}") from error
        finally:
            keys.revoke(key_id=key.pk, by="command:seed_orders")

    async def _follow(self, url: str, key: str, orders: list[dict[str, str]]) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{url}/api/orders/ws") as socket,
        ):
            await socket.receive()  # the snapshot: from here on nothing is missed
            async with session.post(f"{url}/api/orders/bulk", json={"orders": orders}) as reply:
                answer = await reply.json()
            if not answer.get("accepted"):
                raise CommandError(f"No order was accepted: {answer}")
            await self._print_until_ended(socket, answer["results"])

    async def _print_until_ended(
        self, socket: aiohttp.ClientWebSocketResponse, results: list[dict[str, Any]]
    ) -> None:
        numbers = {r["order"]["orderId"]: n for n, r in enumerate(results, 1) if "order" in r}
        for number, result in enumerate(results, 1):
            self._log(number, "", _accepted(result))
        left = set(numbers)
        async for message in socket:
            frame = message.json()
            if frame["type"] != "status" or frame["orderId"] not in numbers:
                continue
            self._log(numbers[frame["orderId"]], frame["status"], _said(frame["data"]))
            if frame["status"] in ORDER.terminal:
                left.discard(frame["orderId"])
            if not left:
                self.stdout.write(f"All {len(numbers)} orders have ended.")
                return
        raise CommandError(f"The socket closed ({socket.close_code}); {len(left)} orders go on.")

    def _log(self, number: int, status: str, text: str) -> None:
        at = timezone.now().strftime("%H:%M:%S.%f")[:-3]
        self.stdout.write(f"{at}  #{number:<4} {status:<10} {text}")


def _samples(count: int, input_token: str) -> list[dict[str, str]]:
    known = registry.current()
    sold = known.tokens.find(input_token)
    bought = [t.symbol for t in known.tokens.by_mint.values() if t.active and t != sold]
    if sold is None or not bought or not known.wallets:
        raise CommandError(
            "There is nothing to trade: see the commands sync_tokens and sync_wallets."
        )
    wallets = sorted(known.wallets)
    return [
        {
            "userWallet": random.choice(wallets),
            "inputToken": sold.symbol,
            "outputToken": random.choice(bought),
            "inputAmount": random.choice(AMOUNTS),
        }
        for _ in range(count)
    ]


def _accepted(result: dict[str, Any]) -> str:
    if "problem" in result:
        reasons = "; ".join(e["message"] for e in result["problem"].get("errors", []))
        return f"refused: {reasons or result['problem']['title']}"
    order = result["order"]
    return (
        f"accepted: {order['inputAmount']} {order['inputToken']} → {order['outputToken']}"
        f"  {order['orderId']}"
    )


def _said(data: dict[str, Any]) -> str:
    """The gist of an event: what a person who watches wants to know."""
    shown = ("venue", "quotedAmount", "outputAmount", "executedPrice", "kind", "reason", "txHash")
    return "  ".join(f"{name}={data[name]}" for name in shown if data.get(name))
