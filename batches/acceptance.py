"""Accepting orders: a receipt in the market's chain, and the escrow asked for, in one write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from solders.pubkey import Pubkey
from uuid_utils.compat import uuid7

from batches import book, caps, refunds, registry, terms
from batches.calendar import ESCROW_SLOTS, lead_slots
from batches.ledger import Journal
from batches.models import Batch, BatchOrder, BookEntry, Direction, Market, Transfer
from batches.offers import Offer
from batches.receipts import Receipt
from batches.records import Side
from batches.stage_names import PULL
from batches.states import ORDER
from chains import registry as adapters
from fairlane.core import bulk, checkpoints, claims, switches, transitions, wakeups
from fairlane.core.errors import FieldError, Problem, invalid
from fairlane.core.models import Event
from fairlane.core.transitions import Move


@dataclass(frozen=True, slots=True)
class Slate:
    """A batch that takes orders.

    Attributes:
        batch_no: its number.
        cutoff_slot: of it, as far as is known now.
    """

    batch_no: int
    cutoff_slot: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a market's clock stands.

    Attributes:
        slot: the one that is running.
        slot_ms: milliseconds per slot.
        lead: slots between a batch's cutoff and its own.
    """

    slot: int
    slot_ms: float
    lead: int


def accept(market_id: int, offers: Sequence[Offer], *, by: str) -> list[UUID]:
    """Store signed orders; each is in the vault's hands once its escrow has been pulled.

    An order that is stored already is the same one: its hash is its name.

    Args:
        by: the ``ref`` of the principal that sent them.

    Returns:
        The id of each, at its place.

    Raises:
        Problem: 409, an owner's orders would be more, or worth more, than the market allows, or
            the market's book is full.
    """
    with transaction.atomic():
        market = Market.objects.select_for_update(no_key=True).get(id=market_id)
        known = _known(offers)
        fresh = list({o.order.hash: o for o in offers if o.order.hash not in known}.values())
        if fresh:
            caps.require_room(market, fresh)
            known |= _store(market, fresh, slate(market, ESCROW_SLOTS), by)
        checkpoints.reach("batches.accept.before_commit")
    checkpoints.reach("batches.accept.committed")
    return [known[offer.order.hash] for offer in offers]


def slate(market: Market, slots: int = 0) -> Slate:
    """The first batch whose cutoff is more than so many slots ahead.

    Raises:
        Problem: 503, none is planned.
    """
    now = _moment(market)
    planned = Batch.objects.filter(market=market, status="PLANNED").select_related("tick")
    ahead = planned.filter(tick__target_slot__gt=now.slot + slots + now.lead)
    for batch in ahead.order_by("number")[:1]:
        assert batch.tick.target_slot is not None
        return Slate(batch.number, batch.tick.target_slot - now.lead)
    raise Problem(503, "unavailable", "No batch takes orders just now: try again in a second")


def _moment(market: Market) -> Moment:
    reading = registry.slot_reading()
    now_ms = timezone.now().timestamp() * 1_000
    running = reading.slot + int((now_ms - reading.at_ms) / reading.slot_ms)
    lead = lead_slots(registry.cutoff_lead_ms(market.cadence_ms), reading.slot_ms)
    return Moment(running, reading.slot_ms, lead)


def replace(order_id: UUID, offer: Offer, *, by: str) -> UUID:
    """Let a signed order take the place of another, with its escrow.

    Raises:
        Problem: 400, it is another owner's or side's; 409, it is too late, worth more than the
            market allows, or accepted already and no replacement of this one.
    """
    with transaction.atomic():
        market_id = BatchOrder.objects.values_list("market_id", flat=True).get(id=order_id)
        market = Market.objects.select_for_update(no_key=True).get(id=market_id)
        known = BatchOrder.objects.filter(hash=offer.order.hash).first()
        if known:
            _require_replacement(known, order_id)
            return known.id
        before = (
            BatchOrder.objects.select_for_update(no_key=True)
            .select_related("market")
            .get(id=order_id)
        )
        open_now = slate(market)
        _require_replaceable(before, offer)
        caps.require_within(market, [offer], without=[before.id])
        taken_over = int(before.escrow_left)
        if offer.escrow > taken_over:
            open_now = slate(market, ESCROW_SLOTS)
        transitions.move(
            BatchOrder,
            ORDER,
            [
                Move(
                    before.id,
                    "REPLACED",
                    {"market": market.name, "by": offer.order.hash.hex()},
                    {"escrow_left": 0, "reason": "another order has taken its place"},
                )
            ],
        )
        book.leave([before.id])
        stored = _store(market, [offer], open_now, by, replaces=before.id, in_hand=taken_over)
        checkpoints.reach("batches.replace.before_commit")
    return stored[offer.order.hash]


def cancel(order_id: UUID, *, reason: str) -> None:
    """End an order, and give its escrow back.

    One whose escrow is on its way ends as soon as that is known; of one that a batch is committed
    to, what that batch leaves ends.

    Raises:
        Problem: 409, it has ended, or its next batch is too near.
    """
    with transaction.atomic():
        order, journal = _hold(order_id), Journal()
        if order.status == "ESCROWING":
            _cancel_escrowing(order, reason, journal)
        else:
            _require_open(order)
            if _lock_left_ms(order) is not None:
                raise _locked()
            if order.batch_id is None:
                refunds.end([order], "CANCELLED", reason, journal)
            else:
                _cancel_committed(order)
        journal.post()
        checkpoints.reach("batches.cancel.before_commit")


def _hold(order_id: UUID) -> BatchOrder:
    """The order with its pull: work first, so that whoever packs it finds that it is gone."""
    pull = Transfer.objects.filter(order_id=order_id, direction=Direction.PULL, status="DUE")
    for transfer_id in pull.values_list("id", flat=True):
        claims.withdraw(transfer_id, stages=[PULL])
    found = BatchOrder.objects.select_related("market").select_for_update(of=("self",), no_key=True)
    return found.get(id=order_id)


def _cancel_escrowing(order: BatchOrder, reason: str, journal: Journal) -> None:
    unsent = Transfer.objects.filter(order=order, direction=Direction.PULL, status="DUE")
    if unsent.update(status="DROPPED", reason="cancelled"):
        refunds.end([order], "CANCELLED", reason, journal)
    elif not order.cancelling:
        order.cancelling = True
        order.save(update_fields=["cancelling"])


def _cancel_committed(order: BatchOrder) -> None:
    """No further batch takes it, and whoever ends what has expired finds it."""
    order.cancelling = True
    order.save(update_fields=["cancelling"])
    BookEntry.objects.filter(order=order).update(expiry_slot=0)


def _require_open(order: BatchOrder) -> None:
    if order.status != "OPEN":
        raise Problem(409, "stale_state", f"An order that is {order.status} cannot be changed")


def _require_free(order: BatchOrder) -> None:
    _require_open(order)
    if order.cancelling:
        raise Problem(409, "stale_state", "The order is asked to end")
    if order.batch_id is not None:
        raise Problem(409, "committed", "A batch is committed to it and decides about it first")


def _require_replaceable(before: BatchOrder, offer: Offer) -> None:
    _require_free(before)
    order = offer.order
    if offer.wallet != before.wallet or order.side != before.side:
        raise invalid(FieldError("record", "another", "It is of another owner or side."))
    left_ms = _lock_left_ms(before)
    if left_ms is None:
        return
    # One that waits for escrow, or comes after the cutoff, would leave the batch.
    covered = offer.escrow <= before.escrow_left and left_ms > 0
    if not (covered and terms.is_improvement(order, registry.order_of(before), before.remaining)):
        raise _locked()


def _lock_left_ms(order: BatchOrder) -> float | None:
    """Until the cutoff of the order's next batch where its market's lock window has begun, below
    zero where the batch takes no more and is still to be closed; None where nothing is locked: no
    batch of a paused market takes it."""
    market = order.market
    if not market.lock_ms or not switches.is_on(market.switch):
        return None
    planned = Batch.objects.filter(
        market=market,
        status="PLANNED",
        number__gte=order.batch_no,
        # One that waits for a person is closed whenever that is.
        tick__status="PLANNED",
        tick__target_slot__isnull=False,
    )
    target = planned.order_by("number").values_list("tick__target_slot", flat=True).first()
    if target is None:
        return None
    now = _moment(market)
    left_ms = (target - now.lead - now.slot) * now.slot_ms
    return left_ms if left_ms < market.lock_ms else None


def _locked() -> Problem:
    text = "So near to the cutoff, only improvements that need no further escrow are taken"
    return Problem(409, "locked", text)


def _known(offers: Sequence[Offer]) -> dict[bytes, UUID]:
    hashes = [offer.order.hash for offer in offers]
    rows = BatchOrder.objects.filter(hash__in=hashes).values_list("hash", "id")
    return {bytes(hash_): id_ for hash_, id_ in rows}


def _require_replacement(known: BatchOrder, order_id: UUID) -> None:
    if known.replaces != order_id:
        raise Problem(409, "known", "The order is accepted already, and replaces no other now")


def _store(
    market: Market,
    offers: Sequence[Offer],
    open_now: Slate,
    by: str,
    *,
    replaces: UUID | None = None,
    in_hand: int = 0,
) -> dict[bytes, UUID]:
    """Orders, their first events, and the pulls of what is missing of their escrow."""
    keys, key = adapters.batch_keys(), market.receipt_key
    market_key = bytes(Pubkey.from_string(market.address))
    now = timezone.now()
    orders: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    pulls: list[dict[str, Any]] = []
    for offer in offers:
        order, id_ = offer.order, uuid7()
        missing = max(0, offer.escrow - in_hand)
        receipt = Receipt(
            market_key,
            order.hash,
            market.receipt_seq + 1,
            open_now.batch_no,
            open_now.cutoff_slot,
            bytes(market.receipt_hash),
        )
        market.receipt_seq, market.receipt_hash = receipt.seq, receipt.hash
        status = "ESCROWING" if missing else "OPEN"
        orders.append(
            {
                "id": id_,
                "market_id": market.id,
                "hash": order.hash,
                "record": bytes(order),
                "signature": offer.signature,
                "wallet": offer.wallet,
                "side": int(order.side),
                "type": int(order.type),
                "time_in_force": int(order.time_in_force),
                "limit": order.limit,
                "quantity": order.quantity,
                "max_fee_bps": order.max_fee_bps,
                "from_slot": min(order.from_slot, terms.INT64_MAX),
                "expiry_slot": min(order.expiry_slot, terms.INT64_MAX),
                "status": status,
                "seq": 1,
                "remaining": order.quantity,
                "age": 0,
                "batch_no": open_now.batch_no,
                "receipt_seq": receipt.seq,
                "receipt": bytes(receipt),
                "receipt_signature": keys.sign(key, bytes(receipt)),
                "escrow": offer.escrow,
                "escrow_left": in_hand,
                "cancelling": False,
                "replaces": replaces,
                "reason": "",
                "created_by": by,
                "created_at": now,
            }
        )
        data = {"hash": order.hash.hex(), "batchNo": open_now.batch_no, "market": market.name}
        events.append(
            {
                "kind": BatchOrder.EVENT_KIND,
                "object_id": id_,
                "seq": 1,
                "status": status,
                "wallet": offer.wallet,
                "data": data,
            }
        )
        if missing:
            pulls.append(_pull(market, order.side, offer.wallet, missing, id_))
    bulk.insert(BatchOrder, orders)
    book.enter(orders)
    bulk.insert(Event, events)
    bulk.insert(Transfer, pulls)
    claims.open_work([pull["id"] for pull in pulls], PULL)
    wakeups.wake(PULL)
    market.save(update_fields=["receipt_seq", "receipt_hash"])
    return {row["hash"]: row["id"] for row in orders}


def _pull(market: Market, side: Side, wallet: str, amount: int, order_id: UUID) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "direction": Direction.PULL.value,
        "market_id": market.id,
        "mint": market.quote_mint if side is Side.BUY else market.base_mint,
        "wallet": wallet,
        "amount": amount,
        "order_id": order_id,
        "status": "DUE",
        "tries": 0,
        "reason": "",
    }
