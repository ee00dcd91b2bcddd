"""Start the sandbox's compliance service."""

import os
import sys
from pathlib import Path

from sandbox.chain import is_healthy
from sandbox.home import REPOSITORY
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, spawn, wait_until_ready


def kuro_command(*, port: int, approvals: Path) -> list[str]:
    command = [sys.executable, "-m", "sandbox.services.kuro", f"--port={port}"]
    return [*command, f"--approvals={approvals}"]


def kuro_environment(url: str) -> dict[str, str]:
    """What Fairlane reads."""
    return {"KURO_REST_URL": url, "KURO_WEBSOCKET_URL": f"{url.replace('http', 'ws', 1)}/ws"}


def start_kuro(directory: Path, *, port: int | None = None) -> Part:
    """Start the service; what was approved under `directory` stays approved."""
    port = port or free_port()
    command = kuro_command(port=port, approvals=directory / "kuro.jsonl")
    log = directory / "kuro.log"
    process = spawn(command, log=log, env=dict(os.environ), cwd=REPOSITORY)
    part = Part(name="kuro", url=f"http://{HOST}:{port}", process=process, log=log)
    return wait_until_ready(part, lambda: is_healthy(f"{part.url}/health"))
