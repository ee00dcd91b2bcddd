"""Start the Solana node and the makers, each a process that serves a real protocol."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from sandbox.home import REPOSITORY
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, spawn, wait_until_ready

INSTANT = {
    "MOCK_DEX_QUOTE_DELAY_MS": "0",
    "MOCK_DEX_EXECUTION_DELAY_MS": "0",
    "MOCK_DEX_FAILURE_RATE": "0",
    "MOCK_DEX_SLIPPAGE_BPS": "0",
}
"""A maker's knobs for tests: no delay, no failure, no moving price."""


def node_command(*, port: int, ledger: Path, genesis: Path, slot_ms: int) -> list[str]:
    """The node: JSON-RPC over HTTP and WebSocket on `port`, WebSocket also on `port + 1`."""
    return [
        sys.executable,
        "-m",
        "sandbox.services.solana",
        f"--port={port}",
        f"--ledger={ledger}",
        f"--genesis={genesis}",
        f"--slot-ms={slot_ms}",
    ]


def maker_command(*, name: str, port: int, key: Path, rpc_url: str, markets: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "sandbox.services.makers",
        f"--name={name}",
        f"--port={port}",
        f"--keypair={key}",
        f"--rpc={rpc_url}",
        f"--markets={markets}",
    ]


def start_node(
    directory: Path, *, genesis: Path, port: int | None = None, slot_ms: int = 200
) -> Part:
    """Start a node whose ledger is under `directory`; a ledger that is there is continued."""
    port = port or free_port(adjacent=2)
    command = node_command(port=port, ledger=directory / "ledger", genesis=genesis, slot_ms=slot_ms)
    return _start("solana", command, port=port, log=directory / "solana.log")


def start_maker(
    name: str,
    directory: Path,
    *,
    key: Path,
    rpc_url: str,
    markets: Path,
    port: int | None = None,
    knobs: Mapping[str, str] = INSTANT,
) -> Part:
    """Start an RFQ maker; its knobs can be turned later through its `/knobs`."""
    port = port or free_port()
    command = maker_command(name=name, port=port, key=key, rpc_url=rpc_url, markets=markets)
    log = directory / f"maker-{name}.log"
    return _start(f"maker-{name}", command, port=port, log=log, env=dict(knobs))


def is_healthy(url: str) -> bool:
    """Whether a GET of the URL answers 200."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _start(
    name: str, command: list[str], *, port: int, log: Path, env: Mapping[str, str] | None = None
) -> Part:
    process = spawn(command, log=log, env=os.environ | dict(env or {}), cwd=REPOSITORY)
    part = Part(name=name, url=f"http://{HOST}:{port}", process=process, log=log)
    return wait_until_ready(part, lambda: is_healthy(f"{part.url}/health"))
