"""What this machine does at best where nothing but the one thing is done."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import redis

from benchmarks import orders
from benchmarks.load import Load, run
from benchmarks.report import Figure, Section
from benchmarks.stack import HOST, Stack
from chains.solana import swap
from sandbox.home import REPOSITORY
from sandbox.ports import free_port
from sandbox.processes import Part, spawn, wait_until_ready
from sandbox.tokens import TOKENS

# As many processes as the sandbox has for each of these.
PROCESSES = 2
TRANSACTIONS_PER_CALL = 100
STATUSES_PER_CALL = 256

_COLUMNS = (
    "id, created_by, wallet, type, input_token_id, output_token_id, input_amount, slippage_bps,"
    " status, seq, tries, venue, signature, failure_kind, failure_reason, created_at, queued_at"
)


@dataclass(frozen=True)
class Floors:
    """Per second."""

    celery: float
    insert: float
    copy: float
    node: float
    asgi: float

    def section(self) -> Section:
        return Section(
            "The machine's own floors",
            "Each alone on the machine but for the idle stack. Orders are compared with them.",
            [
                Figure("Celery no-op tasks, published and run", self.celery, "/s"),
                Figure("INSERT of an order's row, one per commit", self.insert, "/s"),
                Figure("COPY of the same rows", self.copy, "/s"),
                Figure("Signed swaps through the Solana node, sent and looked up", self.node, "/s"),
                Figure("ASGI endpoint that does nothing, 32 connections", self.asgi, "/s"),
            ],
        )


def measure(stack: Stack, *, seconds: float, count: int) -> Floors:
    """Measure all floors; `count` is how many tasks, rows and transactions."""
    insert, copy = _rows(stack, seconds, count)
    return Floors(
        celery=_celery(stack, count),
        insert=insert,
        copy=copy,
        node=_node(stack, count),
        asgi=_asgi(stack, seconds),
    )


def _celery(stack: Stack, count: int) -> float:
    url = f"{stack.plan.redis_url.rpartition('/')[0]}/1"
    os.environ["NOOP_BROKER"] = url
    from benchmarks.noop import QUEUE, nothing

    command = ["-m", "celery", "-A", "benchmarks.noop:celery", "worker", "-Q", QUEUE]
    options = ["-c", str(PROCESSES), "--without-gossip", "--without-mingle"]
    broker = redis.Redis.from_url(url)

    def done() -> bool:
        return not broker.llen(QUEUE) and not broker.hlen("unacked")

    with _program(stack, "noop-worker", [*command, *options]) as worker:
        nothing.delay()
        wait_until_ready(worker, done)
        started = time.perf_counter()
        for _ in range(count):
            nothing.delay()
        wait_until_ready(worker, done, seconds=60)
        return count / (time.perf_counter() - started)


def _rows(stack: Stack, seconds: float, count: int) -> tuple[float, float]:
    values = ", ".join(["%s"] * len(_row(stack)))
    with stack.database() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor (LIKE orders_order INCLUDING ALL)")
        started, inserted = time.perf_counter(), 0
        while time.perf_counter() < started + seconds:
            cursor.execute(f"INSERT INTO floor ({_COLUMNS}) VALUES ({values})", _row(stack))
            inserted += 1
        insert = inserted / (time.perf_counter() - started)
        rows = [_row(stack) for _ in range(10 * count)]
        started = time.perf_counter()
        with cursor.copy(f"COPY floor ({_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        copied = len(rows) / (time.perf_counter() - started)
        cursor.execute("DROP TABLE floor")
    return insert, copied


def _row(stack: Stack) -> Sequence[Any]:
    sold, bought, now = TOKENS[0], TOKENS[1], datetime.now(UTC)
    return (
        uuid4(), "key:1", stack.wallets[0], "market", str(sold.mint), str(bought.mint), 1_000_000,
        50, "PENDING", 1, 0, "", "", "", "", now, now,
    )  # fmt: skip


def _node(stack: Stack, count: int) -> float:
    url = stack.plan.services["solana"]
    with httpx.Client(timeout=30, trust_env=False) as client:

        def batch(method: str, calls: Sequence[Sequence[object]]) -> list[Any]:
            requests = [
                {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
                for index, params in enumerate(calls)
            ]
            answers = client.post(url, json=requests).raise_for_status().json()
            return [answer["result"] for answer in answers]

        (latest,) = batch("getLatestBlockhash", [[]])
        signed = [_swap(stack, latest["value"]["blockhash"]) for _ in range(count)]
        started = time.perf_counter()
        signatures: list[str] = []
        for part in _parts(signed, TRANSACTIONS_PER_CALL):
            options = {"encoding": "base64", "skipPreflight": True}
            signatures += batch("sendTransaction", [[text, options] for text in part])
        statuses: list[Any] = []
        for names in _parts(signatures, STATUSES_PER_CALL):
            (answer,) = batch("getSignatureStatuses", [[names]])
            statuses += answer["value"]
        seconds = time.perf_counter() - started
    if not all(status and status["err"] is None for status in statuses):
        raise RuntimeError("the node did not execute every transaction")
    return count / seconds


def _swap(stack: Stack, blockhash: str) -> str:
    from base64 import b64encode

    world, (sold, bought) = stack.plan.world, TOKENS[:2]
    taker, maker = next(iter(world.traders.values())), next(iter(world.makers.values()))
    message = swap.build(
        swap.Swap(
            taker=str(taker.pubkey()),
            maker=str(maker.pubkey()),
            sell=swap.Token(str(sold.mint), sold.decimals),
            sell_amount=1_000,
            buy=swap.Token(str(bought.mint), bought.decimals),
            buy_amount=1_000,
            reference=str(uuid4()),
        ),
        blockhash=blockhash,
    )
    signatures = [bytes(key.sign_message(message)) for key in (taker, maker)]
    transaction = swap.assemble(
        message, taker_signature=signatures[0], maker_signature=signatures[1]
    )
    return b64encode(transaction).decode()


def _asgi(stack: Stack, seconds: float) -> float:
    port = free_port()
    command = ["-m", "uvicorn", "benchmarks.noop:asgi", f"--host={HOST}", f"--port={port}"]
    options = [f"--workers={PROCESSES}", "--no-access-log", "--lifespan=off"]
    with _program(stack, "noop-web", [*command, *options]) as server:
        wait_until_ready(server, lambda: _answers(port))
        return run(Load(port, 32, orders.single(stack), seconds)).require(202).rate


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/", trust_env=False).status_code == 202
    except httpx.TransportError:
        return False


@contextmanager
def _program(stack: Stack, name: str, arguments: list[str]) -> Iterator[Part]:
    log = stack.plan.home.log(name)
    process = spawn([sys.executable, *arguments], log=log, env=dict(os.environ), cwd=REPOSITORY)
    part = Part(name=name, url="", process=process, log=log)
    try:
        yield part
    finally:
        part.stop()


def _parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))


Measure = Callable[[Stack, Floors], Section]
