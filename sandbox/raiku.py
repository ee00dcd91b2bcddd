"""Start the sandbox's seller of block space."""

import os
import sys
from pathlib import Path

from sandbox.chain import is_healthy
from sandbox.home import REPOSITORY
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, spawn, wait_until_ready


def raiku_command(
    *,
    port: int,
    rpc_url: str,
    rpc_websocket_url: str,
    token: str = "",
    profile: int = 12,
    share: int = 50,
    seed: int = 1,
) -> list[str]:
    """The server. Auctions close `profile` slots ahead (12, 35, 50 or 90), and `share` per cent of
    slots are the venue's."""
    return [
        sys.executable,
        "-m",
        "sandbox.services.raiku",
        f"--port={port}",
        f"--rpc-url={rpc_url}",
        f"--rpc-websocket-url={rpc_websocket_url}",
        f"--profile={profile}",
        f"--share={share}",
        f"--seed={seed}",
        f"--token={token}",
    ]


def raiku_environment(url: str, *, token: str = "") -> dict[str, str]:
    """What Fairlane reads."""
    return {"RAIKU_URL": url, "RAIKU_TOKEN": token}


def start_raiku(
    directory: Path,
    *,
    rpc_url: str,
    rpc_websocket_url: str,
    port: int | None = None,
    token: str = "",
    profile: int = 12,
    share: int = 50,
    seed: int = 1,
) -> Part:
    """Start the server; its knobs can be turned through its `/sandbox/knobs`."""
    port = port or free_port()
    command = raiku_command(
        port=port,
        rpc_url=rpc_url,
        rpc_websocket_url=rpc_websocket_url,
        token=token,
        profile=profile,
        share=share,
        seed=seed,
    )
    log = directory / "raiku.log"
    process = spawn(command, log=log, env=dict(os.environ), cwd=REPOSITORY)
    part = Part(name="raiku", url=f"http://{HOST}:{port}", process=process, log=log)
    return wait_until_ready(part, lambda: is_healthy(f"{part.url}/health"))
