"""What a batch takes over: whoever has the batches before proves it, and who lacks them says so."""

from dataclasses import replace

import pytest

from batches.anchoring import memo_of
from batches.bundle import Bundle
from batches.clearing import Batch, Result, clear_tick
from batches.evidence import Anchored, Evidence
from batches.lineage import needs
from batches.records import NO_HEADER, Leaf, Side, TimeInForce
from batches.tests.publishing import after, closed, evidence, leaf, leaves, on_chain, published
from batches.verification import Verdict, verify


def verdict(bundle: Bundle, *earlier: Bundle) -> Verdict:
    return verify(bundle, evidence(bundle, *earlier))


def violated(bundle: Bundle, reason: str, *earlier: Bundle) -> None:
    found = verdict(bundle, *earlier)
    assert (found.status, found.step) == ("VIOLATION", 3), found
    assert reason in found.reasons[0]


def uncertain(bundle: Bundle, reason: str, *earlier: Bundle) -> None:
    found = verdict(bundle, *earlier)
    assert (found.status, found.holds(3)) == ("UNCERTAIN", None), found
    assert any(reason in each for each in found.reasons), found.reasons


def waiting(age: int = 0, remaining: int | None = None, receipt_seq: int = 3) -> Leaf:
    """A buy that no sell of these tests meets."""
    return leaf(0, nonce=9, limit=900, age=age, remaining=remaining, receipt_seq=receipt_seq)


def new(nonce: int, receipt_seq: int) -> Leaf:
    return leaf(1, nonce=nonce, limit=899, receipt_seq=receipt_seq)


FIRST = published([*leaves(), waiting()])


def partly_filled() -> Leaf:
    """What the first batch leaves of the order that it fills in part, at its next age."""
    partial = next(one for one in FIRST.leaves if one.order.nonce == 2)
    (lots,) = (f.lots for f in FIRST.result.fills if f.order_hash == partial.order.hash)
    assert 0 < lots < partial.remaining
    return replace(partial, remaining=partial.remaining - lots, age=1)


def test_what_the_batch_before_left_is_taken_over() -> None:
    second = after(FIRST, [partly_filled(), waiting(age=1), new(20, receipt_seq=5)])
    assert verdict(second, FIRST) == Verdict("VERIFIED")
    third = after(second, [waiting(age=2), new(21, receipt_seq=14)])
    assert verdict(third, second) == Verdict("VERIFIED")
    assert verdict(third, FIRST, second) == Verdict("VERIFIED")


def test_an_order_that_was_in_a_batch_is_not_new() -> None:
    violated(after(FIRST, [waiting()]), "has waited no longer than in batch 7", FIRST)
    # Nor where it was left out of the one between.
    second = after(FIRST, [new(20, receipt_seq=5)])
    violated(after(second, [waiting()]), "has waited no longer", FIRST, second)
    filled = next(one for one in FIRST.leaves if one.order.nonce == 1)
    violated(after(FIRST, [filled]), "has waited no longer", FIRST)


@pytest.mark.parametrize("receipt_seq", [4, 99])
def test_another_receipt_does_not_make_an_order_new(receipt_seq: int) -> None:
    again = waiting(receipt_seq=receipt_seq)
    violated(after(FIRST, [again], last_seq=99), "another receipt in batch 7", FIRST)


@pytest.mark.parametrize("by", [1, -1])
def test_an_order_has_what_its_last_batch_left(by: int) -> None:
    wrong = replace(partly_filled(), remaining=partly_filled().remaining + by)
    violated(after(FIRST, [wrong]), "is not what batch 7 left of it", FIRST)


def test_an_order_never_has_more_than_any_batch_left() -> None:
    second = after(FIRST, [new(20, receipt_seq=5)])
    more = replace(partly_filled(), age=3, remaining=7)
    violated(after(second, [more]), "is not what batch 7 left of it", FIRST, second)
    less = replace(partly_filled(), age=3)
    uncertain(after(second, [less]), "was in last", FIRST, second)


def test_an_order_for_one_batch_is_in_one() -> None:
    single = leaf(3, nonce=30, limit=900, time_in_force=TimeInForce.ONE_BATCH)
    first = published([*leaves(), single])
    assert verdict(first) == Verdict("VERIFIED")
    violated(after(first, [single]), "was for batch 7 alone", first)
    violated(published([*leaves(), replace(single, age=1)]), "and was in another")


def test_what_is_missing_accuses_nobody() -> None:
    second = after(FIRST, [new(20, receipt_seq=5)])
    number, header = second.header.batch_no, FIRST.header.hash.hex()
    uncertain(second, f"the market's batch before {number}, with the header {header}")
    third = after(second, [waiting(), new(21, receipt_seq=14)])
    # Its receipt is older than the batch that is missing.
    uncertain(third, FIRST.header.hash.hex(), second)
    uncertain(after(second, [waiting(age=1)]), f"was in last, which is before {number}", second)
    assert verdict(after(second, [new(21, receipt_seq=14)]), second) == Verdict("VERIFIED")


def test_a_batch_that_nothing_proves_accuses_nobody() -> None:
    second = after(FIRST, [new(20, receipt_seq=5)])
    third = after(second, [waiting(), new(21, receipt_seq=14)])
    chain = on_chain(third)
    found = verify(third, replace(evidence(third, FIRST), chain=chain))
    assert found.status == "UNCERTAIN"
    assert any("what proves batch 7; by it, order" in reason for reason in found.reasons)
    # Its own anchor does, with all that is between missing.
    violated(third, "has waited no longer than in batch 7", FIRST)
    # A header is nothing without the leaves that it commits to.
    forged = replace(FIRST, leaves=FIRST.leaves[1:])
    uncertain(second, FIRST.header.hash.hex(), forged)
    # And other coordinators' batches are no concern of this one.
    foreign = replace(FIRST, coordinator="another")
    uncertain(second, FIRST.header.hash.hex(), foreign)


def test_no_result_is_believed_that_the_commitment_does_not_come_to() -> None:
    honest = after(FIRST, [partly_filled()])
    (lots,) = {f.lots for f in FIRST.result.fills if f.order_hash == partly_filled().order.hash}
    less = after(FIRST, [replace(partly_filled(), remaining=partly_filled().remaining - 1)])
    for lied in (Result(0, 0, 0, ()), filling(partly_filled().order.hash, lots + 1)):
        doctored = replace(FIRST, result=lied)
        assert verdict(honest, doctored) == Verdict("VERIFIED")
        violated(less, "is not what batch 7 left of it", doctored)


def filling(order_hash: bytes, lots: int) -> Result:
    """What the first batch came to, but for what an order got."""
    result = FIRST.result
    fills = (replace(f, lots=lots) if f.order_hash == order_hash else f for f in result.fills)
    return replace(result, fills=tuple(fills))


def rolled(bundle: Bundle) -> Bundle:
    nothing = Result(0, 0, 0, ())
    unpaid = replace(bundle, payouts=(), settled=False, settlements=(), anchor=None)
    return replace(unpaid, result=nothing, result_root=nothing.root)


def test_a_batch_without_an_anchor_leaves_everything() -> None:
    first = rolled(FIRST)
    kept = [replace(one, age=1) for one in FIRST.leaves]
    low = FIRST.header.first_tick
    second = after(first, kept, follows=0, reference=FIRST.header.reference, first_tick=low)
    second = replace(second, tick=replace(second.tick, previous_anchor=None))
    for published_as in (first, FIRST):
        assert verdict(second, replace(published_as, anchor=None)) == Verdict("VERIFIED")
    # Whether it had one is not known without a list that goes back as far.
    known = evidence(second, first)
    assert known.listing is not None
    short = replace(known.listing, first_slot=1)
    found = verify(second, replace(known, listing=short))
    assert (found.status, found.holds(3)) == ("UNCERTAIN", None)
    assert "what batch 7 came to" in found.reasons[0]


def test_an_anchor_that_was_late_executes_nothing() -> None:
    first = rolled(FIRST)
    second = after(first, [replace(one, age=1) for one in FIRST.leaves], follows=0)
    kept = replace(
        second.header, reference=FIRST.header.reference, first_tick=FIRST.header.first_tick
    )
    second = closed(kept, list(second.leaves), before=first.tick)
    target, known = FIRST.header.target_slot, evidence(second, first)
    assert known.listing is not None
    for slot, status in ((target, "VERIFIED"), (target - 1, "UNCERTAIN")):
        anchors = (*known.listing.anchors, Anchored(slot, memo_of(FIRST)))
        listing = replace(known.listing, anchors=anchors)
        assert verify(second, replace(known, listing=listing)).status == status


def test_a_batch_that_should_have_executed_accuses_itself_alone() -> None:
    nothing = Result(0, 0, 0, ())
    called_off = replace(FIRST, result=nothing, result_root=nothing.root, payouts=())
    assert verdict(called_off).step == 6
    low = FIRST.header.first_tick
    kept = [replace(one, age=1) for one in FIRST.leaves]
    second = after(FIRST, kept, follows=0, reference=FIRST.header.reference, first_tick=low)
    uncertain(second, "what batch 7 came to", called_off)
    violated(second, "is not what batch 7 left of it", FIRST)


def test_a_market_does_not_begin_twice() -> None:
    again = closed(
        replace(FIRST.header, batch_no=9, target_slot=160, cutoff_slot=156), list(FIRST.leaves)
    )
    known = replace(evidence(again), is_first=False)
    found = verify(again, known)
    assert (found.status, found.holds(3)) == ("UNCERTAIN", None)
    assert found.reasons == ("that the market has no batch before this one",)


def test_a_batch_that_is_left_out_of_the_chain_is_proven() -> None:
    second = after(FIRST, [new(20, receipt_seq=5)])
    third = after(second, [new(21, receipt_seq=14)])
    skipping = closed(
        replace(third.header, previous=FIRST.header.hash, follows=7), list(third.leaves)
    )
    violated(skipping, "the market's headers leave out batch 8", FIRST, second)
    opening = replace(third.header, previous=NO_HEADER, follows=0, reference=1_007, first_tick=1)
    first_again = closed(opening, list(third.leaves))
    violated(first_again, "the market's headers leave out batch 8", second)


def test_a_chain_that_does_not_ascend_is_proven() -> None:
    violated(after(FIRST, [new(20, receipt_seq=5)], batch_no=7, follows=0), "not before it", FIRST)


def test_a_reference_that_was_chosen_is_proven() -> None:
    def with_reference(reference: int, **changes: int) -> Bundle:
        low = max(1, reference - 2_048)
        some = [new(20, receipt_seq=5)]
        return after(FIRST, some, reference=reference, first_tick=low, **changes)

    honest = after(FIRST, [new(20, receipt_seq=5)]).header
    assert (honest.reference, honest.follows) == (FIRST.result.price, 7)
    chosen = with_reference(honest.reference + 1)
    violated(chosen, "the reference does not follow from batch 7", FIRST)
    uncertain(chosen, "batch 7, which the reference comes out of")
    violated(with_reference(1_007 + 1, follows=0), "was set anew", FIRST)
    assert verdict(with_reference(1_007, follows=0), FIRST) == Verdict("VERIFIED")
    violated(with_reference(1_007, follows=6), "comes out of batch 6, which there is none", FIRST)
    violated(with_reference(honest.reference, collar_bps=501), "collar", FIRST)
    violated(published(follows=6), "the first batch of the market has a reference")


def test_a_reference_does_not_go_back_to_an_older_batch() -> None:
    second = after(FIRST, [new(20, receipt_seq=5)])
    reference = second.header.reference
    back = after(second, [], reference=reference, first_tick=second.header.first_tick, follows=0)
    violated(back, "older than in the batch before", FIRST, second)


def test_the_reserves_of_a_pool_are_what_it_traded_with_before() -> None:
    orders = [leaf(0, nonce=1, side=Side.BUY, limit=1_010, quantity=10)]
    first = published(orders, pool_base=10**7, pool_quote=6 * 10**8, pool_fee_bps=30)
    assert (first.result.pool_lots, verdict(first)) == (10, Verdict("VERIFIED"))
    kept = first.header.pool_base - 10 * first.header.lot
    got = first.header.pool_quote + first.result.pool_quote
    # A batch in between that closed before the first had cleared, and so names no pool.
    none = after(first, [new(20, receipt_seq=5)], pool_base=0, pool_quote=0)
    for before in ((first,), (first, none)):
        honest = after(before[-1], [], pool_base=kept, pool_quote=got)
        assert verdict(honest, *before) == Verdict("VERIFIED")
        other = after(before[-1], [], pool_base=kept, pool_quote=got - 1)
        uncertain(other, "put into the pool or taken out since batch 7", *before)
    without = after(none, [], pool_base=kept, pool_quote=got)
    uncertain(without, first.header.hash.hex(), none)
    batch = Batch(first.header, first.leaves)
    denied = replace(first, pool_used=False, result=clear_tick([batch], use_pools=False)[0])
    uncertain(after(first, [], pool_base=kept, pool_quote=got), "on which the pool", denied)


def test_what_is_needed_goes_back_as_far_as_the_oldest_of_what_is_taken_over() -> None:
    second = after(FIRST, [waiting(age=1), new(20, receipt_seq=5)])
    third = after(second, [waiting(age=2), new(21, receipt_seq=14)])
    assert not needs(FIRST)
    assert needs(second)
    assert not needs(second).without(FIRST)
    assert not needs(third).without(second)
    late = after(second, [new(22, receipt_seq=4)])
    assert needs(late).without(second)
    assert not needs(late).without(second).without(FIRST)


def test_without_anything_at_hand_nothing_is_proven() -> None:
    second = after(FIRST, [partly_filled()])
    assert verify(second, Evidence()).status == "UNCERTAIN"
