"""The life of a request, of its approval, and of the transactions that carry it to its chain."""

from fairlane.core.transitions import Transitions

REQUEST = Transitions(
    {
        # Recorded, and not judged yet.
        "RECEIVED": (
            "AWAITING_APPROVAL",
            "QUEUED",
            "REJECTED",
            "REVIEW",
            "COMPLETED",
            "FAILED",
        ),
        # Two people have to agree.
        "AWAITING_APPROVAL": ("QUEUED", "REJECTED", "REVIEW", "COMPLETED", "FAILED"),
        "QUEUED": ("SIGNING", "COMPLETED", "FAILED", "REVIEW"),
        # The approval that the key service is asked to sign is stored.
        "SIGNING": ("SIGNED", "QUEUED", "COMPLETED", "FAILED", "REVIEW"),
        # Back to QUEUED: the approval's deadline has passed, or its nonce was used by another.
        "SIGNED": ("SUBMITTED", "MINED", "QUEUED", "COMPLETED", "FAILED", "REVIEW"),
        # Back to SIGNED: proven that no transaction of it can be mined any more.
        "SUBMITTED": ("MINED", "SIGNED", "QUEUED", "COMPLETED", "FAILED", "REVIEW"),
        # Back to SUBMITTED: its block is not part of the chain any more.
        "MINED": ("COMPLETED", "SUBMITTED", "FAILED", "REVIEW"),
        # A person looked: it has ended, or goes on where its transactions stand.
        "REVIEW": (
            "RECEIVED",
            "QUEUED",
            "SUBMITTED",
            "MINED",
            "REJECTED",
            "COMPLETED",
            "FAILED",
        ),
        # Nothing of it happened on chain; a person may have it judged and tried again.
        "FAILED": ("RECEIVED",),
        "REJECTED": (),
        "COMPLETED": (),
    }
)

# What nothing changes by itself.
ENDED = frozenset({"COMPLETED", "FAILED", "REJECTED"})

# Of these, those in which nothing was done.
IN_VAIN = frozenset({"FAILED", "REJECTED"})

# The four words the interface also speaks.
PHASES = {
    "RECEIVED": "PENDING",
    "AWAITING_APPROVAL": "PENDING",
    "QUEUED": "PENDING",
    "SIGNING": "PROCESSING",
    "SIGNED": "PROCESSING",
    "SUBMITTED": "PROCESSING",
    "MINED": "PROCESSING",
    "REVIEW": "PROCESSING",
    "COMPLETED": "COMPLETED",
    "FAILED": "FAILED",
    "REJECTED": "FAILED",
}

APPROVAL = Transitions(
    {
        # Stored before the key service is asked.
        "REQUESTED": ("SIGNED", "VOID"),
        # VOID: it will not be used, because its deadline or its nonce has passed.
        "SIGNED": ("VOID",),
    }
)

TRANSACTION = Transitions(
    {
        # The bytes are stored; whether a node has them is not known.
        "SIGNED": ("BROADCAST", "MINED", "REPLACED"),
        # A node has taken them.
        "BROADCAST": ("MINED", "REPLACED"),
        # In a block, which a reorganisation may still undo.
        "MINED": ("BROADCAST", "FINAL"),
        # REPLACED: a transaction that is not ours has used the nonce for good.
    }
)

# A request has one transaction in these states at most.
OPEN_TRANSACTION = ("SIGNED", "BROADCAST", "MINED")
