"""From signed orders to payouts, stage by stage, on a real chain."""

from batches.band import TICKS, first_tick
from batches.models import Batch, BatchFill, BatchOrder, Market, Tick
from batches.records import Header, Side
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, OWNER_ADDRESSES, OWNERS, QUOTE, Chain


def test_a_price_that_has_left_the_band_is_traded_at(chain: Chain) -> None:
    market = chain.open_market(collar_bps=10_000)
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    buy = place(market, limit=10_000, quantity=5)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=9_000, quantity=5)
    assert first_tick(market.reference) + TICKS <= 9_000
    driving.run_until(lambda: read(buy).status == read(sell).status == "FILLED")
    (batch,) = Batch.objects.filter(fills__gt=0)
    header = Header.parse(bytes(batch.header or b""))
    # By a collar from batch to batch, until sells are in the band.
    assert header.reference == 8_000 and batch.price == 9_000
    driving.quiet()
    assert Market.objects.get().reference == 9_000
    driving.assert_books_agree(chain, vault)


def test_two_orders_meet_at_one_price(chain: Chain, market: Market) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    before = [
        (chain.balance(owner, BASE), chain.balance(owner, QUOTE)) for owner in OWNER_ADDRESSES[:2]
    ]
    buy = place(market, limit=510, quantity=10)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=490, quantity=6)
    driving.escrowed(buy, sell)
    assert read(buy).status == read(sell).status == "OPEN"
    driving.run_until(lambda: read(sell).status == "FILLED")
    (batch,) = Batch.objects.filter(fills__gt=0)
    batch = driving.settled(batch.id)
    driving.quiet()
    assert (batch.price, batch.volume, batch.fills) == (510, 6, 2)
    turnover = 6 * 510 * market.tick
    fee = turnover * market.fee_bps // 10_000
    assert (batch.turnover, batch.fees) == (turnover, 2 * fee)
    bought, sold = read(buy), read(sell)
    assert (bought.remaining, bought.age, bought.status) == (4, bought.age, "OPEN")
    assert bought.escrow_left == int(bought.escrow) - turnover - fee
    assert sold.escrow_left == 0
    after = [
        (chain.balance(owner, BASE), chain.balance(owner, QUOTE)) for owner in OWNER_ADDRESSES[:2]
    ]
    assert after[0][0] - before[0][0] == 6 * market.lot
    assert after[0][1] - before[0][1] == -int(bought.escrow)
    assert after[1][0] - before[1][0] == -6 * market.lot
    assert after[1][1] - before[1][1] == turnover - fee
    driving.assert_books_agree(chain, vault)
    tick = Tick.objects.get(id=batch.tick_id)
    assert tick.anchor_slot is not None and tick.target_slot is not None
    assert tick.anchor_slot < tick.target_slot
    assert BatchFill.objects.filter(batch=batch).count() == 2
    assert BatchOrder.objects.count() == 2
