"""Which slot a tick should bid for. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chains.blockspace import SlotOffer


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tick that has no slot: it may execute in any from ``first`` to ``last``."""

    tick: int
    first: int
    last: int


def choose(
    wanted: Sequence[Wanted],
    offers: Sequence[SlotOffer],
    *,
    slot: int,
    units: int,
    most: int,
    taken: Collection[int] = (),
) -> dict[int, SlotOffer]:
    """For each tick the first slot of its own that it can still win; none for those without one.

    Args:
        slot: the running one.
        most: micro-lamports per unit that may be paid.
        taken: slots that other ticks have or bid for.
    """
    free = {
        offer.slot: offer
        for offer in offers
        if offer.opens_at_slot <= slot < offer.closes_at_slot
        and offer.cu_free >= units
        and offer.min_micro_lamports_per_cu <= most
        and offer.slot not in taken
    }
    chosen: dict[int, SlotOffer] = {}
    for each in sorted(wanted, key=lambda each: each.first):
        found = next((s for s in range(each.first, each.last + 1) if s in free), None)
        if found is not None:
            chosen[each.tick] = free.pop(found)
    return chosen
