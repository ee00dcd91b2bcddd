"""`python -m sandbox.services.raiku`: sell block space until told to stop."""

import argparse
import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from aiohttp import web

from chains.http import Http
from chains.solana import slots
from chains.solana.client import SolanaClient
from sandbox.services.raiku.book import Book
from sandbox.services.raiku.engine import Engine
from sandbox.services.raiku.feed import Feed
from sandbox.services.raiku.server import Server

# How many slots ahead of its slot an auction closes.
PROFILES = (12, 35, 50, 90)
# A reserved slot is over in a fraction of this.
RPC_TIMEOUT_S = 2


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    arguments = _arguments()
    # No life tells a thousand receipts each millisecond, so the next one begins above them all.
    feed = Feed(seed=arguments.seed, first_seq=time.time_ns() // 1000)
    book = Book(seed=arguments.seed, share=arguments.share, lead=arguments.profile, feed=feed)
    node = SolanaClient(arguments.rpc_url, Http(timeout_s=RPC_TIMEOUT_S))
    engine = Engine(book, node)

    async def follow_chain(app: web.Application) -> AsyncIterator[None]:
        following = asyncio.create_task(engine.follow(slots.samples(arguments.rpc_websocket_url)))
        yield
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await engine.aclose()
        await node.aclose()

    app = Server(engine, token=arguments.token).application()
    app.cleanup_ctx.append(follow_chain)
    web.run_app(app, host=arguments.host, port=arguments.port, print=None, access_log=None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.services.raiku")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rpc-url", required=True, help="the Solana node")
    parser.add_argument("--rpc-websocket-url", required=True, help="where it tells its slots")
    parser.add_argument(
        "--profile",
        type=int,
        choices=PROFILES,
        default=PROFILES[0],
        help="how many slots ahead auctions close",
    )
    parser.add_argument(
        "--share",
        type=int,
        choices=range(101),
        metavar="PERCENT",
        default=50,
        help="of slots that the venue's validators lead",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--token", default="", help="asked of clients; none is by default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
