"""`python -m sandbox.traffic`: a modest stream of demo orders through the public API."""

import json
import random
import signal
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from sandbox.home import HOME
from sandbox.tokens import TOKENS, Token

PAUSE_SECONDS = (2.0, 6.0)
# A thousandth of what a wallet holds of each token at most, in both directions: it lasts.
USD = (1, 200)
LONGEST_BACKOFF_SECONDS = 60.0
TIMEOUT_SECONDS = 15


def main() -> int:
    return until_stopped(run)


def run(world: dict[str, Any], stop: threading.Event) -> None:
    """Send orders until told to stop, more and more rarely while they are not taken."""
    traders = list(world["wallets"].values())
    headers = {"Authorization": f"Bearer {world['api_keys']['demo']}"}
    pause = 0.0
    with httpx.Client(
        base_url=world["base_url"], headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
    ) as client:
        while not stop.wait(pause):
            taken = _send(client, order(random.choice(traders)))
            pause = random.uniform(*PAUSE_SECONDS) if taken else backoff(pause)


def order(wallet: str) -> dict[str, Any]:
    """An order of the wallet for a random pair, worth a few dollars."""
    sold, bought = random.sample(TOKENS, 2)
    return {
        "userWallet": wallet,
        "inputToken": sold.symbol,
        "outputToken": bought.symbol,
        "inputAmount": amount(sold, random.randint(*USD)),
        "slippageBps": random.choice((50, 100, 200)),
    }


def amount(token: Token, usd: int) -> str:
    """Decimal text of the token's amount that is worth so much."""
    return format(Decimal(token.worth(usd)).scaleb(-token.decimals).normalize(), "f")


def backoff(pause: float) -> float:
    """The next pause in seconds after a failure."""
    return min(max(2 * pause, PAUSE_SECONDS[1]), LONGEST_BACKOFF_SECONDS)


def _send(client: httpx.Client, body: dict[str, Any]) -> bool:
    try:
        answer = client.post("/api/orders/execute", json=body)
    except httpx.HTTPError as error:
        print(f"no answer: {error!r}", flush=True)
        return False
    outcome = (
        "sent" if answer.is_success else f"refused with {answer.status_code} {answer.text[:200]}"
    )
    print("{inputAmount} {inputToken} to {outputToken}".format(**body), outcome, flush=True)
    return answer.is_success


def until_stopped(work: Callable[[dict[str, Any], threading.Event], None]) -> int:
    """Work with what the credentials file says until told to stop; returns the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    world = when_ready(HOME.credentials, stop)
    if world is not None:
        work(world, stop)
    return 0


def when_ready(credentials: Path, stop: threading.Event) -> dict[str, Any] | None:
    """What the credentials file says, once it is there; None when told to stop before."""
    while not stop.is_set():
        try:
            content: dict[str, Any] = json.loads(credentials.read_text())
        except FileNotFoundError:
            stop.wait(0.5)
        else:
            return content
    return None


if __name__ == "__main__":
    sys.exit(main())
