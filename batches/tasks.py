"""Tasks of fair batches: each is a wake-up and nothing else."""

from celery import shared_task

from batches import coordinator, pruning, stages
from batches.stage_names import CLEAR, CLOSE, COMMIT, LAND, PAY, PULL


@shared_task(name="batches.plan")
def plan() -> None:
    """Plan what is ahead of every market."""
    coordinator.plan()


@shared_task(name="batches.reserve")
def reserve() -> None:
    """Bid for the slots of what is planned."""
    coordinator.reserve()


@shared_task(name="batches.close")
def close() -> None:
    """Close the ticks whose cutoff has come."""
    stages.stage(CLOSE).run()


@shared_task(name="batches.commit")
def commit() -> None:
    """See anchors land, and go on at once: a slot does not wait for three wake-ups."""
    for name in (COMMIT, CLEAR, PAY):
        stages.stage(name).run()


@shared_task(name="batches.clear")
def clear() -> None:
    """Clear the ticks whose anchor has landed."""
    stages.stage(CLEAR).run()


@shared_task(name="batches.pull")
def pull() -> None:
    """Pull escrow into the vault."""
    stages.stage(PULL).run()


@shared_task(name="batches.pay")
def pay() -> None:
    """Pay out of the vault."""
    stages.stage(PAY).run()


@shared_task(name="batches.land")
def land() -> None:
    """Follow transactions until they have landed."""
    stages.stage(LAND).run()


@shared_task(name="batches.prune")
def prune() -> None:
    """Delete ticks that came to nothing, when they are old."""
    pruning.prune()


@shared_task(name="batches.reconcile")
def reconcile() -> None:
    """Compare every vault with the ledger."""
    coordinator.reconcile("beat")
