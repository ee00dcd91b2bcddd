"""Start the sandbox's key service."""

import os
import sys
from pathlib import Path

from sandbox.chain import is_healthy
from sandbox.home import REPOSITORY
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, spawn, wait_until_ready

KEY_ID = "5f2d8a52-7c1e-4b0e-9c63-fa1e1a0e5920"
REGION = "us-east-1"


def kms_command(*, port: int, key_file: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "sandbox.services.kms",
        f"--port={port}",
        f"--key-id={KEY_ID}",
        f"--key-file={key_file}",
        f"--region={REGION}",
    ]


def kms_environment(url: str) -> dict[str, str]:
    """What boto3 and Fairlane read."""
    return {
        "AWS_ENDPOINT_URL_KMS": url,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "KMS_KEY_ID": KEY_ID,
    }


def start_kms(directory: Path, *, port: int | None = None) -> Part:
    """Start the service; the key that is under `directory` is used again."""
    port = port or free_port()
    command = kms_command(port=port, key_file=directory / "kms.pem")
    log = directory / "kms.log"
    process = spawn(command, log=log, env=dict(os.environ), cwd=REPOSITORY)
    part = Part(name="kms", url=f"http://{HOST}:{port}", process=process, log=log)
    return wait_until_ready(part, lambda: is_healthy(f"{part.url}/health"))
