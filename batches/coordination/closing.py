"""Close: at the cutoff, fix which orders are in, and sign the anchor that commits to them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from batches import merkle, registry, timekeeping
from batches.calendar import MIN_LEAD_SLOTS, lead_slots
from batches.coordination import lines, pooling
from batches.coordination.commitments import Commitment, Taken, commit
from batches.models import Batch, Cadence, Lane, Market, Tick
from batches.stage_names import COMMIT
from batches.states import BATCH, TICK
from batches.timekeeping import Now
from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import Blockhash, SolanaNode
from chains.solana import anchor, transfers
from chains.solana.anchor import Anchor
from fairlane.core import checkpoints, switches, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move

logger = structlog.get_logger(__name__)

# No slots, or no node: nothing can be closed now.
OUTAGE_LOOK_MS = 500
# The tick before clears within a slot or two.
_BUSY_LOOK_MS = 50
# Nearer than this to its slot, an anchor that is signed now would come too late.
_ANCHOR_SLOTS = 2

# The orders of every market of a tick, from now on in its batches. An order is in one at most,
# because it names the one.
_TAKE = """
    UPDATE batches_batchorder o SET batch_id = b.id
    FROM batches_batch b
        JOIN batches_market m ON m.id = b.market_id
        JOIN batches_bookentry k ON k.market_id = b.market_id
    WHERE b.tick_id = %s AND b.status = 'PLANNED' AND NOT m.name = ANY(%s)
        AND o.id = k.order_id AND o.status = 'OPEN' AND o.batch_id IS NULL
        AND NOT o.cancelling AND o.batch_no <= b.number
        AND o.from_slot <= %s AND o.expiry_slot >= %s AND o.max_fee_bps >= m.fee_bps
    RETURNING b.id, o.market_id, o.record, o.signature, o.remaining, o.age, o.receipt_seq
"""

# Plain statements: Django would look for rows that refer to them, among all orders there ever were.
_FORGET_BATCHES = """
    DELETE FROM batches_batch WHERE tick_id = %s AND status = 'PLANNED' AND NOT id = ANY(%s)
"""
_FORGET_TICK = """
    DELETE FROM batches_tick t WHERE id = %s
        AND NOT EXISTS (SELECT FROM batches_reservation r WHERE r.tick_id = t.id)
        AND NOT EXISTS (SELECT FROM batches_batch b WHERE b.tick_id = t.id)
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a tick executes, and until when it takes orders."""

    target_slot: int
    cutoff_slot: int
    lane: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What anchors are built on now; ``unit_price`` in micro-lamports per compute unit."""

    blockhash: Blockhash
    unit_price: int


def work(claim: Claim) -> None:
    """Close the ticks of a claim whose cutoff has come."""
    ticks = list(Tick.objects.filter(id__in=claim.ids, status="PLANNED").order_by("number"))
    claim.finish(set(claim.ids) - {tick.id for tick in ticks})
    try:
        moment = timekeeping.shared()
        due = [tick for tick in ticks if moment.slot >= timing(tick, moment).cutoff_slot]
        early = _too_early(due, moment)
        due = [tick for tick in due if tick not in early]
        asked = adapters.run(_ask(adapters.solana())) if due else None
    except ChainError as error:
        logger.warning("closing.waits", reason=str(error))
        claim.hand_over({tick.id: Step(claim.stage, OUTAGE_LOOK_MS) for tick in ticks})
        return
    claim.hand_over({tick.id: Step(claim.stage, _BUSY_LOOK_MS) for tick in early})
    later = [tick for tick in ticks if tick not in due and tick not in early]
    claim.hand_over({tick.id: Step(claim.stage, _wait_ms(tick, moment)) for tick in later})
    for tick in due:
        assert asked is not None
        _close(claim, tick, timing(tick, moment), asked)


def _too_early(due: Sequence[Tick], moment: Now) -> list[Tick]:
    """Those that can wait for the tick before: until that one clears, its orders are in no other,
    and a tick without them is empty. Slots that were won may be next to each other."""
    able = [tick for tick in due if _target(tick, moment) - moment.slot > _ANCHOR_SLOTS]
    if not able:
        return []
    last = Tick.objects.filter(cadence_ms=OuterRef("cadence_ms"), number=OuterRef("tick"))
    busy = Cadence.objects.filter(Exists(last.filter(status__in=("CLOSED", "COMMITTED"))))
    cadences = set(busy.values_list("cadence_ms", flat=True))
    return [tick for tick in able if tick.cadence_ms in cadences]


async def _ask(node: SolanaNode) -> Asked:
    """An anchor has few slots to land in: it pays what its payer's other transactions do."""
    blockhash, unit_price = await asyncio.gather(
        node.latest_blockhash(),
        node.prioritization_fee([registry.address_of(registry.COORDINATOR)]),
    )
    return Asked(blockhash, unit_price)


def timing(tick: Tick, moment: Now) -> Timing:
    """A reserved slot is kept while it can be; otherwise the tick's time decides, or how late it
    is by now."""
    lead = lead_slots(registry.cutoff_lead_ms(tick.cadence_ms), moment.pace.slot_ms)
    target = _target(tick, moment)
    if target - moment.slot >= _ANCHOR_SLOTS:
        return Timing(target, target - lead, tick.lane)
    return Timing(moment.slot + max(lead, MIN_LEAD_SLOTS), moment.slot, Lane.NORMAL)


def _target(tick: Tick, moment: Now) -> int:
    target = tick.target_slot if tick.lane == Lane.AOT else moment.slot_at(tick.executes_at_ms)
    assert target is not None
    return target


def _wait_ms(tick: Tick, moment: Now) -> int:
    return max(1, int(moment.eta_ms(timing(tick, moment).cutoff_slot) - moment.unix_ms) + 1)


def _close(claim: Claim, tick: Tick, when: Timing, asked: Asked) -> None:
    checkpoints.reach("batches.close.before_persist")
    with transaction.atomic():
        if not claim.hold([tick.id]):
            return
        raw = _fix(claim, tick, when, asked)
    checkpoints.reach("batches.close.persisted")
    if raw is not None:
        adapters.run(adapters.solana().send([raw]))
        checkpoints.reach("batches.close.sent")


def _fix(claim: Claim, tick: Tick, when: Timing, asked: Asked) -> bytes | None:
    """The anchor to send; None where nobody has an order."""
    chain = _hold(tick)
    # Numbers ascend in the chain of anchors: what others have overtaken waits for the next tick.
    taken = _take(tick, when) if tick.number > chain.tick else []
    _forget_empty(tick, taken)
    if not taken:
        _drop(claim, tick)
        return None
    markets = Market.objects.in_bulk({order.market_id for order in taken})
    commitments = commit(
        taken,
        markets,
        pooling.offered(markets),
        lines.before(markets, tick.number),
        number=tick.number,
        target_slot=when.target_slot,
        cutoff_slot=when.cutoff_slot,
    )
    root = merkle.build(bytes(c.header) for c in commitments).root
    signed = _sign(tick, when, chain, root, len(commitments), asked)
    _record(tick, when, chain, commitments, root, signed, asked)
    chain.root, chain.tick = root, tick.number
    chain.save()
    claim.hand_over({tick.id: Step(COMMIT)})
    return signed.raw


def _hold(tick: Tick) -> Cadence:
    """Let nobody else change what is closed here: no batch is planned beneath the tick or called
    off, no bid is stored for it, and no order is accepted that the receipts before do not know."""
    Cadence.objects.get_or_create(cadence_ms=tick.cadence_ms)
    chain = Cadence.objects.select_for_update(no_key=True).get(cadence_ms=tick.cadence_ms)
    Tick.objects.select_for_update().get(id=tick.id)
    planned = Batch.objects.filter(tick=tick, status="PLANNED").select_for_update(no_key=True)
    markets = list(planned.order_by("id").values_list("market_id", flat=True))
    held = Market.objects.filter(id__in=markets).select_for_update(no_key=True)
    list(held.order_by("id").values_list("id"))
    return chain


def _take(tick: Tick, when: Timing) -> list[Taken]:
    paused = [m.name for m in Market.objects.all() if not switches.is_on(m.switch)]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [tick.id, paused, when.target_slot, when.target_slot])
        return [
            Taken(batch, market, bytes(record), bytes(signature), remaining, age, seq)
            for batch, market, record, signature, remaining, age, seq in cursor.fetchall()
        ]


def _forget_empty(tick: Tick, taken: Sequence[Taken]) -> None:
    """Batches that nobody has an order in leave no row behind; nothing refers to them."""
    kept = list({order.batch_id for order in taken})
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_BATCHES, [tick.id, kept])


def _drop(claim: Claim, tick: Tick) -> None:
    """An empty tick leaves no row behind, unless a bid was made for it or a batch is shown."""
    claim.finish([tick.id])
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_TICK, [tick.id])
        if not cursor.rowcount:
            transitions.move(Tick, TICK, [Move(tick.id, "EMPTY")])


def _sign(
    tick: Tick, when: Timing, chain: Cadence, root: bytes, batches: int, asked: Asked
) -> transfers.Signed:
    memo = Anchor(tick.number, when.cutoff_slot, when.target_slot, batches, root, bytes(chain.root))
    payer = registry.address_of(registry.COORDINATOR)
    message = anchor.build(
        memo, payer=payer, blockhash=asked.blockhash.value, unit_price=asked.unit_price
    )
    return transfers.sign(message, adapters.batch_keys())


def _record(
    tick: Tick,
    when: Timing,
    chain: Cadence,
    commitments: Sequence[Commitment],
    root: bytes,
    signed: transfers.Signed,
    asked: Asked,
) -> None:
    moves = [
        Move(
            c.batch_id,
            "CLOSED",
            {
                "batchNo": tick.number,
                "slot": when.target_slot,
                "cutoffSlot": when.cutoff_slot,
                "orders": c.header.count,
                "merkleRoot": c.header.root.hex(),
            },
            {
                "header": bytes(c.header),
                "leaves": c.leaves,
                "orders": c.header.count,
                "index": index,
                "pool_used": c.header.pool_base > 0,
            },
        )
        for index, c in enumerate(commitments)
    ]
    transitions.move(Batch, BATCH, moves)
    columns = {
        "target_slot": when.target_slot,
        "cutoff_slot": when.cutoff_slot,
        "lane": str(when.lane),
        "root": root,
        "previous": bytes(chain.root),
        "batches": len(commitments),
        "anchor_signature": signed.signature,
        "anchor_transaction": signed.raw,
        "anchor_first_slot": asked.blockhash.slot,
    }
    data = {"tick": tick.number, "slot": when.target_slot, "batches": len(commitments)}
    transitions.move(Tick, TICK, [Move(tick.id, "CLOSED", data, columns)])
