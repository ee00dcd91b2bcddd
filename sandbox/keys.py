"""Keypair files in the Solana CLI's format, readable by their owner only."""

import json
import os
from pathlib import Path

from solders.keypair import Keypair


def ensure_keypair(path: Path) -> Keypair:
    """The keypair of the file, which is created with a new one if absent."""
    if path.exists():
        return Keypair.from_bytes(bytes(json.loads(path.read_text())))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    keypair = Keypair()
    write_private(path, json.dumps(list(bytes(keypair))))
    return keypair


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, with mode 0600 from its first byte on."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.rename(path)
