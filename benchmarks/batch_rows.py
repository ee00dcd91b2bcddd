"""`python -m benchmarks.batch_rows`: planning, intake and settlement of batches in PostgreSQL.

Runs in a process of its own with the stack's settings, in a database that holds nothing else of
batches, and prints its figures as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlane.settings.sandbox")
django.setup()

from django.db import connection, transaction  # noqa: E402
from solders.keypair import Keypair  # noqa: E402
from solders.pubkey import Pubkey  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from batches import acceptance, book, merkle, offers, planning  # noqa: E402
from batches.calendar import Pace  # noqa: E402
from batches.coordination import commitments, executing, outcomes  # noqa: E402
from batches.models import Batch, BatchOrder, BookEntry, Market, SlotReading, Tick, Transfer  # noqa: E402
from batches.records import Order, OrderType, Side, TimeInForce  # noqa: E402
from batches.timekeeping import Now  # noqa: E402
from fairlane.core import bulk  # noqa: E402
from fairlane.core.models import Work  # noqa: E402
from fairlane.core.principals import ALL, SCOPES, Principal  # noqa: E402

BY = Principal("key", "1", "benchmark", frozenset(SCOPES), ALL)
LOT, TICK = 10**6, 1_000
OWNERS = [Keypair() for _ in range(50)]


def main() -> None:
    sizes = json.loads(sys.argv[1])
    key = str(Keypair().pubkey())
    found: dict[str, Any] = {"planning": {}}
    for markets in sizes["markets"]:
        found["planning"][markets] = _planning(markets, key)
    market = Market.objects.order_by("id")[0]
    found |= _intake(market, sizes["intake"])
    found |= _settlement(market, sizes["orders"])
    print(json.dumps(found))


def _market(number: int, key: str) -> dict[str, Any]:
    return {
        "name": f"M{number}-USD",
        "address": str(Pubkey(number.to_bytes(32, "big"))),
        "base_symbol": f"M{number}",
        "base_mint": f"base{number}",
        "base_decimals": 6,
        "base_token2022": False,
        "quote_symbol": "USD",
        "quote_mint": "quote",
        "quote_decimals": 6,
        "quote_token2022": False,
        "lot": LOT,
        "tick": TICK,
        "fee_bps": 10,
        "cadence_ms": 1_000,
        "collar_bps": 500,
        "minimum_notional": 0,
        "max_open_orders": 10**6,
        "lock_ms": 0,
        "uses_pool": False,
        "pool_fee_bps": 0,
        "active": True,
        "coordinator": key,
        "receipt_key": key,
        "planned_until": 0,
        "receipt_seq": 0,
        "receipt_hash": bytes(32),
        "reference": 5_000,
    }


def _now(seconds: float) -> Now:
    """A moment, as a clock that hears a slot every 400 ms would tell it."""
    return Now(1_700_000_000_000 + seconds * 1_000, seconds * 1_000, Pace(0, 0.0, 400.0), False)


def _planning(markets: int, key: str) -> dict[str, float]:
    """Milliseconds of a first pass, and of the passes that follow each second."""
    Work.objects.filter(stage="batches.close").delete()
    Batch.objects.all().delete()
    Tick.objects.all().delete()
    Market.objects.all().delete()
    bulk.insert(Market, [_market(number, key) for number in range(1, markets + 1)])
    first = _ms(lambda: planning.plan(_now(0)))
    following = [_ms(lambda second=second: planning.plan(_now(second))) for second in range(1, 12)]  # type: ignore[misc]
    return {"first": first, "following": sorted(following)[len(following) // 2]}


def _signed(market: Market, number: int) -> dict[str, str]:
    owner = OWNERS[number % len(OWNERS)]
    side = Side(number % 2)
    record = bytes(
        Order(
            market=bytes(Pubkey.from_string(market.address)),
            owner=bytes(owner.pubkey()),
            nonce=number,
            side=side,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.ROLL,
            max_fee_bps=10,
            limit=5_000 + (number % 200 if side is Side.BUY else -(number % 200)),
            quantity=1 + number % 7,
            expiry_slot=10**12,
            from_slot=0,
        )
    )
    return {"record": record.hex(), "signature": str(owner.sign_message(record))}


def _intake(market: Market, orders: int) -> dict[str, float]:
    """Orders per second: read, checked with their signatures, and stored, a hundred at a time."""
    from chains import registry as adapters

    market.receipt_key = next(iter(adapters.batch_keys().labels()))
    market.save()
    now_ms = time.time() * 1_000
    SlotReading.objects.update_or_create(
        id=1, defaults={"slot": 100, "at_ms": now_ms, "slot_ms": 400.0, "degraded": False}
    )
    Batch.objects.filter(market=market).update(status="PLANNED")
    Tick.objects.update(target_slot=10**9)
    bodies = [_signed(market, number) for number in range(orders)]
    checked = _ms(lambda: [offers.read(market, body, by=BY) for body in bodies])
    taken = [offers.read(market, body, by=BY) for body in bodies]
    stored = _ms(
        lambda: [
            acceptance.accept(market.id, taken[at : at + 100], by=BY.ref)
            for at in range(0, orders, 100)
        ]
    )
    return {"checked": orders / checked * 1_000, "stored": orders / stored * 1_000}


def _settlement(market: Market, orders: int) -> dict[str, float]:
    """A tick of one batch: what closing computes, and what clearing stores."""
    tick = Tick.objects.order_by("number")[0]
    batch = Batch.objects.get(tick=tick, market=market)
    BatchOrder.objects.all().update(batch_id=None, status="CANCELLED")
    BookEntry.objects.all().delete()
    rows = _rows(market, batch, orders)
    copied = _ms(lambda: _copy(rows))
    bulk.insert(BatchOrder, rows)
    book.enter(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE batches_batchorder, batches_bookentry")
    taken = [
        commitments.Taken(
            batch.id, market.id, r["record"], r["signature"], r["remaining"], 0, r["receipt_seq"]
        )
        for r in rows
    ]
    at = time.perf_counter()
    (committed,) = commitments.commit(
        taken, {market.id: market}, {}, {}, number=tick.number, target_slot=120, cutoff_slot=116
    )
    root = merkle.build([bytes(committed.header)]).root
    commit_ms = (time.perf_counter() - at) * 1_000
    tick.status, tick.root, tick.target_slot = "COMMITTED", root, 120
    tick.save()
    batch.status, batch.leaves = "COMMITTED", committed.leaves
    batch.header = bytes(committed.header)
    batch.orders, batch.index = orders, 0
    batch.save()
    rows_of_batch = Batch.objects.filter(id=batch.id)
    at = time.perf_counter()
    ((id_, cleared),) = executing._cleared(rows_of_batch).items()
    cleared_ms = (time.perf_counter() - at) * 1_000
    batch = rows_of_batch.defer("leaves").select_related("tick", "market").get()
    with transaction.atomic():
        at = time.perf_counter()
        result = outcomes.outcome(batch, *cleared, executing._held([batch])[id_])
        ended_ms = (time.perf_counter() - at) * 1_000
        at = time.perf_counter()
        executing._record(tick, [result], 0)
    recorded_ms = (time.perf_counter() - at) * 1_000
    return {
        "copy_ms": copied,
        "commit_ms": commit_ms,
        "clear_ms": cleared_ms,
        "end_ms": ended_ms,
        "record_ms": recorded_ms,
        "fills": result.fills,
        "transfers": Transfer.objects.filter(batch=batch).count(),
    }


def _rows(market: Market, batch: Batch, orders: int) -> list[dict[str, Any]]:
    found = []
    for number in range(orders):
        signed = _signed(market, 10**9 + number)
        order = Order.parse(bytes.fromhex(signed["record"]))
        escrow = order.quantity * (order.limit * TICK * 2 if order.side is Side.BUY else LOT)
        found.append(
            {
                "id": uuid7(),
                "market_id": market.id,
                "hash": order.hash,
                "record": bytes(order),
                "signature": bytes(64),
                "wallet": str(Pubkey(order.owner)),
                "side": int(order.side),
                "type": 0,
                "time_in_force": 0,
                "limit": order.limit,
                "quantity": order.quantity,
                "max_fee_bps": 10,
                "from_slot": 0,
                "expiry_slot": 10**12,
                "status": "OPEN",
                "seq": 2,
                "remaining": order.quantity,
                "age": 0,
                "batch_id": batch.id,
                "batch_no": batch.number,
                "receipt_seq": 10**6 + number,
                "receipt": b"",
                "receipt_signature": b"",
                "escrow": escrow,
                "escrow_left": escrow,
                "cancelling": False,
                "reason": "",
                "created_by": "benchmark",
            }
        )
    return found


def _copy(rows: Sequence[dict[str, Any]]) -> None:
    """The floor: as many rows of fills and events, copied into a table without any index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS floor"
            " (id uuid, lots bigint, quote bigint, fee bigint, data text)"
        )
        with cursor.copy("COPY floor FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row["id"], 1, 2, 3, "x" * 100))


def _ms(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return (time.perf_counter() - started) * 1_000


if __name__ == "__main__":
    main()
