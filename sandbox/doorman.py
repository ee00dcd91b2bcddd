"""`python -m sandbox.doorman`: says when the sandbox is ready, then watches its databases.

It is one of the supervised processes: when it ends, all others are stopped.
"""

import os
import socket
import sys
import time
from urllib.parse import urlsplit

import httpx

from sandbox.banner import banner
from sandbox.bootstrap import manage
from sandbox.chain import is_healthy
from sandbox.credentials import DEMO, publish, remember, remembered
from sandbox.errors import SandboxError
from sandbox.fleet import SIGN_IN
from sandbox.plan import Plan
from sandbox.processes import log_tail

READY_SECONDS = 90
POLL_SECONDS = 0.2
WATCH_SECONDS = 1
SCOPES = "orders:read,orders:write,quotes:read,metrics:read"


def main() -> int:
    plan = Plan.handed_down(os.environ)
    try:
        wait_until_ready(plan)
        key = demo_key(plan)
        print(banner(plan, sign_in=os.environ[SIGN_IN]), flush=True)
        publish(plan, api_keys={DEMO: key})
        watch_databases(plan)
    except SandboxError as error:
        print(error, flush=True)
    return 1


def wait_until_ready(plan: Plan) -> None:
    """
    Raises:
        SandboxError: a service does not answer that it is well.
    """
    waiting = {
        name: f"{url}/health/ready" if name == "web" else f"{url}/health"
        for name, url in plan.services.items()
        if url.startswith("http://")
    }
    deadline = time.monotonic() + READY_SECONDS
    while True:
        waiting = {name: probe for name, probe in waiting.items() if not is_healthy(probe)}
        if not waiting:
            return
        if time.monotonic() > deadline:
            missing = ", ".join(f"{name} ({probe})" for name, probe in waiting.items())
            raise SandboxError(f"Not well after {READY_SECONDS} s: {missing}.")
        time.sleep(POLL_SECONDS)


def demo_key(plan: Plan) -> str:
    """The demo API key: the one of earlier starts while the database knows it, else a new one."""
    key = remembered(plan.home).get("demo_key")
    if isinstance(key, str) and _is_accepted(plan, key):
        return key
    key = manage(plan, "create_api_key", DEMO, f"--scopes={SCOPES}", "--wallets=*")
    remember(plan.home, demo_key=key)
    return key


def _is_accepted(plan: Plan, key: str) -> bool:
    answer = httpx.get(
        f"{plan.base_url}/api/orders?limit=1",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    return answer.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def watch_databases(plan: Plan) -> None:
    """Return never.

    Raises:
        SandboxError: PostgreSQL or Redis, started by this sandbox, has ended.
    """
    while True:
        time.sleep(WATCH_SECONDS)
        for name in plan.started:
            if not _listens(plan.services[name]):
                raise SandboxError(f"{name} has ended.\n{log_tail(plan.home.log(name))}")


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
