"""Fair batches in PostgreSQL: planning, intake, and settlement, in a database of their own."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.report import Figure, Section
from sandbox.home import HOME, REPOSITORY, Home
from sandbox.keys import ensure_keypair
from sandbox.ports import HOST
from sandbox.postgres import start_postgres
from sandbox.redis import start_redis
from sandbox.scratch import scratch_directory

SCRATCH = HOME.directory / "benchmarks"
# Of the design: milliseconds of a pass over so many markets, and of a batch of 100,000 orders.
PLAN_MS = {1_000: 15.0, 10_000: 150.0}
RECORD_100K_MS = 600.0


def measure(*, markets: Sequence[int], intake: int, orders: int) -> list[Section]:
    """Sections on planning so many markets, taking orders, and settling a batch."""
    with ExitStack() as stopping:
        home = Home(stopping.enter_context(scratch_directory(SCRATCH)))
        postgres = start_postgres(home.postgres, log=home.log("postgres"))
        stopping.callback(postgres.stop)
        redis = start_redis(home.redis, log=home.log("redis"))
        stopping.callback(redis.stop)
        environment = _environment(home, postgres.url, redis.url)
        _run(environment, "manage.py", "migrate", "--no-input")
        sizes = json.dumps({"markets": list(markets), "intake": intake, "orders": orders})
        found = json.loads(_run(environment, "-m", "benchmarks.batch_rows", sizes).splitlines()[-1])
    return [_planning(found), _intake(found, intake), _settlement(found, orders)]


def _environment(home: Home, database_url: str, redis_url: str) -> dict[str, str]:
    keys = home.directory / "batch-keys"
    keys.mkdir(mode=0o700)
    ensure_keypair(keys / "receipts.json")
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "fairlane.settings.sandbox",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SOLANA_RPC_URL": f"http://{HOST}:9",
        "RFQ_MAKERS": f"none=http://{HOST}:9",
        "WALLET_KEYS_DIR": str(keys),
        "BATCHES_KEYS_DIR": str(keys),
        "LOG_LEVEL": "ERROR",
    }


def _run(environment: Mapping[str, str], *command: str) -> str:
    return subprocess.run(
        [sys.executable, *command],
        env=dict(environment),
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def _planning(found: Mapping[str, Any]) -> Section:
    figures = []
    for markets, took in found["planning"].items():
        name = f"{int(markets):,} markets"
        target = PLAN_MS.get(int(markets))
        figures += [
            Figure(f"{name}, ten batches ahead at once", took["first"], "ms"),
            Figure(f"{name}, a pass each second", took["following"], "ms", target, "less"),
        ]
    note = "Planning is one statement for all markets, and one that estimates the slots of ticks."
    return Section("Planning batches", note, figures)


def _intake(found: Mapping[str, Any], orders: int) -> Section:
    return Section(
        "Taking orders for batches",
        f"{orders:,} orders in one process, a hundred to a transaction, without HTTP.",
        [
            Figure("orders read, and their signatures checked", found["checked"], "/s"),
            Figure("orders stored, each with its signed receipt", found["stored"], "/s"),
        ],
    )


def _settlement(found: Mapping[str, Any], orders: int) -> Section:
    target = RECORD_100K_MS if orders == 100_000 else None
    whole = sum(found[name] for name in ("commit_ms", "clear_ms", "end_ms", "record_ms"))
    copied = "COPY of as many small rows"
    return Section(
        "A tick of one large batch",
        f"{orders:,} orders of one market; {found['fills']:,} of them are filled, and"
        f" {found['transfers']:,} transfers pay their owners.",
        [
            Figure("leaves, roots and header", found["commit_ms"], "ms"),
            Figure("leaves read, price and fills, without a lock", found["clear_ms"], "ms"),
            Figure("escrow, payouts and the root of the fills", found["end_ms"], "ms"),
            Figure(
                "orders, fills, events, ledger and transfers stored",
                found["record_ms"],
                "ms",
                target,
                "less",
                found["copy_ms"],
                copied,
            ),
            Figure("all of it", whole, "ms"),
        ],
    )
