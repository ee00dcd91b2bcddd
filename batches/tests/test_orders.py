"""Orders that are refused, replaced, cancelled, or end by themselves, on a real chain."""

import time
from typing import Any

import pytest
from django.db import IntegrityError
from pytest_django import Settings
from solders.keypair import Keypair

from batches import acceptance, coordinator, ledger, offers, refunds, registry, terms
from batches.calendar import ESCROW_SLOTS, MIN_LEAD_SLOTS
from batches.models import Batch, BatchFill, BatchOrder, Market, SlotReading, Tick, Transfer
from batches.receipts import NO_RECEIPT, Receipt
from batches.records import OrderType, Side, TimeInForce, signed_by
from batches.tests import driving
from batches.tests.driving import TRADER, place, read
from batches.tests.outside import BASE, OWNER_ADDRESSES, OWNERS, QUOTE, RECEIPTS, Chain
from fairlane.core.errors import Problem
from fairlane.core.models import Event, Work


def vaults(chain: Chain) -> tuple[int, int]:
    return chain.vault(BASE), chain.vault(QUOTE)


def refused(market: Market, owner: Keypair = OWNERS[0], **changes: Any) -> Problem:
    coordinator.plan()
    with pytest.raises(Problem) as problem:
        offers.read(market, driving.signed(market, owner, **changes), by=TRADER)
    return problem.value


def test_receipts_are_a_chain_that_the_coordinator_has_signed(market: Market) -> None:
    orders = [place(market, quantity=n) for n in (1, 2, 3)]
    before: Receipt | None = None
    for order in orders:
        receipt = Receipt.parse(bytes(order.receipt))
        assert receipt.follows(before)
        assert receipt.order_hash == bytes(order.hash)
        assert signed_by(bytes(RECEIPTS.pubkey()), bytes(receipt), bytes(order.receipt_signature))
        assert receipt.batch_no == order.batch_no
        before = receipt
    assert Receipt.parse(bytes(orders[0].receipt)).previous == NO_RECEIPT


def test_an_order_that_comes_again_is_the_same_one(market: Market) -> None:
    coordinator.plan()
    offer = offers.read(market, driving.signed(market), by=TRADER)
    first = acceptance.accept(market.id, [offer, offer], by="key:1")
    again = acceptance.accept(market.id, [offer], by="key:2")
    assert len({*first, *again}) == 1
    assert BatchOrder.objects.count() == Transfer.objects.count() == 1
    assert Event.objects.filter(kind="batch_order").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_fee_bps": 9}, "maxFeeBps"),
        ({"quantity": 2**52, "limit": 2**40}, "quantity"),
        ({"quantity": 2**52, "limit": 1, "side": Side.SELL}, "quantity"),
        ({"expiry_slot": 1}, "expirySlot"),
        ({"max_fee_bps": 10_001}, "record.maxFeeBps"),
        ({"quantity": 0}, "record.quantity"),
        ({"type": OrderType.MARKET, "limit": 526}, "limit"),
        ({"type": OrderType.MARKET, "side": Side.SELL, "limit": 474}, "limit"),
    ],
)
def test_what_the_market_does_not_take(market: Market, changes: dict[str, Any], field: str) -> None:
    problem = refused(market, **changes)
    assert (problem.status, [error.field for error in problem.errors]) == (400, [field])


def test_an_order_for_another_market_is_refused(chain: Chain, market: Market) -> None:
    coordinator.plan()
    other = chain.open_market("JUP-USDC-2")
    with pytest.raises(Problem) as problem:
        offers.read(market, driving.signed(other), by=TRADER)
    assert problem.value.errors[0].field == "record.market"


def test_less_than_the_minimum_is_refused(chain: Chain) -> None:
    market = chain.open_market(minimum_notional=10 * 500 * 1_000)
    assert refused(market, quantity=9).errors[0].code == "too_small"
    assert place(market, quantity=10).status == "ESCROWING"


def test_another_ones_signature_is_refused(market: Market) -> None:
    coordinator.plan()
    body = driving.signed(market) | {"signature": driving.signed(market, OWNERS[1])["signature"]}
    with pytest.raises(Problem) as problem:
        offers.read(market, body, by=TRADER)
    assert problem.value.errors[0].field == "signature"


def test_an_owner_may_not_have_more_in_the_book_than_the_market_allows(chain: Chain) -> None:
    market = chain.open_market(owner_cap=15 * 500 * 1_000)
    place(market, quantity=10)
    with pytest.raises(Problem) as problem:
        place(market, quantity=6)
    assert problem.value.code == "over_cap"
    assert place(market, quantity=5).status == place(market, OWNERS[1], quantity=15).status


def test_a_sell_is_worth_the_reference_whatever_it_asks_for(chain: Chain) -> None:
    market = chain.open_market(owner_cap=15 * 500 * 1_000, minimum_notional=500 * 1_000)
    assert place(market, side=Side.SELL, limit=1, quantity=15).status == "ESCROWING"
    with pytest.raises(Problem) as problem:
        place(market, side=Side.SELL, limit=1, quantity=1)
    assert problem.value.code == "over_cap"
    assert place(market, OWNERS[1], side=Side.SELL, limit=10**9, quantity=15).receipt_seq == 2


def test_an_order_that_replaces_another_keeps_to_the_cap_as_well(chain: Chain) -> None:
    market = chain.open_market(owner_cap=15 * 500 * 1_000, max_open_orders=1)
    order = opened(place(market, quantity=10))
    with pytest.raises(Problem) as problem:
        acceptance.replace(order.id, offer(market, quantity=16), by="key:1")
    assert problem.value.code == "over_cap"
    id_ = acceptance.replace(order.id, offer(market, quantity=15), by="key:1")
    assert BatchOrder.objects.get(id=id_).replaces == order.id


def test_an_owner_has_so_many_open_orders_and_no_more(chain: Chain) -> None:
    market = chain.open_market(max_open_orders=2)
    first, _ = place(market), place(market)
    with pytest.raises(Problem) as problem:
        place(market)
    assert (problem.value.status, problem.value.code) == (409, "too_many_orders")
    assert place(market, OWNERS[1]).status == "ESCROWING"
    with pytest.raises(Problem):
        acceptance.accept(market.id, [offer(market, OWNERS[2]) for _ in range(3)], by="key:1")
    acceptance.cancel(first.id, reason="asked for")
    assert place(market).status == "ESCROWING"


def test_a_market_takes_no_more_open_orders_than_a_batch(
    market: Market, settings: Settings
) -> None:
    settings.BATCH_MAX_ORDERS = 2
    place(market), place(market, OWNERS[1])
    registry.forget()
    with pytest.raises(Problem) as problem:
        place(market, OWNERS[2])
    assert (problem.value.status, problem.value.code) == (409, "book_full")


def test_an_order_whose_worth_at_any_price_of_the_band_cannot_be_counted_is_refused(
    chain: Chain,
) -> None:
    """It would keep every batch that it is in from being cleared."""
    market = chain.open_market(reference=10**9)
    assert refused(market, limit=1, quantity=10**7).errors[0].code == "too_large"
    assert offer(market, limit=1, quantity=10**6).order.quantity == 10**6


def test_a_receipt_names_a_batch_that_the_escrow_can_be_seen_for(market: Market) -> None:
    """And an order that needs no escrow the very next one."""
    order = opened(place(market, limit=400))
    coordinator.plan()
    first, second = still(market)
    assert acceptance.slate(market).batch_no == first
    new = BatchOrder.objects.get(id=driving.accept(market, driving.signed(market)))
    assert Receipt.parse(bytes(new.receipt)).batch_no == new.batch_no == second
    id_ = acceptance.replace(order.id, offer(market, limit=399), by="key:1")
    assert BatchOrder.objects.get(id=id_).batch_no == first


def still(market: Market) -> tuple[int, int]:
    """The next two batches, once the clock stands as many slots before the first one's cutoff as
    an escrow takes."""
    ticks = list(Tick.objects.filter(status="PLANNED").order_by("number")[:2])
    lead = MIN_LEAD_SLOTS
    for tick, slot in zip(ticks, (ESCROW_SLOTS, ESCROW_SLOTS + 1), strict=True):
        Tick.objects.filter(id=tick.id).update(target_slot=1_000 + lead + slot)
    SlotReading.objects.update(slot=1_000, at_ms=time.time() * 1_000, slot_ms=10**9)
    registry.forget()
    return ticks[0].number, ticks[1].number


def test_an_order_that_is_accepted_already_replaces_none_but_the_one_it_has_replaced(
    market: Market,
) -> None:
    order, other = opened(place(market, limit=400)), opened(place(market, limit=401))
    new = offer(market, limit=402)
    id_ = acceptance.replace(order.id, new, by="key:1")
    assert acceptance.replace(order.id, new, by="key:1") == id_
    with pytest.raises(Problem) as problem:
        acceptance.replace(other.id, new, by="key:1")
    assert (problem.value.status, problem.value.code) == (409, "known")


def offer(market: Market, owner: Keypair = OWNERS[0], **changes: Any) -> offers.Offer:
    return offers.read(market, driving.signed(market, owner, **changes), by=TRADER)


def opened(order: BatchOrder) -> BatchOrder:
    """The order with its escrow, in no batch."""
    driving.escrowed(order)
    BatchOrder.objects.filter(id=order.id).update(batch=None)
    return read(order)


def test_escrow_that_the_wallet_does_not_have_rejects_the_order(
    chain: Chain, market: Market
) -> None:
    vault = vaults(chain)
    good = place(market)
    rich = place(market, OWNERS[1], quantity=4 * 10**9)
    nobody = place(market, Keypair())
    driving.escrowed(good, rich, nobody)
    assert [read(o).status for o in (good, rich, nobody)] == ["OPEN", "REJECTED", "REJECTED"]
    assert read(rich).reason == read(nobody).reason == "the wallet holds too little of the token"
    driving.assert_books_agree(chain, vault)


def test_an_order_is_cancelled_and_paid_back(chain: Chain, market: Market) -> None:
    vault, before = vaults(chain), chain.balance(OWNER_ADDRESSES[0], QUOTE)
    order = place(market, limit=400)
    driving.escrowed(order)
    assert before - chain.balance(OWNER_ADDRESSES[0], QUOTE) == int(order.escrow)
    cancelled(order)
    driving.quiet()
    assert read(order).status == "CANCELLED"
    assert chain.balance(OWNER_ADDRESSES[0], QUOTE) == before
    driving.assert_books_agree(chain, vault)
    assert not Work.objects.filter(stage__in=["batches.pull", "batches.pay"]).exists()


def cancelled(order: BatchOrder) -> None:
    """Cancel, and wait for the batch that may be committed to the order."""
    acceptance.cancel(order.id, reason="asked for")
    driving.run_until(lambda: read(order).status == "CANCELLED")


def test_what_a_batch_leaves_of_a_cancelled_order_ends(chain: Chain, market: Market) -> None:
    vault = vaults(chain)
    buy = place(market, limit=510, quantity=10)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=4)
    driving.escrowed(buy, sell)
    driving.run_until(lambda: all(read(order).batch_id for order in (buy, sell)))
    for _ in range(2):
        acceptance.cancel(buy.id, reason="asked for")
    assert (read(buy).status, read(buy).cancelling) == ("OPEN", True)
    better = offers.read(market, driving.signed(market, limit=511, quantity=10), by=TRADER)
    with pytest.raises(Problem) as refused:
        acceptance.replace(buy.id, better, by="key:1")
    assert refused.value.code == "stale_state"
    driving.run_until(lambda: read(buy).status == "CANCELLED")
    assert (read(buy).remaining, read(sell).status) == (6, "FILLED")
    assert BatchFill.objects.filter(order=buy).count() == 1
    driving.quiet()
    driving.assert_books_agree(chain, vault)


def test_an_order_whose_escrow_was_not_asked_for_yet_is_simply_gone(
    chain: Chain, market: Market
) -> None:
    vault = vaults(chain)
    order = place(market)
    acceptance.cancel(order.id, reason="asked for")
    assert read(order).status == "CANCELLED"
    driving.quiet()
    assert vaults(chain) == vault


def test_an_order_that_is_cancelled_while_its_escrow_is_on_its_way_is_paid_back(
    chain: Chain, market: Market
) -> None:
    from batches import stages
    from batches.stage_names import PULL

    vault, before = vaults(chain), chain.balance(OWNER_ADDRESSES[0], QUOTE)
    order = place(market)
    stages.stage(PULL).run()
    acceptance.cancel(order.id, reason="asked for")
    assert read(order).status == "ESCROWING" and read(order).cancelling
    driving.run_until(lambda: read(order).status == "CANCELLED")
    driving.quiet()
    assert chain.balance(OWNER_ADDRESSES[0], QUOTE) == before
    driving.assert_books_agree(chain, vault)


def test_a_better_order_takes_over_the_escrow(chain: Chain, market: Market) -> None:
    vault = vaults(chain)
    order = place(market, limit=400, quantity=10)
    driving.escrowed(order)
    dearer = offers.read(market, driving.signed(market, limit=410, quantity=10), by=TRADER)
    ids = []

    def replaced() -> bool:
        try:
            ids.append(acceptance.replace(order.id, dearer, by="key:1"))
        except Problem as problem:
            if problem.code != "committed":
                raise
            return False
        return True

    driving.run_until(replaced)
    new = BatchOrder.objects.get(id=ids[0])
    assert (read(order).status, read(order).escrow_left) == ("REPLACED", 0)
    assert (new.status, int(new.escrow_left)) == ("ESCROWING", int(order.escrow))
    driving.escrowed(new)
    assert int(read(new).escrow_left) == dearer.escrow
    # A cheaper one needs nothing more, and keeps what is over until it ends.
    cheaper = offers.read(market, driving.signed(market, limit=390, quantity=10), by=TRADER)
    order, dearer = new, cheaper
    driving.run_until(replaced)
    last = BatchOrder.objects.get(id=ids[1])
    assert (last.status, last.escrow_left) == ("OPEN", read(last).escrow_left)
    driving.assert_books_agree(chain, vault)


def test_an_order_for_one_batch_ends_with_it(chain: Chain, market: Market) -> None:
    vault = vaults(chain)
    order = place(market, limit=510, quantity=10, time_in_force=TimeInForce.ONE_BATCH)
    assert int(order.escrow) == 10 * 510 * 1_000 * 1_001 // 1_000
    sell = place(market, OWNERS[1], side=Side.SELL, limit=490, quantity=4)
    driving.escrowed(order, sell)
    driving.run_until(lambda: read(order).status == "EXPIRED")
    driving.quiet()
    assert read(order).remaining in (6, 10) and read(order).escrow_left == 0
    driving.assert_books_agree(chain, vault)


def test_an_order_ends_with_its_last_slot(chain: Chain, market: Market) -> None:
    vault, before = vaults(chain), chain.balance(OWNER_ADDRESSES[0], QUOTE)
    order = place(market, limit=400, expiry_slot=chain.slot() + 60)
    driving.escrowed(order)
    driving.run_until(lambda: read(order).status == "EXPIRED")
    driving.quiet()
    assert chain.balance(OWNER_ADDRESSES[0], QUOTE) == before
    driving.assert_books_agree(chain, vault)


def test_escrow_covers_every_way_to_be_filled(market: Market) -> None:
    order = offers.read(market, {**_plan_signed(market, quantity=3, limit=333)}, by=TRADER).order
    units = offers.units(market)
    value = 3 * 333 * 1_000
    escrow = terms.escrow(order, lot=units.lot, tick=units.tick)
    assert escrow == value + -(-value * 10 // 10_000) + 2
    by_lot = 3 * (333_000 + -(-333_000 * 10 // 10_000))
    assert by_lot <= escrow


def _plan_signed(market: Market, **changes: Any) -> dict[str, str]:
    coordinator.plan()
    return driving.signed(market, **changes)


def test_a_posting_enters_once_for_ever(market: Market) -> None:
    posting = ledger.escrowed("packet:1", market.id, market.base_mint, 5)
    ledger.Journal([posting]).post()
    with pytest.raises(IntegrityError):
        ledger.Journal([posting]).post()


def test_nothing_is_paid_back_twice(chain: Chain, market: Market) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    cancelled(order)
    refunds.end([read(order)], "CANCELLED", "again", ledger.Journal())
    assert Transfer.objects.filter(direction="PAY").count() == 1
    assert Batch.objects.filter(status="SETTLED", fills__gt=0).count() == 0
