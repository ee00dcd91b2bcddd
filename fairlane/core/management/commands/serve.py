from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serve HTTP and WebSocket. SIGTERM and SIGINT end what is under way, then stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        uvicorn.run(
            "fairlane.asgi:application",
            host=host,
            port=port,
            workers=workers,
            log_config=None,
            access_log=False,
            server_header=False,
            # Which proxies are believed is the kernel's business: see TRUSTED_PROXIES.
            proxy_headers=False,
            # A quote waits for a venue for at most a few seconds; nothing else takes that long.
            timeout_graceful_shutdown=10,
            # Clients have nothing to say on these sockets.
            ws_max_size=4096,
            ws_max_queue=4,
        )
