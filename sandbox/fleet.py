"""The processes of a sandbox: who runs, and by which command."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.chain import maker_command, node_command
from sandbox.plan import Plan
from sandbox.ports import HOST

SLOT_MS = 200
WEB_PROCESSES = 2
# The environment variable that hands the doorman the sign-in link.
SIGN_IN = "SANDBOX_SIGN_IN"


@dataclass(frozen=True)
class Service:
    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)


def fleet(plan: Plan, *, sign_in: str) -> list[Service]:
    """Everything beside the databases, in the order it is listed to people.

    Args:
        sign_in: the path of the link that the banner shows.
    """
    return [*_outside_world(plan), *_fairlane(plan), *_traffic(), _doorman(sign_in)]


def _outside_world(plan: Plan) -> list[Service]:
    node = node_command(
        port=plan.ports.solana,
        ledger=plan.home.ledger,
        genesis=plan.world.genesis,
        slot_ms=SLOT_MS,
    )
    makers = [
        Service(
            f"maker-{name}",
            maker_command(
                name=name,
                port=port,
                key=plan.world.maker_key(name),
                rpc_url=plan.services["solana"],
                markets=plan.world.markets,
            ),
        )
        for name, port in plan.ports.makers.items()
    ]
    return [Service("solana", node), *makers]


def _fairlane(plan: Plan) -> list[Service]:
    serve = ["serve", f"--host={HOST}", f"--port={plan.ports.web}", f"--workers={WEB_PROCESSES}"]
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    return [
        Service("web", [sys.executable, "manage.py", *serve]),
        _worker("orders", processes=2),
        _worker("confirmations", processes=2),
        _worker("default", processes=1),
        Service("beat", _celery("beat", "--scheduler", scheduler, "--pidfile=")),
        Service("relay", [sys.executable, "manage.py", "relay"]),
    ]


def _worker(queue: str, *, processes: int) -> Service:
    # Gossip and mingle are chatter among workers that nothing here uses.
    options = ["-Q", queue, "-c", str(processes), "-n", f"{queue}@%h"]
    quiet = ["--without-gossip", "--without-mingle"]
    return Service(f"worker-{queue}", _celery("worker", *options, *quiet))


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "fairlane", *arguments]


def _traffic() -> list[Service]:
    if os.environ.get("TRAFFIC") == "0":
        return []
    return [Service("traffic", [sys.executable, "-m", "sandbox.traffic"])]


def _doorman(sign_in: str) -> Service:
    command = [sys.executable, "-m", "sandbox.doorman"]
    return Service("sandbox", command, env={SIGN_IN: sign_in})
