"""Start everything in order, run it until the end, stop it in the reverse order."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from types import FrameType

from sandbox.bootstrap import Prepared, bootstrap
from sandbox.chain import is_healthy
from sandbox.credentials import publish_environment, secret_key, withdraw
from sandbox.errors import SandboxError
from sandbox.fleet import fleet, prerequisites
from sandbox.home import HOME, REPOSITORY, Home, occupied
from sandbox.manager import Manager
from sandbox.plan import Plan, Ports, choose_ports
from sandbox.postgres import start_postgres
from sandbox.processes import Part, log_tail, spawn, wait_until_ready
from sandbox.redis import start_redis
from sandbox.world import write_world

PREREQUISITES = ("solana", "evm", "kms")


def main() -> int:
    """Run the sandbox; returns the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with ExitStack() as running:
            return _run(HOME, running)
    except KeyboardInterrupt:
        say("Stopped")
        return 0
    except SandboxError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def say(text: str) -> None:
    print(f"• {text}", flush=True)


def _run(home: Home, running: ExitStack) -> int:
    running.enter_context(occupied(home))
    withdraw(home)  # of a sandbox that was killed
    ports = choose_ports(os.environ)
    _start_logs_afresh(home)
    say("Preparing wallets and the chain's first accounts")
    world = write_world(home.directory)
    database_url, redis_url, started = _databases(home, ports, running, os.environ)
    plan = Plan(
        ports=ports,
        world=world,
        database_url=database_url,
        redis_url=redis_url,
        secret_key=secret_key(home),
        started=(*started, *PREREQUISITES),
        home=home,
    )
    running.callback(withdraw, home)
    publish_environment(plan)
    say("Starting the Solana node, the EVM chains and the key service")
    _start_prerequisites(plan, running)
    say("Preparing the database and the chains: schema, tokens, wallets, contracts, markets")
    return _supervise(plan, bootstrap(plan))


def _databases(
    home: Home, ports: Ports, running: ExitStack, environment: Mapping[str, str]
) -> tuple[str, str, tuple[str, ...]]:
    """The URLs of PostgreSQL and Redis, and which of them were started here.

    They are not among honcho's processes, which all end at once: these must outlive the workers,
    who have work to record while they stop.
    """
    started = []
    database_url, redis_url = environment.get("DATABASE_URL"), environment.get("REDIS_URL")
    if not database_url:
        say("Starting PostgreSQL")
        postgres = start_postgres(home.postgres, port=ports.postgres, log=home.log("postgres"))
        running.callback(postgres.stop)
        database_url = postgres.url
        started.append("postgres")
    if not redis_url:
        say("Starting Redis")
        redis = start_redis(home.redis, port=ports.redis, log=home.log("redis"))
        running.callback(redis.stop)
        redis_url = redis.url
        started.append("redis")
    return database_url, redis_url, tuple(started)


def _start_prerequisites(plan: Plan, running: ExitStack) -> None:
    """Start them side by side, and return when all are well."""
    parts = []
    for service in prerequisites(plan):
        log = plan.home.log(service.name)
        process = spawn(service.command, log=log, env=plan.environment, cwd=REPOSITORY)
        part = Part(service.name, plan.services[service.name], process, log)
        running.callback(part.stop)
        parts.append(part)
    for part in parts:
        wait_until_ready(part, lambda url=part.url: is_healthy(f"{url}/health"))  # type: ignore[misc]


def _supervise(plan: Plan, prepared: Prepared) -> int:
    """Run the fleet until one of it ends or a signal comes; returns the exit status."""
    # Forked, not spawned: the middlemen share this process's modules, and with them its memory.
    multiprocessing.set_start_method("fork")
    contracts = json.dumps(prepared.contracts)
    services = fleet(plan, sign_in=prepared.sign_in, contracts=contracts)
    say(f"Starting {len(services)} processes: {', '.join(service.name for service in services)}")
    manager = Manager(plan, services)
    manager.loop()
    if not manager.ended_first:
        say("Stopped")
        return 0
    for name, status in manager.ended_first:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        print(f"\n{name} {how}, so everything was stopped.", file=sys.stderr)
        print(log_tail(plan.home.log(name)), file=sys.stderr)
    return 1


def _start_logs_afresh(home: Home) -> None:
    """Keep the logs of the run before as `*.log.1`; metrics of ended processes are of no use."""
    for log in home.logs.glob("*.log"):
        log.rename(log.with_name(f"{log.name}.1"))
    shutil.rmtree(home.metrics, ignore_errors=True)
    home.metrics.mkdir(mode=0o700)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Before honcho takes the signals over, they end the start as Ctrl-C does."""
    raise KeyboardInterrupt
