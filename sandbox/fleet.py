"""The processes of a sandbox: who runs, and by which command."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.chain import maker_command, node_command
from sandbox.evm import evm_command
from sandbox.kms import kms_command
from sandbox.kuro import kuro_command
from sandbox.plan import RAIKU_CUSTOMER, Plan
from sandbox.ports import HOST
from sandbox.raiku import raiku_command

SLOT_MS = 200
BLOCK_MS = 1000
WEB_PROCESSES = 2
# The environment variables that hand the doorman the sign-in link and the contracts.
SIGN_IN = "SANDBOX_SIGN_IN"
CONTRACTS = "SANDBOX_CONTRACTS"


@dataclass(frozen=True)
class Service:
    """One process of the sandbox.

    Attributes:
        if_orphaned: the signal it gets when the sandbox itself was killed.
    """

    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    if_orphaned: signal.Signals = signal.SIGTERM


def prerequisites(plan: Plan) -> list[Service]:
    """What has to run before the fleet and longer, like the databases: contracts are deployed and
    vaults opened through it, and workers record what it did while they stop."""
    node = node_command(
        port=plan.ports.solana,
        ledger=plan.home.ledger,
        genesis=plan.world.genesis,
        slot_ms=SLOT_MS,
    )
    return [Service("solana", node), *_evm_prerequisites(plan)]


def _evm_prerequisites(plan: Plan) -> list[Service]:
    if not plan.chains:
        return []
    assert plan.ports.evm is not None
    assert plan.ports.kms is not None
    evm = evm_command(
        port=plan.ports.evm, chains=plan.chains, block_ms=BLOCK_MS, state=plan.home.chains
    )
    kms = kms_command(port=plan.ports.kms, key_file=plan.home.kms_key)
    return [Service("evm", evm), Service("kms", kms)]


def fleet(plan: Plan, *, sign_in: str, contracts: str = "{}") -> list[Service]:
    """Everything beside the databases and prerequisites, in the order it is listed to people.

    Args:
        sign_in: the path of the link that the banner shows.
        contracts: JSON of the stablecoin's contracts, for the credentials.
    """
    return [
        *_outside_world(plan),
        *_fairlane(plan),
        *_stablecoin(plan),
        *_batches(plan),
        *_traffic(plan),
        _doorman(sign_in, contracts),
    ]


def _outside_world(plan: Plan) -> list[Service]:
    return [
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


def _fairlane(plan: Plan) -> list[Service]:
    serve = ["serve", f"--host={HOST}", f"--port={plan.ports.web}", f"--workers={WEB_PROCESSES}"]
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    return [
        Service("web", [sys.executable, "manage.py", *serve]),
        _worker("orders", processes=2),
        _worker("confirmations", processes=2),
        _worker("default", processes=1),
        Service("beat", _celery("beat", "--scheduler", scheduler, "--pidfile=")),
        _command("relay"),
    ]


def _stablecoin(plan: Plan) -> list[Service]:
    if plan.ports.kuro is None:
        return []
    kuro = kuro_command(port=plan.ports.kuro, approvals=plan.home.approvals)
    return [
        Service("kuro", kuro),
        _worker("stablecoin", processes=2),
        _worker("relayer", processes=2),
        _command("listen_kuro"),
        _command("listen_evm"),
    ]


def _batches(plan: Plan) -> list[Service]:
    if plan.ports.raiku is None:
        return []
    raiku = raiku_command(
        port=plan.ports.raiku,
        rpc_url=plan.services["solana"],
        rpc_websocket_url=plan.services["solana-websocket"],
        token=RAIKU_CUSTOMER,
    )
    return [
        Service("raiku", raiku),
        _worker("batches", processes=2),
        _worker("transfers", processes=2),
        _worker("reservations", processes=1),
    ]


def _worker(queue: str, *, processes: int) -> Service:
    # Gossip and mingle are chatter among workers that nothing here uses.
    options = ["-Q", queue, "-c", str(processes), "-n", f"{queue}@%h"]
    quiet = ["--without-gossip", "--without-mingle"]
    # Its broker died with the sandbox: a worker that is asked to stop finishes its tasks first, and
    # may wait for ever for one that cannot end, or whose report of a failure nobody reads any more.
    command = _celery("worker", *options, *quiet)
    return Service(f"worker-{queue}", command, if_orphaned=signal.SIGKILL)


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "fairlane", *arguments]


def _command(name: str) -> Service:
    return Service(name.replace("_", "-"), [sys.executable, "manage.py", name])


def _traffic(plan: Plan) -> list[Service]:
    if os.environ.get("TRAFFIC") == "0":
        return []
    return [
        _module("traffic", "sandbox.traffic"),
        *([_module("traffic-stablecoin", "sandbox.stablecoin_traffic")] if plan.chains else []),
        *([_module("traffic-batches", "sandbox.batch_traffic")] if plan.batches else []),
    ]


def _module(name: str, module: str) -> Service:
    return Service(name, [sys.executable, "-m", module])


def _doorman(sign_in: str, contracts: str) -> Service:
    command = [sys.executable, "-m", "sandbox.doorman"]
    return Service("sandbox", command, env={SIGN_IN: sign_in, CONTRACTS: contracts})
