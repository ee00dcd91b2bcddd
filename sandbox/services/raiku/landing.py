"""What the chain shows of a reservation's transactions, as a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass

from chains.ports import SignatureStatus

# What was sent in its slot is on chain at once; a slow node gets this many slots more.
PATIENCE_SLOTS = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """`slot` is where the last transaction landed; None where not all did."""

    kind: str
    reason: str = ""
    slot: int | None = None


def verdict(
    statuses: Sequence[SignatureStatus | None],
    *,
    slot: int,
    anywhere: bool,
    seen: bool,
    now: int,
    send_errors: str = "",
) -> Verdict | None:
    """What is to be told; None while it is not certain.

    `slot` is the reserved one, which is kept unless `anywhere` will do; `seen` says that all
    statuses were there before.
    """
    found = [status for status in statuses if status is not None]
    if len(found) < len(statuses):
        if seen:
            return Verdict("failed", "forked")
        if now < slot + PATIENCE_SLOTS:
            return None
        return Verdict("failed", f"not landed{': ' if send_errors else ''}{send_errors}")
    if any(status.confirmation != "finalized" for status in found):
        return None
    last = max(status.slot for status in found)
    if not anywhere and any(status.slot != slot for status in found):
        return Verdict("failed", f"landed in slot {last} instead", last)
    errors = [str(status.err) for status in found if status.err is not None]
    if errors:
        return Verdict("reverted", errors[0], last)
    return Verdict("final-inclusion", "", last)
