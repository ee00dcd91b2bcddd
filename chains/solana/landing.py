"""Whether a sent transaction landed: the one place that may call an attempt over.

Pure. A send's own answer, a timeout or a missing status never end an attempt; a signature can
land until its blockhash has expired on the *finalized* chain. The height must have been read
before the status: the other way round, a transaction could land between the two reads and be
taken for expired. And "unknown" counts only from a node whose history reaches back to the attempt.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chains.ports import SignatureStatus

# About five slots: long enough for a sent transaction to show up, short enough that a dropped
# one gets some twenty chances before its blockhash expires.
RESEND_EVERY = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True)
class Confirmed:
    slot: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The transaction landed and failed; its fee is paid and nothing else happened."""

    slot: int
    err: object


@dataclass(frozen=True, slots=True)
class Expired:
    """The transaction can never land: another one may be signed."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the same bytes again."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again later."""


Decision = Confirmed | Failed | Expired | Resend | Wait


def decide(
    *,
    status: SignatureStatus | None,
    finalized_height: int,
    first_available: int,
    first_slot: int,
    last_valid_block_height: int,
    last_sent_at: datetime | None,
    now: datetime,
) -> Decision:
    """What to do with an attempt, given what one provider said.

    Args:
        status: read after `finalized_height`, with the whole history searched.
        first_available: the slot at which the history begins that was searched.
        first_slot: a slot that the chain had reached when the attempt was built.
        last_sent_at: None where the bytes were never sent, or nobody recorded that they were.
    """
    if status is not None:
        if status.confirmation == "processed":  # may still be on a fork that dies
            return Wait()
        if status.err is not None:
            return Failed(status.slot, status.err)
        return Confirmed(status.slot)
    if finalized_height > last_valid_block_height:
        return Expired() if first_available <= first_slot else Wait()
    if last_sent_at is None or now - last_sent_at >= RESEND_EVERY:
        return Resend()
    return Wait()
