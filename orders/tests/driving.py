"""Taking an order through its stages in a test, one at a time."""

import time
from collections.abc import Callable
from uuid import uuid4

from django.utils import timezone

from fairlane.core.models import Event, Work
from orders import stages
from orders.models import Order
from orders.stage_names import BUILD, CONFIRM, ROUTE, SUBMIT

PATIENCE_SECONDS = 20


def run(stage: str) -> None:
    """Let a worker take what the stage has, as if all of it were due."""
    Work.objects.filter(stage=stage).update(due_at=timezone.now())
    stages.stage(stage).run()


def take_through(*names: str) -> None:
    for name in names:
        run(name)


def signed(order: Order) -> None:
    """Take an order up to the moment at which its signed transaction is stored."""
    take_through(ROUTE, BUILD)
    order.refresh_from_db()
    assert Work.objects.get(object_id=order.id).stage == SUBMIT, history(order)


def run_until(stage: str, condition: Callable[[], bool]) -> None:
    """Let workers take a stage again and again, until the condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        run(stage)


def confirm(*orders: Order) -> None:
    """Look orders up until they have left SUBMITTED."""

    def decided() -> bool:
        for order in orders:
            order.refresh_from_db()
        return all(order.status != "SUBMITTED" for order in orders)

    run_until(CONFIRM, decided)


def history(order: Order) -> list[str]:
    """The statuses an order told of, in order, whose ``seq`` has no holes."""
    events = Event.objects.filter(object_id=order.id).order_by("seq")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.status for event in events]


def last_event(order: Order) -> Event:
    return Event.objects.filter(object_id=order.id).latest("seq")


def take_over(order: Order) -> None:
    """Another worker claims the order, as when the lease of its holder has run out."""
    Work.objects.filter(object_id=order.id).update(claim_id=uuid4())
