"""What beat does for the stablecoin."""

from fairlane.core import schedule
from fairlane.core.schedule import Periodic


def declare() -> None:
    """Add the app's tasks to the schedule."""
    schedule.declare(
        Periodic(
            "relayers",
            "stablecoin.relayers",
            10,
            "Let every chain that is served have its relayer.",
        ),
        Periodic(
            "key-service",
            "stablecoin.check_key_service",
            10,
            "Ask the key service for the key that approves, and tell how it was found.",
            queue="stablecoin",
        ),
    )
