"""The node's command line: ``python -m sandbox.services.solana --ledger DIR --genesis FILE``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
import time
from pathlib import Path

import uvicorn
import uvloop

from . import clock
from .bank import Bank
from .genesis import GenesisError
from .ledger import Ledger, LedgerError
from .pubsub import PubSub
from .server import Server

EXIT_UNUSABLE = 2
"""The port, the ledger or the genesis is not usable; starting again will not help."""


KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that none is closed under a request."""


def arguments() -> argparse.Namespace:
    """The options, each with its meaning."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.services.solana", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=8899, help="HTTP and WebSocket; WebSocket also on the next port"
    )
    parser.add_argument("--ledger", type=Path, required=True, help="folder the chain lives in")
    parser.add_argument("--genesis", type=Path, required=True, help="accounts of a new chain")
    parser.add_argument("--programs", type=Path, help="folder of <program id>.so to deploy")
    parser.add_argument("--slot-ms", type=int, default=200, help="slot time in milliseconds")
    parser.add_argument(
        "--finality-slots", type=int, default=32, help="how much deeper finalized is than confirmed"
    )
    return parser.parse_args()


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets of the port and, for WebSocket clients that count it up, the one after it.

    Raises:
        OSError: one of them is taken.
    """
    with contextlib.ExitStack() as undo:
        sockets = []
        for number in (port, port + 1):
            bound = undo.enter_context(socket.socket())
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                bound.bind((host, number))
                bound.listen(512)
            except OSError as error:
                raise OSError(f"cannot listen on {host}:{number}: {error.strerror}") from error
            sockets.append(bound)
        undo.pop_all()
        return sockets


async def run(bank: Bank, sockets: list[socket.socket], slot_ms: int) -> None:
    """Serve until a signal comes."""
    pubsub = PubSub(bank)
    config = uvicorn.Config(
        Server(bank, pubsub),
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws_max_size=1 << 20,
    )
    server = uvicorn.Server(config)
    ticking = asyncio.create_task(clock.run(bank, slot_ms, pubsub.closed))
    # A node that cannot close blocks any more, on a full disk for one, must not go on answering.
    ticking.add_done_callback(lambda _: setattr(server, "should_exit", True))
    await server.serve(sockets)
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking


def main() -> int:
    """Run the node; returns the exit status."""
    options = arguments()
    with contextlib.ExitStack() as cleanup:
        try:
            sockets = bind(options.host, options.port)
            ledger = Ledger(options.ledger)
            cleanup.callback(ledger.close)
            bank = Bank(
                ledger=ledger,
                genesis_file=options.genesis,
                programs=options.programs,
                finality=options.finality_slots,
                now=time.time(),
            )
        except (OSError, LedgerError, GenesisError) as error:
            print(f"solana: {error}", file=sys.stderr)
            return EXIT_UNUSABLE
        print(f"solana: serving {bank.genesis_hash} on {options.host}:{options.port}", flush=True)
        # uvicorn raises a signal again once it has stopped; the bank still has to be closed then.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(bank, sockets, options.slot_ms))
        bank.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
