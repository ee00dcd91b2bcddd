"""The life of a tick, of a batch, of an order, and of what moves its money."""

from fairlane.core.transitions import Transitions

TICK = Transitions(
    {
        "PLANNED": ("CLOSED", "EMPTY", "REVIEW"),
        # Its batches are fixed and its anchor is signed.
        "CLOSED": ("COMMITTED", "FAILED", "REVIEW"),
        # Its root is on chain, before its slot.
        "COMMITTED": ("CLEARED", "REVIEW"),
        "CLEARED": ("SETTLED",),
        # A person looked.
        "REVIEW": ("PLANNED", "CLOSED", "COMMITTED"),
        # Nobody had an order.
        "EMPTY": (),
        # The anchor did not land in time: nothing executes.
        "FAILED": (),
        "SETTLED": (),
    }
)

BATCH = Transitions(
    {
        # Empty batches are not kept.
        "PLANNED": ("CLOSED", "ROLLED", "VOIDED"),
        "CLOSED": ("COMMITTED", "ROLLED", "VOIDED"),
        "COMMITTED": ("CLEARED", "ROLLED", "VOIDED"),
        # The fills are fixed; what they bring is on its way.
        "CLEARED": ("SETTLED",),
        # It did not execute, and its orders wait for the next one.
        "ROLLED": (),
        # A person called it off: its orders have ended and are paid back.
        "VOIDED": (),
        "SETTLED": (),
    }
)

# Batches that nothing has been decided about.
OPEN_BATCH = ("PLANNED", "CLOSED", "COMMITTED")

# Batches whose headers name the reserves of a pool that none of them has traded with yet.
HOLDS_POOL = ("CLOSED", "COMMITTED")

ORDER = Transitions(
    {
        # Accepted, and its escrow is not in the vault yet.
        "ESCROWING": ("OPEN", "CANCELLED", "REJECTED", "EXPIRED", "REVIEW"),
        # In the book, until a batch fills it.
        "OPEN": ("FILLED", "CANCELLED", "EXPIRED", "REPLACED"),
        # What became of its escrow is not known, until a person has it looked up or pulled again.
        "REVIEW": ("ESCROWING",),
        "FILLED": (),
        "CANCELLED": (),
        # Its last slot has passed, or the one batch that it was for.
        "EXPIRED": (),
        # Another order has taken its place and its escrow.
        "REPLACED": (),
        # Its escrow could not be had.
        "REJECTED": (),
    }
)

# Orders that have not ended.
OPEN_ORDER = ("ESCROWING", "OPEN", "REVIEW")

TRANSFER = Transitions(
    {
        "DUE": ("PACKED", "DROPPED", "REVIEW"),
        # Part of a signed transaction.
        "PACKED": ("DONE", "DUE", "DROPPED", "REVIEW"),
        # Proven that it did not happen, and not wanted any more.
        "DROPPED": (),
        "REVIEW": ("DUE", "PACKED"),
        "DONE": (),
    }
)

OPEN_TRANSFER = ("DUE", "PACKED", "REVIEW")

PACKET = Transitions(
    {
        # Stored; whether a node has it is not known.
        "SIGNED": ("CONFIRMED", "FAILED", "EXPIRED", "REVIEW"),
        # It moved something else than it should have, or it is not known what became of it: a
        # person has it looked up again.
        "REVIEW": ("SIGNED",),
        "CONFIRMED": (),
        "FAILED": (),
        "EXPIRED": (),
    }
)
