"""The stages of an order, in their order, with the tasks and queues that run them."""

from collections.abc import Callable

from django.conf import settings

from fairlane.core import wakeups
from fairlane.core.claims import Claim
from fairlane.core.stages import Stage
from orders.execution import build, confirm, retries, route, submit
from orders.stage_names import BUILD, CONFIRM, ROUTE, SUBMIT

TASKS = {
    ROUTE: ("orders.route", "orders"),
    BUILD: ("orders.build", "orders"),
    SUBMIT: ("orders.submit", "orders"),
    CONFIRM: ("orders.confirm", "confirmations"),
}


def stage(name: str) -> Stage:
    """The stage of this name."""
    work: dict[str, Callable[[Claim], None]] = {
        ROUTE: route.work,
        BUILD: build.work,
        SUBMIT: submit.work,
        CONFIRM: confirm.work,
    }
    return Stage(
        name,
        size=settings.ORDERS_STAGE_SIZE,
        lease_ms=settings.ORDERS_LEASE_SECONDS * 1_000,
        work=work[name],
        set_aside=retries.set_aside,
    )


def register() -> None:
    """Declare which task a wake-up of each stage starts."""
    for name, (task, queue) in TASKS.items():
        wakeups.register(name, task=task, queue=queue)
