"""Fair batches of a stack: block space, keys, markets, and owners who let escrow be pulled."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.coordinator import approve_coordinator, fund_coordinator
from sandbox.markets import MARKETS, POOLED
from sandbox.ports import HOST
from sandbox.raiku import raiku_command, raiku_environment
from sandbox.world import World

PARTS = ("solana", "raiku")
CUSTOMER = "tests"


def environment(ports: Mapping[str, int], keys: Path) -> dict[str, str]:
    """What Fairlane reads of block space and the coordinator."""
    return {
        "BATCHES_KEYS_DIR": str(keys),
        "SOLANA_WEBSOCKET_URL": _websocket_url(ports),
        **raiku_environment(f"http://{HOST}:{ports['raiku']}", token=CUSTOMER),
    }


def command(ports: Mapping[str, int]) -> list[str]:
    """The command of the seller of block space."""
    return raiku_command(
        port=ports["raiku"],
        rpc_url=f"http://{HOST}:{ports['solana']}",
        rpc_websocket_url=_websocket_url(ports),
        token=CUSTOMER,
    )


def settle_in(node: str, world: World) -> Sequence[Sequence[str]]:
    """Prepare the chain; returns the management commands that open the markets and their pools."""
    fund_coordinator(node, world)
    approve_coordinator(node, world)
    deposits = [market.funding(world.treasury_key) for market in POOLED]
    return [*(market.command for market in MARKETS), *deposits]


def _websocket_url(ports: Mapping[str, int]) -> str:
    return f"ws://{HOST}:{ports['solana'] + 1}"
