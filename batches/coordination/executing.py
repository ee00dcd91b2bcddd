"""Clear: one price for each batch of a committed tick, and what that brings to whom."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import structlog
from django.db import connection, transaction
from solders.pubkey import Pubkey
from uuid_utils.compat import uuid7

from batches import timekeeping
from batches.clearing import Cleared, Committed, clear_columns
from batches.coordination import filling, pooling, references, releasing, settling
from batches.coordination.outcomes import Held, Outcome, outcome
from batches.leaves import Leaves
from batches.ledger import Journal
from batches.models import Batch, Direction, Lane, Market, Tick, Transfer
from batches.records import Header
from batches.stage_names import PAY
from batches.states import BATCH, TICK
from chains.errors import ChainError
from fairlane.core import bulk, checkpoints, claims, transitions, wakeups
from fairlane.core.claims import Claim
from fairlane.core.transitions import Move

# One value for each batch: a row for each order would cost three times as much. Amounts are less by
# 2^63, since 63 bits may not hold them.
_HELD = """
    SELECT o.batch_id, string_agg(
        uuid_send(o.id) || o.hash || int8send((o.escrow_left - 9223372036854775808)::bigint), ''
        ORDER BY o.hash
    )
    FROM batches_bookentry k JOIN batches_batchorder o ON o.id = k.order_id
    WHERE k.market_id = ANY(%s) AND o.status = 'OPEN' AND o.batch_id = ANY(%s)
    GROUP BY o.batch_id
"""
_HELD_LAYOUT = np.dtype([("id", "V16"), ("hash", "V32"), ("left", ">i8")])

logger = structlog.get_logger(__name__)


def work(claim: Claim) -> None:
    """Clear the ticks of a claim."""
    ticks = list(Tick.objects.filter(id__in=claim.ids, status="COMMITTED").order_by("number"))
    claim.finish(set(claim.ids) - {tick.id for tick in ticks})
    for tick in ticks:
        _clear(claim, tick)


def _clear(claim: Claim, tick: Tick) -> None:
    delay_ms = _until_slot(tick)
    # What is committed to does not change, so that nobody has to wait while it is cleared.
    cleared = _cleared(Batch.objects.filter(tick=tick, status="COMMITTED").order_by("index"))
    checkpoints.reach("batches.clear.before_persist")
    with transaction.atomic():
        if not claim.finish([tick.id]):
            return
        # A person may have called a batch off: those that are held here execute.
        batches = list(
            Batch.objects.filter(tick=tick, status="COMMITTED")
            .defer("leaves")
            .select_related("tick", "market")
            .select_for_update(of=("self",), no_key=True)
            .order_by("index")
        )
        # Prices are theirs; locked in one order everywhere, so that no two wait for each other.
        markets = Market.objects.filter(id__in=[batch.market_id for batch in batches])
        list(markets.select_for_update(no_key=True).order_by("id").values_list("id"))
        journal = Journal()
        impossible = [batch for batch in batches if batch.id not in cleared]
        releasing.roll(impossible, "its sums cannot be counted exactly", journal)
        possible = [batch for batch in batches if batch.id in cleared]
        for batch in pooling.unfillable(possible):
            batch.pool_used = False
            committed, _ = cleared[batch.id]
            (result,) = clear_columns([committed], use_pools=False)
            cleared[batch.id] = committed, result
        held = _held(possible)
        outcomes = [outcome(each, *cleared[each.id], held[each.id]) for each in possible]
        _record(tick, outcomes, delay_ms)
        references.follow(tick, ((each, *cleared[each.id]) for each in possible))
        journal.add(*(posting for each in outcomes for posting in each.postings))
        journal.post()
    checkpoints.reach("batches.clear.persisted")


def _cleared(batches: Iterable[Batch]) -> dict[UUID, tuple[Committed, Cleared]]:
    """What batches have committed to, and what that comes to, by their ids; without those that
    cannot be cleared."""
    committed = {
        batch.id: Committed(
            Header.parse(bytes(batch.header or b"")), Leaves(bytes(batch.leaves or b""))
        )
        for batch in batches
    }
    results = _results(list(committed.values()))
    pairs = zip(committed.items(), results, strict=True)
    return {id_: (each, result) for (id_, each), result in pairs if result is not None}


def _results(committed: Sequence[Committed]) -> list[Cleared | None]:
    """The results of a tick; None for a batch that cannot be cleared, which spoils no other."""
    try:
        return list(clear_columns(committed))
    except ValueError:
        if len(committed) == 1:
            logger.exception("batch.cannot_be_cleared", batch=committed[0].header.batch_no)
            return [None]
    return [result for batch in committed for result in _results([batch])]


def _held(batches: Sequence[Batch]) -> dict[UUID, Held]:
    """The orders of the batches."""
    held = {batch.id: b"" for batch in batches}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(_HELD, [[batch.market_id for batch in batches], list(held)])
        held |= dict(cursor.fetchall())
    return {id_: _orders(np.frombuffer(data, _HELD_LAYOUT)) for id_, data in held.items()}


def _orders(rows: npt.NDArray[np.void]) -> Held:
    left = rows["left"].astype(np.int64).view(np.uint64) + np.uint64(2**63)
    return Held(rows["id"], rows["hash"].tobytes(), left)


def _until_slot(tick: Tick) -> int:
    """Milliseconds until the settlement may be sent: a slot that was won takes it ahead of time,
    any other way it would be too early."""
    if tick.lane == Lane.AOT or tick.target_slot is None:
        return 0
    try:
        moment = timekeeping.now()
    except ChainError:
        return 0
    return max(0, int(moment.eta_ms(tick.target_slot) - moment.unix_ms))


def _record(tick: Tick, outcomes: Sequence[Outcome], delay_ms: int) -> None:
    """Everything that the clearing changes, in sets; it is paid after ``delay_ms``."""
    filling.fill(outcomes)
    payouts = [row for each in outcomes for row in _transfers(each)]
    bulk.insert(Transfer, payouts)
    ids = [row["id"] for row in payouts]
    claims.open_work(ids, PAY)
    claims.postpone(ids, delay_ms=delay_ms)
    wakeups.wake(PAY, delay_ms=delay_ms)
    _end_batches(outcomes)
    data = {"tick": tick.number, "batches": len(outcomes)}
    transitions.move(Tick, TICK, [Move(tick.id, "CLEARED", data)])
    paying = {row["batch_id"] for row in payouts}
    settling.settle({each.batch.id for each in outcomes} - paying)
    if not outcomes:
        transitions.move(Tick, TICK, [Move(tick.id, "SETTLED", {"tick": tick.number})])


def _transfers(each: Outcome) -> list[dict[str, Any]]:
    market = each.batch.market
    return [
        {
            "id": uuid7(),
            "direction": Direction.PAY.value,
            "market_id": market.id,
            "mint": mint,
            "wallet": str(Pubkey.from_bytes(payout.owner)),
            "amount": amount,
            "batch_id": each.batch.id,
            "status": "DUE",
            "tries": 0,
            "reason": "",
        }
        for payout in each.payouts
        for mint, amount in ((market.base_mint, payout.base), (market.quote_mint, payout.quote))
        if amount
    ]


def _end_batches(outcomes: Sequence[Outcome]) -> None:
    moves = []
    for each in outcomes:
        batch, result = each.batch, each.result
        batch.price, batch.volume, batch.turnover = result.price, each.volume, each.turnover
        batch.fees, batch.fills = each.fees, each.fills
        columns = {
            "price": batch.price,
            "volume": batch.volume,
            "turnover": batch.turnover,
            "fees": batch.fees,
            "fills": batch.fills,
            "pool_lots": result.pool_lots,
            "pool_quote": result.pool_quote,
            "pool_used": batch.pool_used,
            "result_root": each.root,
        }
        moves.append(Move(batch.id, "CLEARED", settling.told(batch, ()), columns))
    transitions.move(Batch, BATCH, moves)
