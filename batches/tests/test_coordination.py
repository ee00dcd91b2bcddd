"""Ticks that fail, are called off, are done twice, or whose process dies anywhere."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db.models.functions import Now as DatabaseNow

from batches import coordinator, services, stages
from batches.coordination.committing import Landed, Missed, decide
from batches.models import Batch, BatchOrder, Market, Packet, Tick, Transfer
from batches.records import Side, TimeInForce
from batches.stage_names import CLOSE, COMMIT
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, OWNER_ADDRESSES, OWNERS, QUOTE, Chain
from batches.tests.waiting import until
from chains.ports import SignatureStatus
from fairlane.core import checkpoints
from fairlane.core.errors import Problem
from fairlane.core.models import AuditEntry, Event, Work
from fairlane.core.tests.concurrency import at_the_same_time

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Path(__file__).parents[1]
POINTS = sorted(
    name
    for path in HERE.rglob("*.py")
    if "tests" not in path.parts
    for name in re.findall(r'checkpoints\.reach\("(batches\.[a-z_.]+)"\)', path.read_text())
) + [
    f"batches.{stage}.{point}"
    for stage in ("pull", "pay")
    for point in ("before_persist", "persisted", "sent")
]


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@contextmanager
def killed_at(point: str) -> Iterator[list[str]]:
    """Dies at the first visit of a point; gives the points that were reached."""
    reached: list[str] = []

    def observer(name: str) -> None:
        reached.append(name)
        if name == point and reached.count(name) == 1:
            raise Killed(name)

    checkpoints.observe(observer)
    try:
        yield reached
    finally:
        checkpoints._observers.remove(observer)


def leases_end() -> None:
    Work.objects.filter(claim_id__isnull=False).update(due_at=DatabaseNow())


def survive(step: object) -> None:
    try:
        step()  # type: ignore[operator]
    except Killed:
        leases_end()


# Where this flow does not come by.
ELSEWHERE = ("batches.replace", "batches.cancel", "batches.reserve")


@pytest.mark.parametrize("point", [p for p in POINTS if not p.startswith(ELSEWHERE)])
def test_a_process_that_dies_anywhere_loses_and_doubles_nothing(
    chain: Chain, market: Market, point: str
) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    before = [(chain.balance(o, BASE), chain.balance(o, QUOTE)) for o in OWNER_ADDRESSES[:2]]
    coordinator.plan()
    bodies = [
        driving.signed(market, limit=500, quantity=10),
        driving.signed(market, OWNERS[1], side=Side.SELL, limit=500, quantity=10),
    ]
    with killed_at(point) as reached:
        for body in bodies * 2:
            survive(lambda body=body: driving.accept(market, body))

        def done() -> bool:
            survive(driving.once)
            found = BatchOrder.objects.filter(status="FILLED").count() == 2
            return found and not Transfer.objects.exclude(status="DONE").exists()

        until(done)
    assert point in reached
    assert BatchOrder.objects.count() == 2
    turnover = 10 * 500 * market.tick
    fee = turnover * market.fee_bps // 10_000
    after = [(chain.balance(o, BASE), chain.balance(o, QUOTE)) for o in OWNER_ADDRESSES[:2]]
    assert [(a[0] - b[0], a[1] - b[1]) for a, b in zip(after, before, strict=True)] == [
        (10 * market.lot, -turnover - fee),
        (-10 * market.lot, turnover - fee),
    ]
    driving.assert_books_agree(chain, vault)
    driving.run_until(lambda: not Tick.objects.filter(status="CLEARED").exists())
    assert Batch.objects.filter(status="SETTLED", fills=2).count() == 1


@pytest.mark.parametrize(
    ("status", "slot", "expected"),
    [
        (None, 99, None),
        (None, 100, Missed("the anchor did not land before slot 100")),
        (SignatureStatus(98, "processed", None), 99, None),
        (SignatureStatus(98, "confirmed", None), 99, Landed(98)),
        (SignatureStatus(98, "finalized", None), 130, Landed(98)),
        (
            SignatureStatus(100, "confirmed", None),
            101,
            Missed("the anchor landed in slot 100, not before 100"),
        ),
        (SignatureStatus(98, "confirmed", {"x": 1}), 99, Missed("the anchor failed on chain")),
        (
            SignatureStatus(99, "processed", None),
            100,
            Missed("the anchor did not land before slot 100"),
        ),
    ],
)
def test_only_an_anchor_before_the_slot_lets_a_tick_execute(
    status: SignatureStatus | None, slot: int, expected: object
) -> None:
    assert decide(status, slot=slot, target_slot=100) == expected


def test_without_an_anchor_nothing_executes_and_orders_go_on_older(
    chain: Chain, market: Market
) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    orders = [
        place(market, limit=500, quantity=5),
        place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=5),
        place(market, OWNERS[2], quantity=5, time_in_force=TimeInForce.ONE_BATCH),
    ]
    driving.escrowed(*orders[:2])
    driving.run_until(lambda: read(orders[2]).status != "ESCROWING")
    ages = {order.id: read(order).age for order in orders}
    chain.break_node(rpcErrors={}, dropRate=1.0)
    driving.run_until(lambda: Tick.objects.filter(status="FAILED").exists())
    chain.break_node(dropRate=0)
    failed = Batch.objects.filter(status="ROLLED").order_by("number")[0]
    assert failed.reason.startswith("the anchor did not land before slot")
    (event,) = Event.objects.filter(object_id=failed.id, status="ROLLED")
    assert event.wallet == market.address and event.data["reason"] == failed.reason
    assert all(read(order).age >= ages[order.id] for order in orders[:2])
    driving.run_until(lambda: read(orders[0]).status == "FILLED")
    driving.quiet()
    assert read(orders[2]).status in ("EXPIRED", "FILLED")
    driving.assert_books_agree(chain, vault)


def test_a_batch_is_rolled_by_a_person(chain: Chain, market: Market) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    driving.run_until(lambda: read(order).batch_id is not None)
    batch = Batch.objects.get(status__in=["CLOSED", "COMMITTED"])
    services.roll(batch.id, by="user:ada", reason="a look at it")
    rolled = read(order)
    assert (rolled.status, rolled.batch_id, rolled.batch_no) == ("OPEN", None, batch.number + 1)
    assert Batch.objects.get(id=batch.id).status == "ROLLED"
    assert AuditEntry.objects.get(action="batch.roll").reason == "a look at it"
    with pytest.raises(Problem):
        services.roll(batch.id, by="user:ada", reason="again")
    driving.run_until(lambda: not Tick.objects.filter(id=batch.tick_id, status="CLOSED").exists())


def test_a_batch_is_called_off_and_its_orders_are_paid_back(chain: Chain, market: Market) -> None:
    vault, before = (
        (chain.vault(BASE), chain.vault(QUOTE)),
        chain.balance(OWNER_ADDRESSES[0], QUOTE),
    )
    order = place(market, limit=400)
    driving.escrowed(order)
    driving.run_until(lambda: read(order).batch_id is not None)
    batch = Batch.objects.get(status__in=["CLOSED", "COMMITTED"])
    services.void(batch.id, by="user:ada", reason="a wrong price")
    driving.quiet()
    assert (read(order).status, read(order).reason) == ("CANCELLED", "a wrong price")
    assert chain.balance(OWNER_ADDRESSES[0], QUOTE) == before
    driving.assert_books_agree(chain, vault)


def test_two_coordinators_at_the_same_time_do_everything_once(chain: Chain, market: Market) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    buy = place(market, limit=500, quantity=7)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=7)

    def both() -> bool:
        with at_the_same_time(driving.once) as theirs:
            driving.once()
        theirs.result(timeout=20)
        filled = read(buy).status == read(sell).status == "FILLED"
        return filled and not Transfer.objects.exclude(status="DONE").exists()

    until(both)
    driving.assert_books_agree(chain, vault)
    assert Batch.objects.filter(fills__gt=0).count() == 1
    assert Packet.objects.filter(status="CONFIRMED").count() == Packet.objects.count()


def test_what_was_missed_is_not_planned_and_orders_wait_for_the_next(
    chain: Chain, market: Market
) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    planned = Market.objects.get().planned_until
    # Nobody has planned for a while.
    Market.objects.update(planned_until=planned - 1_000)
    coordinator.plan()
    assert Batch.objects.filter(number__lt=planned - 50).count() == 0
    driving.run_until(lambda: read(order).age >= 1)


def test_planning_twice_plans_once(market: Market) -> None:
    first = coordinator.plan()
    assert first.planned >= 10
    Market.objects.update(planned_until=0)
    again = coordinator.plan()
    assert again.planned <= 2
    numbers = list(Batch.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert Work.objects.filter(stage=CLOSE).count() == Tick.objects.count()


def test_empty_batches_leave_no_row_behind(market: Market) -> None:
    coordinator.plan()
    first = Batch.objects.order_by("number")[0]
    driving.run_until(lambda: not Batch.objects.filter(id=first.id).exists())
    assert not Tick.objects.filter(id=first.tick_id).exists()
    assert not Work.objects.filter(object_id=first.tick_id).exists()


def test_two_markets_of_one_cadence_share_tick_and_anchor(chain: Chain, market: Market) -> None:
    other = chain.open_market("JUP-USDC-2")
    orders = [
        place(each, owner, side=side, limit=500, quantity=3)
        for each in (market, other)
        for owner, side in ((OWNERS[0], Side.BUY), (OWNERS[1], Side.SELL))
    ]
    driving.escrowed(*orders)
    driving.run_until(lambda: all(read(order).status == "FILLED" for order in orders))
    driving.quiet()
    ticks = Tick.objects.filter(batches__gt=1)
    assert ticks.exists() or Batch.objects.filter(fills=2).count() == 2
    for tick in ticks:
        assert Batch.objects.filter(tick=tick).count() == 2


def test_a_paused_market_takes_part_in_no_batch(chain: Chain, market: Market) -> None:
    from fairlane.core import switches

    order = place(market, limit=400)
    driving.escrowed(order)
    switches.set_switch(name=market.switch, on=False, by="user:ada", reason="looking")
    age = read(order).age
    stages.stage(COMMIT).run()
    first = Batch.objects.filter(status="PLANNED").order_by("-number")[0]
    driving.run_until(lambda: not Batch.objects.filter(id=first.id).exists())
    assert read(order).age <= age + 1
    switches.set_switch(name=market.switch, on=True, by="user:ada", reason="looked")
    driving.run_until(lambda: read(order).age > age + 1)
