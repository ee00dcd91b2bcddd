"""Who is paid has an order, gets what the fills bring, and what is left of escrow; and no more."""

from dataclasses import replace

from batches.bundle import Bundle, Payout
from batches.evidence import ChainTransaction
from batches.records import Leaf, Side, TimeInForce
from batches.tests.publishing import (
    BASE,
    COORDINATOR,
    QUOTE,
    SETTLEMENT,
    address,
    alone,
    evidence,
    leaf,
    leaves,
    published,
)
from batches.verification import Verdict, verify

STRANGER = bytes([77]) * 32


def paying(bundle: Bundle, owner: bytes, base: int = 0, quote: int = 0) -> Bundle:
    """The bundle with so much more for an owner."""
    sums = {payout.owner: (payout.base, payout.quote) for payout in bundle.payouts}
    before = sums.get(owner, (0, 0))
    sums[owner] = before[0] + base, before[1] + quote
    return replace(bundle, payouts=tuple(Payout(o, *both) for o, both in sorted(sums.items())))


def verdict(bundle: Bundle) -> Verdict:
    return verify(bundle, evidence(bundle))


def owner_of(bundle: Bundle, nonce: int) -> bytes:
    return next(one.order.owner for one in bundle.leaves if one.order.nonce == nonce)


def test_a_payout_to_who_has_no_order_is_proven() -> None:
    found = verdict(paying(published(), STRANGER, quote=1))
    assert (found.status, found.step) == ("VIOLATION", 7)
    assert "has no order in the batch" in found.reasons[0]


def single(side: Side) -> Leaf:
    """An order for one batch that nobody meets."""
    limit = 900 if side is Side.BUY else 1_100
    values = {"side": side, "time_in_force": TimeInForce.ONE_BATCH}
    return leaf(3, nonce=30, limit=limit, quantity=4, **values)


def test_what_is_left_of_escrow_is_paid_back_when_an_order_ends() -> None:
    bundle = published()
    buyer = owner_of(bundle, nonce=1)
    (fill,) = (f for f in bundle.result.fills if f.order_hash == _hash(bundle, 1))
    # 10 lots at most 1,010 ticks of 3 atoms, 0.3 % of it, and an atom for all lots but one.
    most = 10 * 1_010 * 3 + 91 + 9 - fill.quote - fill.fee
    assert verdict(paying(bundle, buyer, quote=most)) == Verdict("VERIFIED")
    uncertain(paying(bundle, buyer, quote=most + 1), buyer)
    uncertain(paying(bundle, buyer, base=1), buyer)
    for side, due in ((Side.SELL, {"base": 4 * 50}), (Side.BUY, {"quote": 4 * 900 * 3 + 33})):
        ends = published([*leaves(), single(side)])
        owner = owner_of(ends, nonce=30)
        assert verdict(paying(ends, owner, **due)) == Verdict("VERIFIED")
        name, amount = next(iter(due.items()))
        uncertain(paying(ends, owner, **{name: amount + 1}), owner)


def test_an_order_that_goes_on_keeps_its_escrow() -> None:
    bundle = published()
    partly = owner_of(bundle, nonce=2)
    uncertain(paying(bundle, partly, quote=1), partly)


def uncertain(bundle: Bundle, owner: bytes) -> None:
    """More than an order explains may be the escrow of another, whose place it took."""
    found = verdict(bundle)
    assert (found.status, found.holds(7)) == ("UNCERTAIN", None)
    assert address(owner) in found.reasons[0]


def _hash(bundle: Bundle, nonce: int) -> bytes:
    return next(one.order.hash for one in bundle.leaves if one.order.nonce == nonce)


def settled_with(bundle: Bundle, owner: str, mint: str, amount: int) -> Verdict:
    """The verdict where the settlement has moved so much more to a wallet."""
    known = evidence(bundle)
    moved = known.chain[SETTLEMENT]
    credits = {**moved.credits}
    credits[owner, mint] = credits.get((owner, mint), 0) + amount
    chain = {**known.chain, SETTLEMENT: replace(moved, credits=credits)}
    return verify(bundle, replace(known, chain=chain))


def test_a_settlement_of_one_batch_pays_nobody_else_and_no_more() -> None:
    bundle = alone(published())
    assert verdict(bundle) == Verdict("VERIFIED")
    buyer = address(owner_of(bundle, nonce=1))
    for owner, mint in ((address(STRANGER), QUOTE), (buyer, BASE), (buyer, "another mint")):
        found = settled_with(bundle, owner, mint, 1)
        assert (found.status, found.step) == ("VIOLATION", 8)
        assert f"{owner} received more of {mint}" in found.reasons[0]
    # What comes back to the vault is nobody's.
    assert settled_with(bundle, COORDINATOR, QUOTE, 1) == Verdict("VERIFIED")


def test_a_settlement_of_several_batches_may_pay_others() -> None:
    assert settled_with(published(), address(STRANGER), QUOTE, 1) == Verdict("VERIFIED")


def test_a_batch_that_is_not_paid_yet_is_not_said_to_be() -> None:
    bundle = published()
    known = evidence(bundle)
    nothing = ChainTransaction(121, COORDINATOR)
    chain = {**known.chain, SETTLEMENT: nothing}
    assert verify(bundle, replace(known, chain=chain)).step == 8
    found = verify(replace(bundle, settled=False), replace(known, chain=chain))
    assert (found.status, found.unsettled) == ("UNCERTAIN", frozenset({8}))
    assert "a settlement that pays" in found.reasons[0]
