import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chains import registry
from stablecoin.listening.kuro import KuroListener
from stablecoin.listening.standby import alone, told_to_stop


class Command(BaseCommand):
    help = "Store what the compliance service approves. Any number may run; ends on SIGTERM."

    def handle(self, **options: Any) -> None:
        if not settings.EVM_CHAINS:
            raise CommandError("STABLECOIN_CHAINS says none: there is nothing to listen for.")
        asyncio.run(_run())


async def _run() -> None:
    stopping = told_to_stop()
    listener = KuroListener(registry.compliance(), stopping)
    await alone("stablecoin.kuro", listener.run, stopping)
    await registry.aclose()
