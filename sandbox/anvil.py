"""Where the EVM node of the sandbox is: anvil, as npm installs it, or one on the PATH."""

import platform
import shutil
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.home import REPOSITORY

_PACKAGES = REPOSITORY / "node_modules" / "@foundry-rs"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def anvil_binary() -> Path:
    """
    Raises:
        SandboxError: it is not installed.
    """
    machine = _MACHINES.get(platform.machine(), platform.machine())
    binary = _PACKAGES / f"anvil-{platform.system().lower()}-{machine}" / "bin" / "anvil"
    if binary.exists():
        return binary
    # Of other platforms Foundry's own installer has one.
    if installed := shutil.which("anvil"):
        return Path(installed)
    raise SandboxError(
        f"{binary} is not there: run `make contracts`, which installs it on Linux with an x86-64"
        " processor; elsewhere install Foundry, so that `anvil` is on the PATH."
    )
