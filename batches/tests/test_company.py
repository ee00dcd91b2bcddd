"""Transfers share transactions, and what one makes fail keeps the others waiting once at most."""

import pytest

from batches import stages
from batches.models import BatchOrder, Market, Packet, Transfer
from batches.stage_names import LAND, PULL
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, OWNERS, QUOTE, Chain
from batches.tests.test_payouts import SOME, land, moving, newcomer
from batches.tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def carried_by(order: BatchOrder) -> Packet:
    packet = Transfer.objects.select_related("packet").get(order=order, direction="PULL").packet
    assert packet is not None
    return packet


def packed(*orders: BatchOrder) -> None:
    """Until the pulls that are due are in transactions; a busy node may not answer at once."""
    pulls = Transfer.objects.filter(order__in=orders, status="PACKED")

    def step() -> bool:
        stages.stage(PULL).run()
        return pulls.count() == len(orders)

    until(step)


def test_who_lets_his_own_pulls_fail_keeps_no_others_order_out(
    chain: Chain, market: Market
) -> None:
    """However many he sends: what has failed with one is carried with no other."""
    vault, crook = (chain.vault(BASE), chain.vault(QUOTE)), newcomer(chain, BASE)
    good, bad = place(market), place(market, crook, quantity=1)
    chain.break_node(dropRate=1.0)
    packed(good, bad)
    assert carried_by(good) == carried_by(bad)
    chain.break_node(dropRate=0)
    rich = OWNERS[5]
    land(chain, moving(crook, rich, QUOTE, SOME), signers=(rich, crook))
    Packet.objects.update(sent_at=None)

    def failed() -> bool:
        stages.stage(LAND).run()
        return Packet.objects.filter(status="FAILED").exists()

    until(failed)
    assert (read(good).status, read(bad).status) == ("ESCROWING", "REJECTED")
    other = place(market, OWNERS[1])
    packed(good, other)
    assert list(carried_by(good).transfers.values_list("order", flat=True)) == [good.id]
    driving.escrowed(good, other)
    assert read(good).status == read(other).status == "OPEN"
    driving.assert_books_agree(chain, vault)
