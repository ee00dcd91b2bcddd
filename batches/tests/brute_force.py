"""Clearing as its definition reads: every price is tried, every order looked at."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class One:
    """An order; its limit is an index into the band, inside or not."""

    buys: bool
    at_market: bool
    limit: int
    lots: int
    age: int

    def rank(self, ticks: int) -> int | None:
        """The worst price index that it takes, beyond the band for market orders; None for none."""
        if self.buys:
            if self.at_market:
                return ticks
            return None if self.limit < 0 else min(self.limit, ticks - 1)
        if self.at_market:
            return -1
        return None if self.limit >= ticks else max(self.limit, 0)

    def takes(self, price: int, ticks: int) -> bool:
        rank = self.rank(ticks)
        if rank is None:
            return False
        return rank >= price if self.buys else rank <= price


@dataclass(frozen=True)
class Outcome:
    """What one market comes to; no price if nothing trades."""

    price: int | None
    pool: int
    fills: list[int]


def clear(orders: Sequence[One], ticks: int, reference: int, pool: Sequence[int] | None) -> Outcome:
    offered = pool if pool is not None else [0] * ticks
    demand = [sum(o.lots for o in orders if o.buys and o.takes(p, ticks)) for p in range(ticks)]
    supply = [sum(o.lots for o in orders if not o.buys and o.takes(p, ticks)) for p in range(ticks)]
    with_pool = [
        (d + max(-a, 0), s + max(a, 0)) for d, s, a in zip(demand, supply, offered, strict=True)
    ]
    volume = [min(d, s) for d, s in with_pool]
    excess = [d - s for d, s in with_pool]
    if max(volume) == 0:
        return Outcome(None, 0, [0] * len(orders))
    best = [p for p in range(ticks) if volume[p] == max(volume)]
    least = min(abs(excess[p]) for p in best)
    price = _choose([p for p in best if abs(excess[p]) == least], excess, reference)
    d, s, a = demand[price], supply[price], offered[price]
    leg = min(a, d - s) if d > s and a > 0 else -min(-a, s - d) if s > d and a < 0 else 0
    fills = [0] * len(orders)
    for buys, total in ((True, min(d, s + max(leg, 0))), (False, min(s, d + max(-leg, 0)))):
        _ration(orders, buys, price, ticks, total, fills)
    return Outcome(price, leg, fills)


def _choose(candidates: list[int], excess: list[int], reference: int) -> int:
    above = [p for p in candidates if excess[p] > 0]
    below = [p for p in candidates if excess[p] < 0]
    if above and below:
        pair = (max(above), min(below))
        return min(pair, key=lambda p: (abs(p - reference), p))
    if above:
        return max(candidates)
    if below:
        return min(candidates)
    return min(max(reference, min(candidates)), max(candidates))


def _ration(
    orders: Sequence[One], buys: bool, price: int, ticks: int, total: int, fills: list[int]
) -> None:
    cohorts: dict[tuple[int, int], list[int]] = {}
    for index, order in enumerate(orders):
        rank = order.rank(ticks)
        if order.buys == buys and order.takes(price, ticks) and rank is not None:
            cohorts.setdefault((-rank if buys else rank, -order.age), []).append(index)
    for key in sorted(cohorts):
        cohort = cohorts[key]
        size = sum(orders[index].lots for index in cohort)
        available = min(size, total)
        so_far = given = 0
        for index in cohort:
            so_far += orders[index].lots
            fills[index] = available * so_far // size - given
            given += fills[index]
        total -= available
