"""`python -m sandbox.services.makers`: run one maker until it is told to stop."""

import argparse
import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from solders.keypair import Keypair

from chains.http import Http
from chains.solana.client import SolanaClient
from sandbox.services.makers import inventory
from sandbox.services.makers.desk import Desk
from sandbox.services.makers.knobs import Knobs
from sandbox.services.makers.pricing import Curve, load_tokens
from sandbox.services.makers.server import application

FEES_BPS = {"raydium": 30, "meteora": 20}
DEFAULT_FEE_BPS = 30
# A swap of 10,000 dollars moves the price by 20 bps.
DEPTH_USD = 5_000_000
RPC_TIMEOUT_S = 5


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    arguments = _arguments()
    keypair = Keypair.from_json(arguments.keypair.read_text())
    tokens = load_tokens(arguments.markets)
    fee_bps = FEES_BPS.get(arguments.name, DEFAULT_FEE_BPS)
    curve = Curve(
        maker=arguments.name,
        seed=arguments.seed,
        fee_bps=fee_bps if arguments.fee_bps is None else arguments.fee_bps,
        depth_usd=arguments.depth_usd,
    )
    desk = Desk(keypair=keypair, curve=curve, tokens=tokens, knobs=Knobs.from_environment())

    async def follow_chain(app: web.Application) -> AsyncIterator[None]:
        node = SolanaClient(arguments.rpc, Http(timeout_s=RPC_TIMEOUT_S))
        reading = asyncio.create_task(
            inventory.keep_current(desk, node=node, owner=keypair.pubkey(), tokens=tokens)
        )
        yield
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await node.aclose()

    app = application(desk)
    app.cleanup_ctx.append(follow_chain)
    web.run_app(app, host=arguments.host, port=arguments.port, print=None, access_log=None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.services.makers")
    parser.add_argument("--name", required=True, help="sets the default fee and the price")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keypair", type=Path, required=True, help="Solana CLI keypair file")
    parser.add_argument("--rpc", required=True, help="URL of the Solana node")
    parser.add_argument("--markets", type=Path, required=True, help="the tokens and their prices")
    parser.add_argument("--fee-bps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--depth-usd", type=int, default=DEPTH_USD)
    return parser.parse_args()


if __name__ == "__main__":
    main()
