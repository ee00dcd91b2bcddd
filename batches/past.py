"""The batches of a market before one, and what each of them may have come to. Pure.

Nothing is believed of a bundle but what its commitment allows, and of that, no more than is proven:
a batch executes if its anchor landed before its slot, and otherwise its orders go on as they were.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from batches import anchoring
from batches.bundle import Bundle
from batches.clearing import Batch, Result, clear_tick
from batches.evidence import Broken, Evidence, Missing
from batches.records import NO_HEADER, Header, Leaf


@dataclass(frozen=True)
class Outcome:
    """What a batch may have come to."""

    result: Result

    @cached_property
    def lots(self) -> dict[bytes, int]:
        """What each order got, by its hash."""
        return {fill.order_hash: fill.lots for fill in self.result.fills}

    @cached_property
    def costs(self) -> dict[bytes, int]:
        """Quote atoms that each fill is worth with its fee, by its order's hash."""
        return {fill.order_hash: fill.quote + fill.fee for fill in self.result.fills}


NOTHING = Outcome(Result(0, 0, 0, ()))


@dataclass(frozen=True)
class Past:
    """An earlier batch of the market.

    Attributes:
        proven: whether the coordinator has certainly committed to it.
        executed: whether its anchor landed in time; None where that is not known.
    """

    bundle: Bundle
    proven: bool
    executed: bool | None

    @property
    def header(self) -> Header:
        return self.bundle.header

    @cached_property
    def leaves(self) -> dict[bytes, Leaf]:
        """Its orders, by their hash."""
        return {leaf.order.hash: leaf for leaf in self.bundle.leaves}

    @cached_property
    def _cleared(self) -> Sequence[Outcome]:
        """With its pool, and without."""
        pools = (True, False) if self.header.pool_base else (False,)
        batch = Batch(self.header, self.bundle.leaves)
        try:
            return [Outcome(clear_tick([batch], use_pools=use)[0]) for use in pools]
        except ValueError:
            # It cannot be cleared, and so has rolled.
            return [NOTHING]

    @cached_property
    def _claimed(self) -> Sequence[Outcome]:
        """Of those, the one that is published."""
        published = [each for each in self._cleared if each.result == self.bundle.result]
        return published or self._cleared

    def tells(self, holds: Callable[[Outcome], bool], *, executed: bool = False) -> bool | None:
        """Whether something holds for what the batch came to; None where that is not told.

        Args:
            executed: whether it is known to have been executed.
        """
        if all(map(holds, self._among(self._claimed, executed))):
            return True
        possible = [*self._among(self._cleared, executed)]
        if self.bundle.result == NOTHING.result:
            # If it should have been executed and was not, that is not held against another.
            possible.append(NOTHING)
        return None if any(map(holds, possible)) else False

    def cost(self, order_hash: bytes) -> int | None:
        """Quote atoms that the batch took of a buyer's escrow; None where that is not told."""
        costs = {each.costs.get(order_hash, 0) for each in self._among(self._claimed, False)}
        return costs.pop() if len(costs) == 1 else None

    def _among(self, cleared: Sequence[Outcome], executed: bool) -> Sequence[Outcome]:
        if executed or self.executed:
            return cleared
        return [NOTHING] if self.executed is False else [*cleared, NOTHING]

    def accuses(self, of: str) -> Broken | Missing:
        """What contradicts this batch."""
        if self.proven:
            return Broken(of)
        return Missing(f"what proves batch {self.header.batch_no}; by it, {of}")


@dataclass(frozen=True, slots=True)
class History:
    """The earlier batches of a market that are at hand.

    Attributes:
        chain: those that the header leads back to, without a gap, the newest first.
        beside: the others.
        reached: the number of the chain's oldest batch; where it is empty, of the batch itself.
        gap: the hash of the header that the chain ends before; None where it is all there.
    """

    chain: Sequence[Past]
    beside: Sequence[Past]
    reached: int
    gap: bytes | None

    @property
    def all(self) -> Iterator[Past]:
        yield from self.chain
        yield from self.beside

    @property
    def missing(self) -> Missing:
        header = (self.gap or NO_HEADER).hex()
        return Missing(f"the market's batch before {self.reached}, with the header {header}")

    def cost(self, leaf: Leaf) -> int | None:
        """Quote atoms that all batches before took of a buyer's escrow; None where that is not
        told."""
        order = leaf.order.hash
        was_in = {past.leaves[order].age: past for past in self.chain if order in past.leaves}
        costs = [was_in[age].cost(order) if age in was_in else None for age in range(leaf.age)]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == leaf.age else None


NO_HISTORY = History((), (), 0, None)


def history_of(bundle: Bundle, evidence: Evidence) -> History:
    """The batches before a bundle's, as the evidence has them."""
    own = bundle.header
    known = {
        each.header.hash: each
        for each in evidence.earlier
        if (each.header.market, each.coordinator) == (own.market, bundle.coordinator)
        and anchoring.holds(anchoring.commitment(each))
    }
    linked: list[Past] = []
    at = own
    while (before := known.pop(at.previous, None)) is not None:
        linked.append(Past(before, True, anchoring.executed(before, evidence)))
        at = before.header
    beside = [
        Past(each, anchoring.is_proven(each, evidence), anchoring.executed(each, evidence))
        for each in known.values()
        if each.header.batch_no < own.batch_no
    ]
    gap = None if at.previous == NO_HEADER else at.previous
    return History(linked, beside, at.batch_no, gap)
