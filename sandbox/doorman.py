"""`python -m sandbox.doorman`: says when the sandbox is ready, then watches what runs beside.

It is one of the supervised processes: when it ends, all others are stopped.
"""

import json
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
from sandbox.fleet import CONTRACTS, SIGN_IN
from sandbox.plan import Plan
from sandbox.processes import log_tail

# A process that dies ends the wait; those that live may be slow, on a machine that is busy.
READY_SECONDS = 600
TELL_SECONDS = 30
POLL_SECONDS = 0.2
WATCH_SECONDS = 1
SCOPES = (
    "orders:read,orders:write,quotes:read,metrics:read,stablecoin:read,stablecoin:write"
    ",batches:read,batches:write"
)


def main() -> int:
    plan = Plan.handed_down(os.environ)
    try:
        wait_until_ready(plan)
        key = demo_key(plan)
        print(banner(plan, sign_in=os.environ[SIGN_IN]), flush=True)
        publish(plan, api_keys={DEMO: key}, contracts=json.loads(os.environ[CONTRACTS]))
        watch_started(plan)
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
    started = told = time.monotonic()
    while True:
        waiting = {name: probe for name, probe in waiting.items() if not is_healthy(probe)}
        if not waiting:
            return
        now = time.monotonic()
        missing = ", ".join(f"{name} ({probe})" for name, probe in waiting.items())
        if now - started > READY_SECONDS:
            raise SandboxError(f"Not well after {READY_SECONDS} s: {missing}.")
        if now - told > TELL_SECONDS:
            print(f"Waiting for {missing}", flush=True)
            told = now
        time.sleep(POLL_SECONDS)


def demo_key(plan: Plan) -> str:
    """The demo API key: the one of earlier starts while the database knows it and it may do all
    that keys may now, else a new one."""
    before = remembered(plan.home)
    key = before.get("demo_key")
    if before.get("demo_scopes") == SCOPES and isinstance(key, str) and _is_accepted(plan, key):
        return key
    key = manage(plan, "create_api_key", DEMO, f"--scopes={SCOPES}", "--wallets=*")
    remember(plan.home, demo_key=key, demo_scopes=SCOPES)
    return key


def _is_accepted(plan: Plan, key: str) -> bool:
    answer = httpx.get(
        f"{plan.base_url}/api/orders?limit=1",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    return answer.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def watch_started(plan: Plan) -> None:
    """Return never.

    Raises:
        SandboxError: what this sandbox started beside the fleet has ended.
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
