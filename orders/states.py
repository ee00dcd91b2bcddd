"""The life of an order and of an attempt to land it."""

from fairlane.core.transitions import Transitions

ORDER = Transitions(
    {
        "PENDING": ("ROUTING", "CANCELLED", "REVIEW"),
        # Back to PENDING: nothing was sent, the venues are asked afresh.
        "ROUTING": ("BUILDING", "PENDING", "FAILED", "CANCELLED", "REVIEW"),
        "BUILDING": ("SUBMITTED", "PENDING", "FAILED", "CANCELLED", "REVIEW"),
        # Back to PENDING: the attempt has provably expired.
        "SUBMITTED": ("CONFIRMED", "FAILED", "PENDING", "REVIEW"),
        # A person looked: it has ended, or the stages are to go on with it.
        "REVIEW": ("FAILED", "PENDING", "SUBMITTED"),
    }
)

ATTEMPT = Transitions(
    {
        # The venue was asked for its signature; nobody has signed for the wallet.
        "REQUESTED": ("SIGNED", "DISCARDED"),
        # The wallet's signature exists: from here on it may land.
        "SIGNED": ("CONFIRMED", "FAILED", "EXPIRED"),
    }
)

# An order has one attempt in these states at most.
LIVE_ATTEMPT = ("REQUESTED", "SIGNED")
