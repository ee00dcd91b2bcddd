"""The system under test: the sandbox's own processes, in a folder of their own."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import psycopg

from sandbox.bootstrap import Prepared, bootstrap, manage
from sandbox.chain import INSTANT, is_healthy
from sandbox.fleet import Service, fleet, prerequisites
from sandbox.home import HOME, REPOSITORY, Home
from sandbox.plan import Plan, Ports
from sandbox.ports import HOST, free_port
from sandbox.postgres import start_postgres
from sandbox.processes import Part, spawn, wait_until_ready
from sandbox.redis import start_redis
from sandbox.scratch import scratch_directory
from sandbox.world import MAKERS, write_world

SCRATCH = HOME.directory / "benchmarks"
# What the sandbox has for people only.
NOT_MEASURED = frozenset({"traffic", "traffic-stablecoin", "traffic-batches", "sandbox"})
SCOPES = "orders:read,orders:write,quotes:read,metrics:read,stablecoin:read,stablecoin:write"
# As in production: one line per oddity, not per request.
SETTINGS = {"LOG_LEVEL": "WARNING", **INSTANT}


@dataclass(frozen=True)
class Stack:
    """Everything that runs, by name, and a key that no throttle holds back.

    Attributes:
        contracts: the stablecoin's address by chain id; empty in a run without it.
    """

    plan: Plan
    parts: dict[str, Part]
    contracts: Mapping[int, str]
    api_key: str

    @property
    def wallets(self) -> list[str]:
        """The traders' addresses."""
        return [str(key.pubkey()) for key in self.plan.world.traders.values()]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}

    def http(self) -> httpx.Client:
        """A client of the API."""
        return httpx.Client(
            base_url=self.plan.base_url, headers=self.headers, timeout=60, trust_env=False
        )

    def database(self) -> psycopg.Connection:
        """A connection of the benchmark's own."""
        return psycopg.connect(self.plan.database_url, autocommit=True)

    def turn_knobs(self, **knobs: float) -> None:
        """Change how both makers behave; see `sandbox.services.makers.knobs`."""
        for url in self.plan.makers.values():
            httpx.post(f"{url}/knobs", json=knobs, trust_env=False).raise_for_status()

    def stop(self, *names: str) -> None:
        """End parts in an orderly way."""
        for name in names:
            self.parts[name].stop()

    def start(self, *names: str) -> None:
        """Start parts of the fleet that were stopped."""
        for service in fleet(self.plan, sign_in=""):
            if service.name in names:
                self.parts[service.name] = _start(self.plan, service)

    def landed(self) -> Mapping[str, int]:
        """Memo → how many successful transactions on the chain carry it."""
        url = f"{self.plan.services['solana']}/memos?prefix=fairlane:"
        answer = httpx.get(url, timeout=60, trust_env=False).raise_for_status()
        memos: dict[str, int] = answer.json()
        return memos


@contextmanager
def running(
    say: Callable[[str], None], *, stablecoin: bool = False, batches: bool = False
) -> Iterator[Stack]:
    """Start the stack; stop it and remove what it kept at the end.

    Args:
        stablecoin: whether its chains, services and processes run too. They keep the cores busy
            even where nothing is minted, so orders are measured without them.
        batches: whether the markets' processes run too.

    Raises:
        SandboxError: a part does not start; the message has its log's last lines.
    """
    os.environ |= SETTINGS
    with ExitStack() as stopping:
        home = Home(stopping.enter_context(scratch_directory(SCRATCH)))
        say(f"Starting a stack {'with' if stablecoin else 'without'} the stablecoin")
        postgres = start_postgres(home.postgres, log=home.log("postgres"))
        stopping.callback(postgres.stop)
        redis = start_redis(home.redis, log=home.log("redis"))
        stopping.callback(redis.stop)
        plan = _plan(home, postgres.url, redis.url, stablecoin=stablecoin, batches=batches)
        parts = {"postgres": postgres, "redis": redis}
        for service in prerequisites(plan):
            parts[service.name] = part = _start(plan, service)
            stopping.callback(part.stop)
            _wait_until_healthy(part)
        prepared = bootstrap(plan)
        stopping.callback(_stop_all, parts)
        for service in fleet(plan, sign_in=""):
            if service.name not in NOT_MEASURED:
                parts[service.name] = _start(plan, service)
        _wait_until_ready(plan, parts)
        yield Stack(plan, parts, _contracts(prepared), _api_key(plan))
        say("Stopping")


def _start(plan: Plan, service: Service) -> Part:
    log = plan.home.log(service.name)
    environment = plan.environment | dict(service.env)
    process = spawn(service.command, log=log, env=environment, cwd=REPOSITORY)
    return Part(service.name, plan.services.get(service.name, ""), process, log)


def _stop_all(parts: Mapping[str, Part]) -> None:
    """The fleet, last started first; the databases and the chains outlive it."""
    for name in reversed(list(parts)):
        if name not in ("postgres", "redis", "solana", "evm", "kms"):
            parts[name].stop()


def _contracts(prepared: Prepared) -> dict[int, str]:
    return {int(chain): it["address"] for chain, it in prepared.contracts.items()}


def _api_key(plan: Plan) -> str:
    named = ("create_api_key", "bench", f"--scopes={SCOPES}", "--wallets=*", "--throttle-exempt")
    return manage(plan, *named)


def _plan(
    home: Home, database_url: str, redis_url: str, *, stablecoin: bool, batches: bool
) -> Plan:
    outside = {name: free_port() for name in ("evm", "kms", "kuro")} if stablecoin else {}
    return Plan(
        ports=Ports(
            web=free_port(),
            postgres=0,
            redis=0,
            solana=free_port(adjacent=2),
            makers={name: free_port() for name in MAKERS},
            raiku=free_port() if batches else None,
            **outside,
        ),
        world=write_world(home.directory),
        database_url=database_url,
        redis_url=redis_url,
        secret_key=secrets.token_hex(32),
        started=(),
        home=home,
    )


def _wait_until_ready(plan: Plan, parts: Mapping[str, Part]) -> None:
    for name, part in parts.items():
        if name.startswith(("solana", "maker-")):
            _wait_until_healthy(part)
    # The workers have shown that they take messages once each queue has its heartbeat.
    wait_until_ready(parts["web"], lambda: is_healthy(f"{plan.base_url}/health/ready"), seconds=60)
    queues = sum(name.startswith("worker-") for name in parts)
    with psycopg.connect(plan.database_url, autocommit=True) as connection:
        beats = "SELECT count(*) = %s FROM core_heartbeat"
        wait_until_ready(
            parts["beat"],
            lambda: bool((connection.execute(beats, [queues]).fetchone() or [0])[0]),
            seconds=60,
        )


def _wait_until_healthy(part: Part) -> None:
    wait_until_ready(part, lambda: is_healthy(f"{part.url}/health"))


__all__ = ["HOST", "Stack", "running"]
