"""What waits for a person, and how a person lets it go on."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import F
from django.db.models.functions import Now as DatabaseNow
from django.utils import timezone
from uuid_utils.compat import uuid7

from batches import acceptance, reviews, stages
from batches.models import BatchOrder, Market, Packet, Tick, Transfer
from batches.records import Side
from batches.stage_names import CLEAR, CLOSE, COMMIT, LAND, PAY, PULL
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, OWNERS, QUOTE, Chain
from batches.tests.waiting import until
from fairlane.core.claims import MAX_CLAIMS
from fairlane.core.errors import Problem
from fairlane.core.models import AuditEntry, Work

pytestmark = pytest.mark.django_db(transaction=True)

BY = {"by": "user:ada", "reason": "a look at it"}


def vaults(chain: Chain) -> tuple[int, int]:
    return chain.vault(BASE), chain.vault(QUOTE)


def strand(stage: str) -> None:
    """As if each claim of what is in the stage had killed its worker."""
    Work.objects.filter(stage=stage).update(attempts=MAX_CLAIMS, due_at=DatabaseNow())
    stages.stage(stage).run()


def pull_of(order: BatchOrder) -> Transfer:
    return Transfer.objects.select_related("packet").get(order=order, direction="PULL")


def packet_of(order: BatchOrder) -> Packet:
    packet = pull_of(order).packet
    assert packet is not None
    return packet


def refused(deed: Callable[..., None], key: UUID) -> str:
    with pytest.raises(Problem) as problem:
        deed(key, **BY)
    return problem.value.code


def land_until(done: Callable[[], object]) -> None:
    def step() -> bool:
        stages.stage(LAND).run()
        return bool(done())

    until(step)


def test_a_pull_that_was_never_sent_is_tried_again(chain: Chain, market: Market) -> None:
    vault, order = vaults(chain), place(market)
    strand(PULL)
    assert (read(order).status, pull_of(order).status) == ("REVIEW", "REVIEW")
    assert read(order).reason == pull_of(order).reason == "it could not be brought to an outcome"
    assert refused(reviews.look_for, pull_of(order).id) == "stale_state"
    reviews.go_on_with_order(order.id, **BY)
    assert (read(order).status, read(order).reason) == ("ESCROWING", "")
    driving.escrowed(order)
    assert read(order).status == "OPEN"
    driving.assert_books_agree(chain, vault)
    entry = AuditEntry.objects.get(action="transfer.again")
    assert (entry.actor, entry.reason) == ("user:ada", "a look at it")
    assert refused(reviews.go_on_with_order, order.id) == "stale_state"
    assert refused(reviews.try_again, pull_of(order).id) == "stale_state"


def test_a_transaction_that_nobody_followed_is_looked_up_again(
    chain: Chain, market: Market
) -> None:
    vault, order = vaults(chain), place(market)
    stages.stage(PULL).run()
    strand(LAND)
    assert (read(order).status, packet_of(order).status) == ("REVIEW", "REVIEW")
    # It may have landed: nothing of it is done twice.
    assert refused(reviews.try_again, pull_of(order).id) == "may_land"
    reviews.go_on_with_order(order.id, **BY)
    driving.escrowed(order)
    assert (read(order).status, packet_of(order).status) == ("OPEN", "CONFIRMED")
    driving.assert_books_agree(chain, vault)
    assert AuditEntry.objects.filter(action="packet.look").count() == 1
    assert refused(reviews.look_again, packet_of(order).id) == "stale_state"


def test_what_a_node_cannot_tell_is_reviewed_so_long_after_the_first_look(
    chain: Chain, market: Market
) -> None:
    vault, order = vaults(chain), place(market)
    chain.break_node(dropRate=1.0)
    stages.stage(PULL).run()
    # Expired, by a node whose history does not reach back to it.
    long_ago = timezone.now() - timedelta(hours=1)
    Packet.objects.update(first_slot=-1, last_valid_block_height=0, created_at=long_ago)
    land_until(lambda: packet_of(order).looked_at)
    assert packet_of(order).status == "SIGNED"
    Packet.objects.update(looked_at=long_ago)
    land_until(lambda: packet_of(order).status != "SIGNED")
    assert packet_of(order).status == "REVIEW"
    assert read(order).status == "REVIEW" and "cannot tell" in read(order).reason
    chain.break_node(dropRate=0)
    # A node that knows more.
    Packet.objects.update(first_slot=10**6)
    reviews.look_for(pull_of(order).id, **BY)
    driving.escrowed(order)
    assert read(order).status == "OPEN"
    assert sorted(Packet.objects.values_list("status", flat=True)) == ["CONFIRMED", "EXPIRED"]
    driving.assert_books_agree(chain, vault)


def test_what_landed_and_cannot_be_read_yet_is_never_reviewed(chain: Chain, market: Market) -> None:
    order = place(market)
    chain.break_node(rpcErrors={"getTransaction": -32005})
    stages.stage(PULL).run()
    signature = packet_of(order).signature
    until(lambda: chain.call("getSignatureStatuses", [signature])["value"][0])
    land_until(lambda: packet_of(order).looked_at)
    long_ago = timezone.now() - timedelta(hours=1)
    Packet.objects.update(looked_at=long_ago, created_at=long_ago)
    looks = iter(range(5))
    land_until(lambda: next(looks) == 4)
    assert packet_of(order).status == "SIGNED"
    chain.break_node(rpcErrors={})
    driving.escrowed(order)
    assert read(order).status == "OPEN"


def test_what_moved_something_else_counts_once_a_person_has_accepted_it(
    chain: Chain, market: Market
) -> None:
    order = place(market)
    stages.stage(PULL).run()
    # As with a mint that keeps a fee.
    Transfer.objects.update(amount=F("amount") + 1)
    land_until(lambda: packet_of(order).status != "SIGNED")
    assert "moved something else" in packet_of(order).error
    assert "moved something else" in read(order).reason
    reviews.look_again(packet_of(order).id, **BY)
    land_until(lambda: packet_of(order).status != "SIGNED")
    assert packet_of(order).status == "REVIEW"
    reviews.accept(packet_of(order).id, **BY)
    driving.escrowed(order)
    assert (read(order).status, packet_of(order).status) == ("OPEN", "CONFIRMED")


def test_a_payout_in_review_is_paid_again_and_its_batch_ends(chain: Chain, market: Market) -> None:
    vault = vaults(chain)
    buy = place(market, limit=500, quantity=4)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=4)
    due = Transfer.objects.filter(direction="PAY", status="DUE")

    def cleared() -> bool:
        for name in (PULL, LAND, CLOSE, COMMIT, CLEAR):
            stages.stage(name).run()
        return due.exists()

    until(cleared)
    strand(PAY)
    held = list(Transfer.objects.filter(direction="PAY", status="REVIEW"))
    assert {row.wallet for row in held} == {buy.wallet, sell.wallet}
    driving.run_until(lambda: read(buy).status == read(sell).status == "FILLED")
    for transfer in held:
        reviews.try_again(transfer.id, **BY)
    assert held[0].batch_id is not None
    driving.settled(held[0].batch_id)
    driving.assert_books_agree(chain, vault)


@pytest.mark.parametrize(
    ("stage", "status"), [(CLOSE, "PLANNED"), (COMMIT, "CLOSED"), (CLEAR, "COMMITTED")]
)
def test_a_tick_in_review_goes_on_where_it_stood(
    chain: Chain, market: Market, stage: str, status: str
) -> None:
    vault = vaults(chain)
    orders = [
        place(market, limit=500, quantity=4),
        place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=4),
    ]
    driving.escrowed(*orders)
    before = (CLOSE, COMMIT)[: (CLOSE, COMMIT, CLEAR).index(stage)]

    def reached() -> bool:
        for name in before:
            stages.stage(name).run()
        return Tick.objects.filter(status=status).exists()

    until(reached)
    strand(stage)
    aside = list(Tick.objects.filter(status="REVIEW"))
    assert aside
    for tick in aside:
        reviews.go_on_with_tick(tick.id, **BY)
        assert Tick.objects.get(id=tick.id).status == status
    driving.run_until(lambda: all(read(order).status == "FILLED" for order in orders))
    driving.quiet()
    driving.assert_books_agree(chain, vault)
    assert AuditEntry.objects.filter(action="tick.go_on").count() == len(aside)
    assert refused(reviews.go_on_with_tick, aside[0].id) in ("stale_state", "not_found")


@pytest.mark.parametrize(
    "deed",
    [
        reviews.look_again,
        reviews.accept,
        reviews.look_for,
        reviews.try_again,
        reviews.pay_anyway,
        reviews.go_on_with_order,
        reviews.go_on_with_tick,
    ],
)
def test_what_there_is_not_is_told(db: None, deed: Callable[..., None]) -> None:
    assert refused(deed, uuid7()) == "not_found"


def test_an_order_that_is_to_end_is_not_pulled_again(chain: Chain, market: Market) -> None:
    """Its transaction expires: what it was to pull stays with the owner."""
    vault, order, other = vaults(chain), place(market), place(market, OWNERS[1])
    chain.break_node(dropRate=1.0)
    stages.stage(PULL).run()
    acceptance.cancel(order.id, reason="asked for")
    assert read(order).cancelling
    Packet.objects.update(last_valid_block_height=0)
    land_until(lambda: read(order).status != "ESCROWING")
    chain.break_node(dropRate=0)
    assert (read(order).status, pull_of(order).status) == ("CANCELLED", "DROPPED")
    driving.escrowed(other)
    driving.quiet()
    assert read(other).status == "OPEN"
    assert not Transfer.objects.filter(direction="PAY").exists()
    driving.assert_books_agree(chain, vault)
