"""A whole Fairlane on real parts, in a folder and on ports of its own.

    with running_stack(folder) as stack:
        stack.start("web-1", "relay", *WORKERS)
        stack.wait_until_ready()

Processes are `manage.py` and `celery` themselves, interruptible at their checkpoints. A part ends
with the thread that started it: start parts in the main thread.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.chain import INSTANT, is_healthy, maker_command, node_command
from sandbox.home import REPOSITORY
from sandbox.ports import HOST, free_port
from sandbox.postgres import start_postgres
from sandbox.processes import Part, log_tail, spawn, wait_until_ready
from sandbox.redis import start_redis
from sandbox.world import MAKERS, World, write_world
from tests import batches as fair_batches
from tests import evm, interruption
from tests.evm import EvmChain
from tests.interruption import Interruptions
from tests.onchain import Chain

# Quick, and a blockhash still lives for 150 x 50 ms = 7.5 s: longer than a dead worker's lease.
SLOT_MS = 50
# An expiry is believed when the finalized chain is past it; 32 blocks would only cost time.
FINALITY_SLOTS = 8

WEBS = ("web-1", "web-2")
WORKERS = ("worker-orders", "worker-confirmations", "worker-default")
# Each worker's queues, and how many processes it has.
QUEUES = {
    "worker-orders": ("orders", 2),
    "worker-confirmations": ("confirmations", 2),
    "worker-default": ("default", 1),
    "worker-spare": ("orders,confirmations", 2),
    "worker-stablecoin": ("stablecoin", 2),
    "worker-relayer": ("relayer", 2),
    # Each of the stablecoin's processes may run twice.
    "worker-twin": ("stablecoin,relayer", 2),
    "worker-batches": ("batches", 2),
    "worker-transfers": ("transfers", 2),
    "worker-reservations": ("reservations", 1),
    "worker-batches-twin": ("batches,transfers,reservations", 2),
}
EVERYTHING = (*WEBS, *WORKERS, "beat", "relay")
STABLECOIN = ("worker-stablecoin", "worker-relayer", "listen_kuro", "listen_evm")
BATCHES = ("worker-batches", "worker-transfers", "worker-reservations")
TWINS = ("worker-twin", "listen_kuro-2", "listen_evm-2")

ALL_SCOPES = (
    "--scopes=orders:read,orders:write,quotes:read,metrics:read,stablecoin:read,stablecoin:write"
    ",batches:read,batches:write"
)
ORDER_SCOPES = "--scopes=orders:read,orders:write"


@dataclass
class Stack:
    """The running parts, and the environment of Fairlane's processes.

    Attributes:
        keys: API keys by name: `everything`; `own-wallet`, for the second wallet; `read-only`;
            `revocable`, for one test to revoke.
        parts: what runs or ran, by name.
        chains: the EVM chains that the stablecoin is on, by id.
        batches: whether there are fair batches.
    """

    folder: Path
    world: World
    environment: dict[str, str]
    chain: Chain
    interruptions: Interruptions
    ports: dict[str, int]
    parts: dict[str, Part] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    chains: dict[int, EvmChain] = field(default_factory=dict)
    batches: bool = False

    def url(self, web: str = "web-1") -> str:
        return f"http://{HOST}:{self.ports[web]}"

    def socket_url(self, path: str, web: str = "web-1") -> str:
        return f"ws://{HOST}:{self.ports[web]}{path}"

    def maker_url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    @property
    def postgres_url(self) -> str:
        return self.parts["postgres"].url

    @property
    def key(self) -> str:
        """The API key that may do everything for every wallet."""
        return self.keys["everything"]

    @property
    def wallets(self) -> list[str]:
        """The traders' addresses."""
        return [str(key.pubkey()) for key in self.world.traders.values()]

    def start(self, *names: str) -> None:
        """Start processes, of Fairlane or of the chain; does not wait until they are ready."""
        for name in names:
            url = f"http://{HOST}:{self.ports[name]}" if name in self.ports else ""
            log = self.folder / "logs" / f"{name}.log"
            command = self._command(name)
            process = spawn(command, log=log, env=self.environment, cwd=REPOSITORY)
            self.parts[name] = Part(name=name, url=url, process=process, log=log)

    def wait_until_ready(self) -> None:
        """Return when the web processes, the node and the makers serve."""
        for part in list(self.parts.values()):
            path = "/health/ready" if part.name in WEBS else "/health"
            if part.url.startswith("http") and part.is_alive():
                wait_until_ready(part, partial(is_healthy, part.url + path), seconds=90)

    def is_alive(self, name: str) -> bool:
        return self.parts[name].is_alive()

    def stop(self, *names: str, seconds: float = 20) -> None:
        """SIGTERM, to all at once, and wait for their end."""
        for name in names:
            if self.parts[name].is_alive():
                self.parts[name].process.send_signal(self.parts[name].stop_signal)
        for name in names:
            self.parts[name].stop(seconds=seconds)

    def kill(self, name: str) -> None:
        """SIGKILL a process and its children at once, as when a machine dies."""
        os.killpg(self.parts[name].pid, signal.SIGKILL)
        self.parts[name].process.wait()

    def restart_postgres(self) -> None:
        """Start PostgreSQL on its data and its port, once it has ended."""
        self.parts["postgres"] = start_postgres(
            self.folder / "postgres", port=self.parts["postgres"].port, volatile=True
        )

    def restart_redis(self) -> None:
        """Start an empty Redis in the place of the one that has ended."""
        old = urlsplit(self.parts["redis"].url)
        self.parts["redis"] = start_redis(
            self.folder / "redis", port=old.port, password=old.password
        )

    def manage(self, *commands: Sequence[str]) -> list[str]:
        """Run management commands, in one process; returns what each printed.

        Raises:
            AssertionError: one failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "tests.entries.commands"],
            cwd=REPOSITORY,
            env=self.environment,
            input=json.dumps([list(command) for command in commands]),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        printed: list[str] = json.loads(done.stdout)
        return printed

    def log_tails(self) -> str:
        """The last lines of every part's log."""
        return "\n".join(log_tail(part.log) for part in self.parts.values())

    def _command(self, name: str) -> list[str]:
        if name == "solana":
            node = node_command(
                port=self.ports[name],
                ledger=self.folder / "ledger",
                genesis=self.world.genesis,
                slot_ms=SLOT_MS,
            )
            return [*node, f"--finality-slots={FINALITY_SLOTS}"]
        if name in MAKERS:
            return maker_command(
                name=name,
                port=self.ports[name],
                key=self.world.maker_key(name),
                rpc_url=self.chain.url,
                markets=self.world.markets,
            )
        if name == "raiku":
            return fair_batches.command(self.ports)
        if name in evm.PARTS:
            return evm.command(name, port=self.ports[name], folder=self.folder, chains=self.chains)
        return _fairlane(name, self.ports.get(name))

    def _bootstrap(self) -> None:
        rights = {
            "everything": (ALL_SCOPES, "--wallets=*", "--throttle-exempt"),
            "own-wallet": (ORDER_SCOPES, f"--wallets={self.wallets[1]}"),
            "read-only": ("--scopes=orders:read", "--wallets=*"),
            "revocable": (ORDER_SCOPES, "--wallets=*"),
        }
        _, _, _, _, *keys = self.manage(
            ["migrate", "--no-input"],
            ["sync_tokens", str(self.world.tokens)],
            ["sync_wallets"],
            ["sync_schedule"],
            *(["create_api_key", name, *granted] for name, granted in rights.items()),
        )
        self.keys = dict(zip(rights, keys, strict=True))
        if self.batches:
            self.manage(*fair_batches.settle_in(self.chain.url, self.world))
        if self.chains:
            with evm.hurrying(self.chains.values()):
                (deployed,) = self.manage(["deploy_stablecoin", *map(str, self.chains)])
                evm.settle_in(self.chains, deployed)


def _fairlane(name: str, port: int | None) -> list[str]:
    manage = [sys.executable, "-m", "tests.entries.manage"]
    celery = [sys.executable, "-m", "celery", "-A", "tests.entries.worker"]
    match name.split("-", maxsplit=1)[0]:
        case "web":
            return [*manage, "serve", f"--host={HOST}", f"--port={port}", "--workers=1"]
        case "worker":
            queues, processes = QUEUES[name]
            options = ["-Q", queues, "-c", str(processes), "-n", f"{name}@%h"]
            return [*celery, "worker", *options, "--without-gossip", "--without-mingle"]
        case "beat":
            scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
            return [*celery, "beat", "--scheduler", scheduler, "--pidfile="]
        case "relay" | "listen_kuro" | "listen_evm" | "coordinator" as command:
            return [*manage, command]
    raise ValueError(name)


@contextmanager
def running_stack(
    folder: Path, *, chains: Sequence[int] = (), batches: bool = False, **settings: str
) -> Iterator[Stack]:
    """The databases, the outside world, and a migrated database; all ends with the block.

    Args:
        chains: the EVM chains that the stablecoin is on.
        batches: whether there are fair batches. Where there is either, the outside world is theirs,
            and else that of the orders.
        settings: further environment variables of Fairlane's processes.
    """
    stack = _new_stack(folder, settings, chains, batches)
    special = (*(evm.PARTS if chains else ()), *(fair_batches.PARTS if batches else ()))
    try:
        stack.start(*(special or ("solana", *MAKERS)))
        stack.parts["postgres"] = start_postgres(folder / "postgres", volatile=True)
        stack.parts["redis"] = start_redis(folder / "redis")
        stack.environment["DATABASE_URL"] = stack.parts["postgres"].url
        stack.environment["REDIS_URL"] = stack.parts["redis"].url
        if special:
            stack.wait_until_ready()
        stack._bootstrap()
        yield stack
    finally:
        databases = {"postgres", "redis"} & stack.parts.keys()
        stack.stop(*(stack.parts.keys() - databases))
        stack.stop(*databases)
        shutil.rmtree(folder / "postgres", ignore_errors=True)


def _new_stack(
    folder: Path, settings: Mapping[str, str], chains: Sequence[int], batches: bool
) -> Stack:
    world = write_world(folder / "world")
    points = folder / "interruptions"
    points.mkdir()
    ports = {name: free_port() for name in (*WEBS, *MAKERS, *evm.PARTS, "raiku")}
    ports |= {"solana": free_port(adjacent=2)}
    node_url = f"http://{HOST}:{ports['solana']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fairlane.settings.sandbox",
        "SECRET_KEY": "only-tests-are-signed-with-this-key-and-it-guards-nothing",
        "SOLANA_RPC_URL": node_url,
        "RFQ_MAKERS": ",".join(f"{name}=http://{HOST}:{ports[name]}" for name in MAKERS),
        "WALLET_KEYS_DIR": str(world.trader_keys),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "PYTHONUNBUFFERED": "1",
        **INSTANT,
        **(evm.environment(ports, chains) if chains else {"STABLECOIN_CHAINS": "none"}),
        "BATCHES_KEYS_DIR": "",
        **(fair_batches.environment(ports, world.coordinator_keys) if batches else {}),
        interruption.VARIABLE: str(points),
        **settings,
    }
    return Stack(
        folder=folder,
        world=world,
        environment=environment,
        chain=Chain(node_url),
        interruptions=Interruptions(points),
        ports=ports,
        chains={chain: EvmChain(f"http://{HOST}:{ports['evm']}", chain) for chain in chains},
        batches=batches,
    )
