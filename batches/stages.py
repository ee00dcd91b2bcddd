"""The stages of ticks and of transfers, with the tasks and queues that run them."""

from collections.abc import Callable

from django.conf import settings

from batches.coordination import closing, committing, executing, reviewing
from batches.moving import landing, packing, stranded
from batches.stage_names import CLEAR, CLOSE, COMMIT, LAND, PAY, PULL
from fairlane.core import wakeups
from fairlane.core.claims import Claim
from fairlane.core.stages import Stage

TASKS = {
    CLOSE: ("batches.close", "batches"),
    COMMIT: ("batches.commit", "batches"),
    CLEAR: ("batches.clear", "batches"),
    PULL: ("batches.pull", "transfers"),
    PAY: ("batches.pay", "transfers"),
    LAND: ("batches.land", "transfers"),
}

_WORK: dict[str, tuple[Callable[[Claim], None], Callable[[Claim], None]]] = {
    CLOSE: (closing.work, reviewing.set_aside),
    COMMIT: (committing.work, reviewing.set_aside),
    CLEAR: (executing.work, reviewing.set_aside),
    PULL: (packing.work, stranded.set_transfers_aside),
    PAY: (packing.work, stranded.set_transfers_aside),
    LAND: (landing.work, stranded.set_packets_aside),
}


def stage(name: str) -> Stage:
    """The stage of this name."""
    work, set_aside = _WORK[name]
    return Stage(
        name,
        size=settings.BATCHES_STAGE_SIZE,
        lease_ms=settings.BATCHES_LEASE_SECONDS * 1_000,
        work=work,
        set_aside=set_aside,
    )


def register() -> None:
    """Declare which task a wake-up of each stage starts."""
    for name, (task, queue) in TASKS.items():
        wakeups.register(name, task=task, queue=queue)
