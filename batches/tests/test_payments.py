"""Who is paid has an order, gets what the fills bring, and what is left of escrow; and no more."""

from dataclasses import replace
from typing import Any

import pytest

from batches import payments, terms
from batches.bundle import Bundle, Payout
from batches.evidence import Moved
from batches.past import NO_HISTORY
from batches.records import Leaf, Side, TimeInForce
from batches.settlement import reference
from batches.tests.publishing import (
    BASE,
    LOT,
    PACKET,
    QUOTE,
    SETTLEMENT,
    TICK,
    address,
    after,
    alone,
    evidence,
    leaf,
    leaves,
    published,
)
from batches.tests.publishing import paying as vault_pays
from batches.verification import Verdict, verify
from chains.solana.swap import MEMO_PREFIX, Token, token_account

STRANGER = bytes([77]) * 32
ANOTHER = address(bytes([78]) * 32)


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
    left = 10 * 1_010 * 3 + 91 + 9 - fill.quote - fill.fee
    assert Payout(buyer, 10 * 50, left) in bundle.payouts
    assert verdict(bundle) == Verdict("VERIFIED")
    uncertain(paying(bundle, buyer, quote=1), buyer)
    uncertain(paying(bundle, buyer, base=1), buyer)
    withheld(paying(bundle, buyer, quote=-1), buyer)
    for side, back in ((Side.SELL, (4 * 50, 0)), (Side.BUY, (0, 4 * 900 * 3 + 33))):
        ends = published([*leaves(), single(side)])
        owner = owner_of(ends, nonce=30)
        assert Payout(owner, *back) in ends.payouts
        assert verdict(ends) == Verdict("VERIFIED")
        name = "base" if side is Side.SELL else "quote"
        uncertain(paying(ends, owner, **{name: 1}), owner)
        withheld(paying(ends, owner, **{name: -1}), owner)


def test_a_better_price_in_batches_before_may_have_left_more() -> None:
    # Of ten lots, three are left: what the other seven saved is not in this bundle.
    old = leaf(0, nonce=1, limit=1_010, quantity=10, remaining=3, age=2, receipt_seq=1)
    bundle = published([old, *leaves()[1:]])
    least, most = (sums[old.order.owner] for sums in payments.dues(bundle, NO_HISTORY))
    whole, rest = 10 * 1_010 * 3 + 91 + 9, 3 * 1_010 * 3 + 28 + 2
    assert (most[1] - least[1], most[0]) == (whole - rest, least[0])


def test_a_batch_that_pays_nothing_yet_is_not_said_to_withhold() -> None:
    bundle = replace(published([single(Side.BUY)]), payouts=(), settled=False)
    owner = owner_of(bundle, nonce=30)
    uncertain(bundle, owner)
    withheld(replace(bundle, settled=True), owner)


def test_an_order_that_goes_on_keeps_its_escrow() -> None:
    bundle = published()
    partly = owner_of(bundle, nonce=2)
    uncertain(paying(bundle, partly, quote=1), partly)


def uncertain(bundle: Bundle, owner: bytes) -> None:
    """More than an order explains may be the escrow of another, whose place it took."""
    found = verdict(bundle)
    assert (found.status, found.holds(7)) == ("UNCERTAIN", None)
    assert address(owner) in found.reasons[0]


def withheld(bundle: Bundle, owner: bytes) -> None:
    found = verdict(bundle)
    assert (found.status, found.step) == ("VIOLATION", 7)
    assert address(owner) in found.reasons[0]


def _hash(bundle: Bundle, nonce: int) -> bytes:
    return next(one.order.hash for one in bundle.leaves if one.order.nonce == nonce)


def settled_with(bundle: Bundle, *more: Moved) -> Verdict:
    """The verdict where the settlement has moved that too."""
    known = evidence(bundle)
    landed = known.chain[SETTLEMENT]
    other = replace(landed, moved=(*landed.moved, *more))
    return verify(bundle, replace(known, chain={**known.chain, SETTLEMENT: other}))


def test_a_settlement_of_one_batch_pays_nobody_else_and_no_more() -> None:
    bundle = alone(published())
    assert verdict(bundle) == Verdict("VERIFIED")
    buyer = address(owner_of(bundle, nonce=1))
    for owner, mint in ((address(STRANGER), QUOTE), (buyer, BASE), (buyer, ANOTHER)):
        found = settled_with(bundle, *vault_pays(owner, mint, 1))
        assert (found.status, found.step) == ("VIOLATION", 8)
        assert found.reasons == (f"the vault has sent more of {mint} than is paid",)


def test_a_settlement_of_several_batches_may_pay_others() -> None:
    paid = vault_pays(address(STRANGER), QUOTE, 1)
    assert settled_with(published(), *paid) == Verdict("VERIFIED")


def test_what_others_add_takes_nothing_from_a_payment() -> None:
    bundle = alone(published())
    buyer = address(owner_of(bundle, nonce=1))
    gift = Moved(token_account(buyer, Token(BASE, 0)), buyer, BASE, 1)
    assert settled_with(bundle, gift) == Verdict("VERIFIED")


def test_who_has_given_his_account_away_is_paid_there() -> None:
    bundle = published()
    known = evidence(bundle)
    landed = known.chain[SETTLEMENT]
    buyer = address(owner_of(bundle, nonce=1))
    thief = address(STRANGER)
    moved = tuple(replace(m, owner=thief) if m.owner == buyer else m for m in landed.moved)
    chain = {**known.chain, SETTLEMENT: replace(landed, moved=moved)}
    assert verify(bundle, replace(known, chain=chain)) == Verdict("VERIFIED")


def test_an_owners_own_tokens_pay_him_nothing() -> None:
    bundle = published()
    buyer = address(owner_of(bundle, nonce=1))
    cut = vault_pays(buyer, BASE, -1)
    account = token_account(buyer, Token(BASE, 0))
    for paid in (account, "his other account"):
        own = Moved("a third", buyer, BASE, -1), Moved(paid, buyer, BASE, 1)
        found = settled_with(bundle, *cut, *own)
        assert (found.status, found.step) == ("VIOLATION", 8)


def test_a_batch_that_is_not_paid_yet_is_not_said_to_be() -> None:
    bundle = published()
    known = evidence(bundle)
    nothing = replace(known.chain[SETTLEMENT], moved=())
    chain = {**known.chain, SETTLEMENT: nothing}
    assert verify(bundle, replace(known, chain=chain)).step == 8
    found = verify(replace(bundle, settled=False), replace(known, chain=chain))
    assert (found.status, found.unsettled) == ("UNCERTAIN", frozenset({8}))
    assert found.reasons[0].startswith("a settlement: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"payer": address(STRANGER)},
        {"memos": ()},
        {"memos": (MEMO_PREFIX + str(PACKET),)},
        {"memos": (MEMO_PREFIX + reference(PACKET, 8),)},
        {"memos": (MEMO_PREFIX + reference(PACKET, 7), MEMO_PREFIX + reference(PACKET, 8))},
    ],
)
def test_what_was_paid_for_something_else_settles_nothing(changes: dict[str, Any]) -> None:
    bundle = published()
    known = evidence(bundle)
    other = replace(known.chain[SETTLEMENT], **changes)
    found = verify(bundle, replace(known, chain={**known.chain, SETTLEMENT: other}))
    assert (found.status, found.step) == ("VIOLATION", 8)
    assert f"{SETTLEMENT} does not settle this tick" in found.reasons[0]


def test_what_batches_before_saved_a_buyer_is_his() -> None:
    big = leaf(0, nonce=1, limit=2_000, quantity=100, receipt_seq=1)
    first = published([big, selling(3, lots=99)])
    (cost,) = (f.quote + f.fee for f in first.result.fills if f.order_hash == big.order.hash)
    second = after(first, [replace(big, remaining=1, age=1), selling(4, lots=1)])
    (last,) = (f.quote + f.fee for f in second.result.fills if f.order_hash == big.order.hash)
    due = terms.escrow(big.order, lot=LOT, tick=TICK) - cost - last
    buyer = big.order.owner
    (least,) = (payout.quote for payout in second.payouts if payout.owner == buyer)
    # The market's fee is less than he was ready to pay.
    assert due > least
    found = verify(second, evidence(second, first))
    assert (found.status, found.step) == ("VIOLATION", 7)
    whole = paying(second, buyer, quote=due - least)
    assert verify(whole, evidence(whole, first)) == Verdict("VERIFIED")
    # Without the batch before, nobody can tell.
    alone = verify(second, evidence(second))
    assert f"left of the escrow of {address(buyer)}" in " ".join(alone.reasons)
    assert (big.order.hash, 0) in payments.unexplained(second)
    assert not payments.unexplained(first)


def selling(nonce: int, lots: int) -> Leaf:
    """A sell that the buy of 2,000 ticks meets."""
    return leaf(2, nonce=nonce, side=Side.SELL, limit=1_005, quantity=lots, receipt_seq=nonce)
