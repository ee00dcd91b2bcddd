"""Start the sandbox's EVM chains, and turn their knobs."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from sandbox.chain import is_healthy
from sandbox.evm_accounts import (
    DEPLOYER,
    HOLDERS,
    MNEMONIC,
    OUTSIDER,
    PUBLISHED_KEYS,
    RELAYERS,
    Account,
)
from sandbox.home import REPOSITORY
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, spawn, wait_until_ready

__all__ = [
    "CHAINS",
    "DEPLOYER",
    "HOLDERS",
    "MNEMONIC",
    "OUTSIDER",
    "PROVIDERS",
    "PUBLISHED_KEYS",
    "RELAYERS",
    "Account",
    "evm_command",
    "heal",
    "knobs",
    "mine",
    "provider_url",
    "reorg",
    "rpc",
    "start_evm",
    "stats",
]

CHAINS = tuple(RELAYERS)
PROVIDERS = ("a", "b")
TIMEOUT_S = 30


def evm_command(*, port: int, chains: Sequence[int], block_ms: int, state: Path) -> list[str]:
    """The gateway: JSON-RPC of each chain's two providers at `/{chain}/a` and `/{chain}/b`."""
    return [
        sys.executable,
        "-m",
        "sandbox.services.evm",
        f"--port={port}",
        f"--chains={','.join(map(str, chains))}",
        f"--block-ms={block_ms}",
        f"--state={state}",
    ]


def start_evm(
    directory: Path,
    *,
    chains: Sequence[int] = CHAINS,
    block_ms: int = 0,
    port: int | None = None,
) -> Part:
    """Start chains whose state is under `directory`; a state that is there is continued."""
    port = port or free_port()
    state = directory / "chains"
    command = evm_command(port=port, chains=chains, block_ms=block_ms, state=state)
    log = directory / "evm.log"
    process = spawn(command, log=log, env=dict(os.environ), cwd=REPOSITORY)
    part = Part(name="evm", url=f"http://{HOST}:{port}", process=process, log=log)
    return wait_until_ready(part, lambda: is_healthy(f"{part.url}/health"))


def provider_url(url: str, chain: int, node: str = "a") -> str:
    """Where a provider of a chain answers JSON-RPC; `url` is the gateway's."""
    return f"{url}/{chain}/{node}"


def rpc(url: str, chain: int, method: str, *params: object, node: str = "a") -> Any:
    """The result of one JSON-RPC call.

    Raises:
        ValueError: the provider answered with an error, which is the exception's argument.
    """
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = _post(provider_url(url, chain, node), call)
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["result"]


def knobs(url: str, chain: int, node: str | None = None, **turned: object) -> dict[str, Any]:
    """Turn knobs of a chain, or of one of its providers; returns where all of them are."""
    path = f"{chain}/{node}" if node else str(chain)
    answer: dict[str, Any] = _post(f"{url}/{path}/knobs", turned)
    return answer


def heal(url: str, chain: int) -> None:
    """Turn every knob of a chain and its providers back."""
    response = httpx.delete(f"{url}/{chain}/knobs", timeout=TIMEOUT_S, trust_env=False)
    response.raise_for_status()


def reorg(url: str, chain: int, depth: int, transactions: str = "keep") -> int:
    """Replace the last `depth` blocks; returns the new head's number.

    Args:
        transactions: of the replaced blocks: "keep" mines them again at the new head, "drop"
            loses them.
    """
    answer = _post(f"{url}/{chain}/reorg", {"depth": depth, "transactions": transactions})
    return int(answer["head"])


def mine(url: str, chain: int, blocks: int = 1) -> int:
    """Make blocks at once; returns the new head's number."""
    return int(_post(f"{url}/{chain}/mine", {"blocks": blocks})["head"])


def stats(url: str, chain: int) -> dict[str, dict[str, int]]:
    """How often each method was called, by provider."""
    response = httpx.get(f"{url}/{chain}/stats", timeout=TIMEOUT_S, trust_env=False)
    answer: dict[str, dict[str, int]] = response.raise_for_status().json()
    return answer


def _post(url: str, body: object) -> Any:
    response = httpx.post(url, json=body, timeout=TIMEOUT_S, trust_env=False)
    if response.status_code == httpx.codes.BAD_REQUEST:
        raise ValueError(response.json()["error"])
    return response.raise_for_status().json()
