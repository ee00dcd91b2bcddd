"""Whether a published batch is what it should be, by public data alone.

A violation is only what that data proves. What is not at hand makes the verdict uncertain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from batches import anchoring, lineage, payments, promises
from batches.bundle import Bundle
from batches.clearing import Batch, clear_tick
from batches.evidence import Broken, Evidence, Findings, Missing
from batches.past import History, history_of
from batches.records import Leaf, TimeInForce

Status = Literal["VERIFIED", "VIOLATION", "UNCERTAIN"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks came to.

    Attributes:
        step: the one that proves a violation.
        reasons: the evidence of a violation, or what is missing.
        unsettled: the steps that something is missing for.
    """

    status: Status
    step: int | None = None
    reasons: tuple[str, ...] = ()
    unsettled: frozenset[int] = frozenset()

    def holds(self, step: int) -> bool | None:
        """Whether the step holds; None where it could not be told, or was not reached."""
        if self.step is not None and step >= self.step:
            return False if step == self.step else None
        return None if step in self.unsettled else True


def unread(reason: str) -> Verdict:
    """Nothing could be checked."""
    return Verdict("UNCERTAIN", None, (reason,), frozenset(range(1, len(STEPS) + 1)))


# What each step checks, from the first.
STEPS = (
    "The records are canonical, and the cutoff is before the slot",
    "The market is the one that orders name, and the leaves are those of the header",
    "Every order is signed and valid in this slot; orders, reference and pool are as left before",
    "The tick has the market once, and its root is the only one that was anchored for it",
    "The anchor landed before the slot, and the settlement after it",
    "The same orders clear at the same price, with the same fills and fees",
    "Nothing is made or lost: what is paid is what the fills bring",
    "The transfers on chain are the payouts",
)


def verify(bundle: Bundle, evidence: Evidence) -> Verdict:
    """Check a bundle whose records have been read, which settles step 1."""
    # A dictionary, so that what several checks miss is said once.
    missing: dict[str, None] = {}
    unsettled: set[int] = set()
    for step, findings in enumerate(_checks(bundle, evidence), start=2):
        for finding in findings:
            if isinstance(finding, Broken):
                return Verdict("VIOLATION", step, (finding.evidence,), frozenset(unsettled))
            missing[finding.what] = None
            unsettled.add(step)
    if missing:
        return Verdict("UNCERTAIN", None, tuple(missing), frozenset(unsettled))
    return Verdict("VERIFIED")


def _checks(bundle: Bundle, evidence: Evidence) -> Iterator[Findings]:
    """What each step from the second on finds; none relies on what one before has not shown."""
    yield anchoring.commitment(bundle)
    history = history_of(bundle, evidence)
    yield _orders(bundle, evidence, history)
    yield anchoring.anchored(bundle, evidence)
    yield anchoring.in_sequence(bundle, evidence)
    yield _clearing(bundle)
    yield payments.conserved(bundle, history)
    yield payments.transferred(bundle, evidence)


def _orders(bundle: Bundle, evidence: Evidence, history: History) -> Findings:
    for leaf in bundle.leaves:
        wrong = _wrong_with(leaf, bundle)
        if wrong is not None:
            yield Broken(f"order {leaf.order.hash.hex()} {wrong}")
    yield from lineage.takes_over(bundle, history, is_first=evidence.is_first)
    yield from promises.kept(bundle, evidence)


def _wrong_with(leaf: Leaf, bundle: Bundle) -> str | None:
    """Why an order may not be in the batch, whatever was before."""
    header, order = bundle.header, leaf.order
    is_new = leaf.age == 0
    rolls = order.time_in_force is TimeInForce.ROLL
    rules = (
        (order.market == header.market, "is for another market"),
        (leaf.is_signed(), "is not signed by its owner"),
        (order.from_slot <= header.target_slot <= order.expiry_slot, "is not valid in this slot"),
        (header.fee_bps <= order.max_fee_bps, "does not accept the fee"),
        (0 < leaf.remaining <= order.quantity, "has more or less left than it can have"),
        (leaf.receipt_seq <= header.last_seq, "was accepted after the cutoff"),
        (not is_new or leaf.remaining == order.quantity, "is new, yet not whole"),
        (is_new or rolls, "is for one batch alone, and was in another"),
    )
    return next((reason for holds, reason in rules if not holds), None)


def _clearing(bundle: Bundle) -> Findings:
    if bundle.anchor is None and not bundle.result.fills:
        # Without an anchor nothing executes.
        return
    try:
        batch = Batch(bundle.header, bundle.leaves)
        result = clear_tick([batch], use_pools=bundle.pool_used)[0]
    except ValueError as error:
        # Such a batch rolls.
        if bundle.result.fills or bundle.payouts:
            yield Broken(f"the batch cannot be cleared: {error}")
        return
    if bundle.header.pool_base and not bundle.pool_used:
        yield Missing("what became of the reserves that the header names")
    if result != bundle.result:
        yield Broken(f"the batch clears at {result.price}, not as published")
    if result.root != bundle.result_root:
        yield Broken("the root of the fills is not the published one")
