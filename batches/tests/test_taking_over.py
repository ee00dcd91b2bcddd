"""What an honest coordinator publishes stays verified, whatever happened in the batches before."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from batches import (
    acceptance,
    chain_evidence,
    chain_reading,
    offers,
    publication,
    services,
    stages,
    verify,
)
from batches.bundle import Bundle
from batches.clearing import Committed, clear_columns
from batches.coordination import references
from batches.evidence import Evidence
from batches.leaves import Leaves
from batches.models import Batch, BatchOrder, Cadence, Market, Tick
from batches.records import Header, Side
from batches.stage_names import CLOSE
from batches.tests import driving
from batches.tests.driving import TRADER, place, read
from batches.tests.outside import OWNERS, Chain
from batches.tests.waiting import until
from batches.verification import Verdict
from chains import registry as adapters


def ended() -> list[Batch]:
    """The batches that have settled, the oldest first, once what they moved is final."""
    driving.quiet()
    driving.run_until(lambda: not Batch.objects.filter(status="CLEARED").exists())
    driving.final()
    found = Batch.objects.filter(status="SETTLED").select_related("market", "tick")
    return list(found.order_by("number"))


def all_verified(batches: Iterable[Batch]) -> None:
    for batch in batches:
        found = chain_evidence.verdict(batch)
        assert found == Verdict("VERIFIED"), (batch.number, found.reasons)


def sell(market: Market, lots: int, limit: int = 490) -> BatchOrder:
    return place(market, OWNERS[1], side=Side.SELL, limit=limit, quantity=lots)


def filled(*orders: BatchOrder) -> None:
    driving.run_until(lambda: all(read(order).status == "FILLED" for order in orders))


def test_batches_that_fill_in_parts_are_verified(
    chain: Chain, market: Market, tmp_path: Path
) -> None:
    buy = place(market, limit=510, quantity=10)
    waits = place(market, OWNERS[2], limit=400, quantity=1)
    driving.escrowed(buy, waits)
    filled(sell(market, 6))
    filled(sell(market, 4), buy)
    batches = ended()
    traded = [batch for batch in batches if batch.fills]
    assert len(traded) == 2
    all_verified(batches)
    # Whoever has the files finds the same, and a lie about what was left.
    last = publication.bundle(traded[-1])
    paths = [tmp_path / f"{batch.number}.json" for batch in batches]
    for batch, path in zip(batches, paths, strict=True):
        path.write_bytes(bytes(publication.bundle(batch)))
    before = [Bundle.parse(p.read_bytes()) for p in paths if p.stem < str(traded[-1].number)]
    assert verify.judge(bytes(last), Evidence(before)).status == "UNCERTAIN"
    told = adapters.run(chain_reading.read(adapters.solana(), last, before))
    known = Evidence(before, told.transactions, told.listing)
    assert verify.judge(bytes(last), known) == Verdict("VERIFIED")
    mine = next(leaf for leaf in last.leaves if leaf.order.hash == bytes(buy.hash))
    assert (mine.remaining, mine.age > 0) == (4, True)
    forged = tuple(replace(one, remaining=5) if one is mine else one for one in before[-1].leaves)
    assert verify.judge(bytes(last), Evidence([replace(before[-1], leaves=forged)])).step is None
    assert json.loads(bytes(last))["settled"] is True


def test_batches_after_one_that_rolled_or_was_called_off_are_verified(
    chain: Chain, market: Market
) -> None:
    buy = place(market, limit=510, quantity=5)
    driving.escrowed(buy)
    driving.run_until(lambda: read(buy).age > 0)
    chain.break_node(rpcErrors={}, dropRate=1.0)
    driving.run_until(lambda: Tick.objects.filter(status="FAILED").exists())
    chain.break_node(dropRate=0)
    off = place(market, OWNERS[2], limit=400, quantity=1)
    driving.escrowed(off)
    driving.run_until(lambda: read(off).batch_id is not None)
    voided = read(off).batch_id
    assert voided is not None
    services.void(voided, by="user:ada", reason="a wrong price")
    again = place(market, limit=510, quantity=5)
    driving.escrowed(again)
    filled(sell(market, 5))
    batches = ended()
    assert Batch.objects.filter(status="ROLLED").exclude(header=None).exists()
    traded = [batch for batch in batches if batch.fills]
    assert traded
    all_verified([*traded, *batches[-2:]])


def test_an_order_that_takes_anothers_place_is_new(chain: Chain, market: Market) -> None:
    before = place(market, limit=400, quantity=5)
    driving.escrowed(before)

    def replaced() -> bool:
        driving.run_until(lambda: read(before).batch_id is None)
        body = driving.signed(market, limit=400, quantity=4)
        offer = offers.read(market, body, by=TRADER)
        return acceptance.replace(before.id, offer, by=TRADER.ref) is not None

    until(replaced)
    new = BatchOrder.objects.get(replaces=before.id)
    driving.run_until(lambda: read(new).age > 1)
    all_verified(ended()[-3:])


def test_a_tick_that_others_have_overtaken_takes_nothing(chain: Chain, market: Market) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    driving.run_until(lambda: read(order).batch_id is None)
    (first,) = Tick.objects.filter(status="PLANNED").order_by("number")[:1]
    Cadence.objects.update_or_create(cadence_ms=600, defaults={"tick": first.number})

    def is_gone() -> bool:
        stages.stage(CLOSE).run()
        return not Tick.objects.filter(id=first.id).exists()

    until(is_gone)
    assert not Batch.objects.filter(number=first.number).exists()
    driving.run_until(lambda: read(order).age > 0)


def test_a_reference_does_not_go_back_to_a_batch_that_clears_late(
    chain: Chain, market: Market
) -> None:
    prices = []
    for limit in (510, 505):
        buy = place(market, limit=limit, quantity=3)
        driving.escrowed(buy)
        filled(sell(market, 3, limit), buy)
        prices.append(limit)
    early, late = (batch for batch in ended() if batch.fills)
    assert [early.price, late.price] == prices
    committed = Committed(
        Header.parse(bytes(early.header or b"")), Leaves(bytes(early.leaves or b""))
    )
    (result,) = clear_columns([committed])
    references.follow(early.tick, [(early, committed, result)])
    assert Market.objects.get().reference == late.price
    Batch.objects.filter(number__gt=early.number).update(status="ROLLED")
    references.follow(early.tick, [(early, committed, result)])
    assert Market.objects.get().reference == early.price


@pytest.mark.parametrize("status", ["CLOSED", "COMMITTED"])
def test_a_batch_that_is_not_decided_is_missing_to_those_after_it(
    chain: Chain, market: Market, status: str
) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    settled = Batch.objects.filter(status="SETTLED").exclude(header=None)
    driving.run_until(lambda: settled.count() > 1)
    last = ended()[-1]
    Batch.objects.filter(number__lt=last.number).exclude(header=None).update(status=status)
    found = chain_evidence.verdict(last)
    assert (found.status, found.holds(3)) == ("UNCERTAIN", None)
    header = publication.bundle(last).header
    assert any(header.previous.hex() in reason for reason in found.reasons)
