import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from fairlane.core.relay import Relay


class Command(BaseCommand):
    help = "Announce committed events to the web processes. Any number may run; ends on SIGTERM."

    def handle(self, **options: Any) -> None:
        asyncio.run(_run())


async def _run() -> None:
    parameters = connection.get_connection_params()
    for name in ("pool", "cursor_factory", "context"):
        parameters.pop(name, None)
    relay = Relay(parameters)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, relay.stop)
    await relay.run()
