import socket
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand
from uvicorn.supervisors import Multiprocess

from fairlane.core.feed import stop_feed


class Server(uvicorn.Server):
    """A server that says goodbye to its sockets (1001) before it drains its requests."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await stop_feed()
        await super().shutdown(sockets)


class Command(BaseCommand):
    help = "Serve HTTP and WebSocket. SIGTERM and SIGINT end what is under way, then stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        config = uvicorn.Config(
            "fairlane.asgi:application",
            host=host,
            port=port,
            workers=workers,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
            # A quote waits for a venue for at most a few seconds; nothing else takes that long.
            timeout_graceful_shutdown=10,
            # Frames from clients are not expected at all.
            ws_max_size=4096,
            ws_max_queue=4,
            backlog=2048,
        )
        server = Server(config)
        if workers == 1:
            server.run()
        else:
            Multiprocess(config, target=server.run, sockets=[config.bind_socket()]).run()
