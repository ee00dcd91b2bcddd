"""EIP-1559 fees: what to offer at first, and what to offer instead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: at most in all, and for the block's producer."""

    max_fee: int
    priority_fee: int


def initial(base_fee: int, priority_fee: int, *, cap: int) -> Fees:
    """Enough for a base fee that doubles, which takes six full blocks; never more than `cap`."""
    max_fee = min(cap, 2 * base_fee + priority_fee)
    return Fees(max_fee, min(priority_fee, max_fee))


def bumped(fees: Fees, base_fee: int, priority_fee: int, *, cap: int) -> Fees:
    """Fees that replace a transaction of these ones, or the same where the cap forbids it.

    Nodes replace only where both fees are 10 % higher: 13 % is above that with any rounding.
    The market's own are taken where they are higher.
    """
    market = initial(base_fee, priority_fee, cap=cap)
    max_fee = max(_raised(fees.max_fee), market.max_fee)
    priority = max(_raised(fees.priority_fee), market.priority_fee)
    if max_fee > cap:
        return fees
    return Fees(max_fee, priority)


def _raised(fee: int) -> int:
    """13 % more, rounded up, and at least one wei."""
    return max(fee + 1, -(-fee * 113 // 100))
