"""The compiled contracts, which `make contracts` writes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "build" / "contracts"


class NotCompiled(Exception):
    """There is no compiled contract of this name."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A contract's interface, and the code that creates it."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes


def artifact(name: str) -> Artifact:
    """
    Raises:
        NotCompiled: run `make contracts`.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        raise NotCompiled(f"{path} is missing: run `make contracts`")
    content = json.loads(path.read_text())
    bytecode = bytes.fromhex(content["bytecode"].removeprefix("0x"))
    return Artifact(content["name"], content["abi"], bytecode)
