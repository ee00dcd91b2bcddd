"""What a claim does costs as many statements however much it holds, in one order of locks."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from batches import stages
from batches.ledger import Journal
from batches.models import Batch, BatchOrder, Market, Packet, Tick, Transfer
from batches.moving import escrows
from batches.moving.outcomes import Outcomes
from batches.stage_names import LAND, PULL
from batches.tests.driving import place
from batches.tests.outside import OWNER_ADDRESSES, OWNERS, Chain, token
from batches.tests.outside import QUOTE as USDC
from batches.tests.waiting import until
from chains.ports import LandedTransaction, TokenBalance
from chains.solana.swap import token_account

FEW, MANY = 2, 7


def statements(deed: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        deed()
    return [query["sql"] for query in captured.captured_queries]


def pulls(market: Market, count: int) -> list[Transfer]:
    orders = [place(market, OWNERS[n % 3], quantity=1) for n in range(count)]
    found = Transfer.objects.filter(order__in=orders).select_related("market")
    return list(found.order_by("id"))


def refuse(rows: list[Transfer]) -> Callable[[], None]:
    def deed() -> None:
        journal = Journal()
        escrows.refuse({row.id: f"reason {n}" for n, row in enumerate(rows)}, journal)
        journal.post()

    return deed


def test_pulls_are_refused_in_sets_each_with_its_reason(chain: Chain, market: Market) -> None:
    few, many = pulls(market, FEW), pulls(market, MANY)
    assert len(statements(refuse(few))) == len(statements(refuse(many)))
    for number, row in enumerate(many):
        assert row.order_id is not None
        order = BatchOrder.objects.get(id=row.order_id)
        assert (order.status, order.reason) == ("REJECTED", f"reason {number}")
    assert set(Transfer.objects.values_list("status", flat=True)) == {"DROPPED"}


def paying(market: Market, count: int) -> list[tuple[Packet, Transfer, LandedTransaction]]:
    """Payouts of as many batches of one tick that have landed, each in a transaction of its own."""
    tick = Tick.objects.create(id=uuid7(), cadence_ms=600, number=count, status="CLEARED")
    found = []
    for number in range(count):
        batch = Batch.objects.create(
            id=uuid7(), market=market, tick=tick, number=count * 100 + number, status="CLEARED"
        )
        packet = Packet.objects.create(
            id=uuid7(),
            direction="PAY",
            tick=tick,
            signature=str(uuid7()),
            transaction=b"",
            first_slot=1,
            last_valid_block_height=2,
        )
        transfer = Transfer.objects.create(
            id=uuid7(),
            direction="PAY",
            market=market,
            mint=market.quote_mint,
            wallet=OWNER_ADDRESSES[0],
            amount=5,
            batch=batch,
            status="PACKED",
            packet=packet,
            position=0,
        )
        found.append((packet, transfer, landed(market, packet)))
    return found


def landed(market: Market, packet: Packet) -> LandedTransaction:
    owner, vault = (
        token_account(wallet, token(USDC)) for wallet in (OWNER_ADDRESSES[0], market.coordinator)
    )
    balances = (
        TokenBalance(owner, OWNER_ADDRESSES[0], market.quote_mint, 0, 5),
        TokenBalance(vault, market.coordinator, market.quote_mint, 5, 0),
    )
    return LandedTransaction(packet.signature, 3, None, 5_000, None, balances, ())


def write(cases: list[tuple[Packet, Transfer, LandedTransaction]]) -> Callable[[], None]:
    def deed() -> None:
        outcomes = Outcomes()
        for packet, transfer, transaction in cases:
            outcomes.landed(packet, [transfer], transaction)
        outcomes.write()

    return deed


def test_batches_that_several_transactions_pay_are_locked_once_and_together(
    chain: Chain, market: Market
) -> None:
    """Two workers would wait for each other if each locked them one after the other."""
    few, many = paying(market, FEW), paying(market, MANY)
    statements(write(few))
    done = statements(write(many))
    locked = [sql for sql in done if "batches_batch" in sql and "FOR NO KEY UPDATE" in sql]
    assert len([sql for sql in locked if 'FROM "batches_batch"' in sql]) == 1
    assert 'ORDER BY "batches_batch"."id"' in locked[0]
    assert len([sql for sql in done if sql.startswith('UPDATE "batches_packet"')]) == 1
    assert not Batch.objects.exclude(status="SETTLED").exists()
    assert set(Packet.objects.values_list("status", "slot", "fee")) == {("CONFIRMED", 3, 5_000)}


@pytest.mark.django_db(transaction=True)
def test_many_transactions_of_escrow_land_in_as_many_statements_as_few(
    chain: Chain, market: Market
) -> None:
    counted = []
    for count in (FEW, MANY):
        for n in range(count):
            place(market, OWNERS[n % 3], quantity=1)
            stages.stage(PULL).run()
        packets = Packet.objects.filter(status="SIGNED")
        signatures = list(packets.values_list("signature", flat=True))
        assert len(signatures) == count

        def confirmed(signatures: list[str] = signatures) -> bool:
            statuses = chain.call("getSignatureStatuses", signatures)["value"]
            return all(s and s["confirmationStatus"] != "processed" for s in statuses)

        until(confirmed)
        counted.append(len(statements(stages.stage(LAND).run)))
        assert not packets.exists()
    assert counted[0] == counted[1]
