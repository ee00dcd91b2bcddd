"""What the sandbox tells scripts, and what it remembers from one start to the next."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.home import Home
from sandbox.keys import write_private
from sandbox.plan import Plan

DEMO = "demo"


def remembered(home: Home) -> dict[str, Any]:
    """What earlier starts remembered; empty at the first."""
    if not home.secrets.exists():
        return {}
    content: dict[str, Any] = json.loads(home.secrets.read_text())
    return content


def remember(home: Home, **values: str) -> None:
    write_private(home.secrets, json.dumps(remembered(home) | values, indent=1))


def secret_key(home: Home) -> str:
    """Django's secret key: kept, so that sessions and links outlive a restart."""
    key = remembered(home).get("secret_key")
    if not isinstance(key, str):
        key = secrets.token_hex(32)
        remember(home, secret_key=key)
    return key


def publish(
    plan: Plan, *, api_keys: dict[str, str], contracts: Mapping[str, Mapping[str, str]]
) -> None:
    """Write the file scripts read; that it exists says that the sandbox is ready.

    Args:
        contracts: of the stablecoin, by chain id: `address` and `kycRegistry`.
    """
    content = {
        "base_url": plan.base_url,
        "api_keys": api_keys,
        "wallets": plan.world.addresses,
        "services": plan.services,
        "contracts": contracts,
    }
    write_private(plan.home.credentials, json.dumps(content, indent=1) + "\n")


def publish_environment(plan: Plan) -> None:
    """Let `manage.py` in another terminal reach this sandbox."""
    lines = "".join(f"{name}={value}\n" for name, value in plan.settings.items())
    write_private(plan.home.environment, lines)


def withdraw(home: Home) -> None:
    """Remove what speaks of a running sandbox."""
    home.credentials.unlink(missing_ok=True)
    home.environment.unlink(missing_ok=True)
