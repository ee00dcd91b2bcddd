"""The system under test: the sandbox's own processes, in a folder of their own."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import psycopg

from sandbox.bootstrap import bootstrap, manage
from sandbox.chain import INSTANT, is_healthy
from sandbox.fleet import fleet
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
NOT_MEASURED = frozenset({"traffic", "sandbox"})
SCOPES = "orders:read,orders:write,quotes:read,metrics:read"
# As in production: one line per oddity, not per request.
SETTINGS = {"LOG_LEVEL": "WARNING", **INSTANT}


@dataclass(frozen=True)
class Stack:
    """Everything that runs, by name, and a key that no throttle holds back."""

    plan: Plan
    parts: Mapping[str, Part]
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

    def landed(self) -> Mapping[str, int]:
        """Memo → how many successful transactions on the chain carry it."""
        url = f"{self.plan.services['solana']}/memos?prefix=fairlane:"
        answer = httpx.get(url, timeout=60, trust_env=False).raise_for_status()
        memos: dict[str, int] = answer.json()
        return memos


@contextmanager
def running(say: Callable[[str], None]) -> Iterator[Stack]:
    """Start the stack; stop it and remove what it kept at the end.

    Raises:
        SandboxError: a part does not start; the message has its log's last lines.
    """
    os.environ |= SETTINGS
    with ExitStack() as stopping:
        home = Home(stopping.enter_context(scratch_directory(SCRATCH)))
        say("Starting PostgreSQL, Redis, the Solana node, the makers and Fairlane")
        postgres = start_postgres(home.postgres, log=home.log("postgres"))
        stopping.callback(postgres.stop)
        redis = start_redis(home.redis, log=home.log("redis"))
        stopping.callback(redis.stop)
        plan = _plan(home, postgres.url, redis.url)
        bootstrap(plan)
        parts = {"postgres": postgres, "redis": redis}
        for service in fleet(plan, sign_in=""):
            if service.name in NOT_MEASURED:
                continue
            part = Part(
                name=service.name,
                url=plan.services.get(service.name, ""),
                process=spawn(
                    service.command,
                    log=home.log(service.name),
                    env=plan.environment | dict(service.env),
                    cwd=REPOSITORY,
                ),
                log=home.log(service.name),
            )
            stopping.callback(part.stop)
            parts[service.name] = part
        _wait_until_ready(plan, parts)
        key = manage(
            plan, "create_api_key", "bench", f"--scopes={SCOPES}", "--wallets=*",
            "--throttle-exempt",
        )  # fmt: skip
        yield Stack(plan, parts, key)
        say("Stopping")


def _plan(home: Home, database_url: str, redis_url: str) -> Plan:
    return Plan(
        ports=Ports(
            web=free_port(),
            postgres=0,
            redis=0,
            solana=free_port(adjacent=2),
            makers={name: free_port() for name in MAKERS},
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
            wait_until_ready(part, lambda part=part: is_healthy(f"{part.url}/health"))  # type: ignore[misc]
    # The workers have shown that they take messages once each queue has its heartbeat.
    wait_until_ready(parts["web"], lambda: is_healthy(f"{plan.base_url}/health/ready"), seconds=60)
    with psycopg.connect(plan.database_url, autocommit=True) as connection:
        beats = "SELECT count(*) = 3 FROM core_heartbeat"
        wait_until_ready(
            parts["beat"],
            lambda: bool((connection.execute(beats).fetchone() or [0])[0]),
            seconds=60,
        )


__all__ = ["HOST", "Stack", "running"]
