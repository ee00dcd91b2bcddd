"""What beat does for the batches."""

from django.conf import settings

from fairlane.core import schedule
from fairlane.core.schedule import Periodic

RECONCILE_S = 30
PRUNE_S = 3_600


def declare() -> None:
    """Add the app's tasks to the schedule."""
    schedule.declare(
        Periodic(
            "plan batches",
            "batches.plan",
            max(1, settings.BATCH_PLAN_INTERVAL // 1_000),
            "Plan the batches that are ahead of every market.",
            queue="batches",
        ),
        Periodic(
            "reserve slots",
            "batches.reserve",
            1,
            "Bid for the slots of what is planned, where a venue sells them.",
            queue="reservations",
        ),
        Periodic(
            "reconcile vaults",
            "batches.reconcile",
            RECONCILE_S,
            "Compare what the vaults hold with the ledger.",
            queue="transfers",
        ),
        Periodic(
            "prune ticks",
            "batches.prune",
            PRUNE_S,
            "Delete empty ticks that are old and cost nothing.",
            queue="batches",
        ),
    )
