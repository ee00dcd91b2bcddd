import asyncio
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chains import registry as adapters
from fairlane.core.threads import in_thread
from stablecoin import registry
from stablecoin.listening.evm import ChainListener
from stablecoin.listening.standby import alone, pause, told_to_stop

# How late a chain is followed that is deployed while this runs.
LOOK_S = 5.0


class Command(BaseCommand):
    help = "Follow the contract's events on every chain. Any number may run; ends on SIGTERM."

    def handle(self, **options: Any) -> None:
        if not settings.EVM_CHAINS:
            raise CommandError("STABLECOIN_CHAINS says none: there is nothing to listen to.")
        asyncio.run(_run())


async def _run() -> None:
    stopping = told_to_stop()
    following: dict[int, asyncio.Task[None]] = {}
    while not stopping.is_set():
        for chain_id, chain in (await _chains()).items():
            if chain_id not in following:
                listener = ChainListener(chain, stopping)
                work = partial(alone, f"stablecoin.listen.{chain_id}", listener.run, stopping)
                following[chain_id] = asyncio.create_task(work())
        for task in following.values():
            if task.done():
                # It cannot be gone on from what nobody foresaw: the process starts anew.
                task.result()
        await pause(LOOK_S, stopping)
    await asyncio.gather(*following.values())
    await adapters.aclose()


async def _chains() -> dict[int, registry.ChainInfo]:
    try:
        return await in_thread(registry.chains)()
    except DatabaseError:
        return {}
