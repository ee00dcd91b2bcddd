"""Whoever is shown one batch of a market and tick is shown the only one there is."""

from dataclasses import replace

from batches import anchoring, merkle
from batches.anchoring import memo_of
from batches.bundle import Bundle
from batches.evidence import Anchored, Evidence, Listing
from batches.tests.publishing import (
    ANCHOR,
    after,
    anchor_of,
    evidence,
    leaf,
    published,
)
from batches.verification import Verdict, verify
from chains.solana.anchor import Anchor

FIRST = published()
SECOND = after(FIRST, [leaf(1, nonce=20, limit=899, receipt_seq=5)])


def listed(bundle: Bundle, *anchors: Anchor, first: int = 0, last: int = 200) -> Evidence:
    known = evidence(bundle, FIRST)
    return replace(
        known, listing=Listing(first, last, tuple(Anchored(last, each) for each in anchors))
    )


def violated(bundle: Bundle, given: Evidence, reason: str) -> None:
    found = verify(bundle, given)
    assert (found.status, found.step) == ("VIOLATION", 4), found
    assert reason in found.reasons[0]


def uncertain(bundle: Bundle, given: Evidence, reason: str) -> None:
    found = verify(bundle, given)
    assert (found.status, found.holds(4)) == ("UNCERTAIN", None), found
    assert any(reason in each for each in found.reasons), found.reasons


def with_headers(bundle: Bundle, *headers: bytes) -> Bundle:
    tick = replace(bundle.tick, headers=headers, root=merkle.build(headers).root)
    return replace(bundle, tick=tick)


def test_two_batches_of_a_market_in_one_tick_are_proven() -> None:
    low, own, high = FIRST.tick.headers
    other = bytes(replace(FIRST.header, last_seq=9))
    for headers in ((low, own, other, high), (low, other, own, high), (own, low, high, other)):
        twice = with_headers(FIRST, *headers)
        violated(twice, evidence(twice), "do not ascend by market")
    hidden = with_headers(FIRST, low, own, b"no header")
    violated(hidden, evidence(hidden), "what is no header")


def test_a_second_root_for_a_tick_is_proven() -> None:
    own = memo_of(SECOND)
    second = replace(own, root=bytes([7]) * 32, cutoff_slot=own.cutoff_slot - 9)
    for anchors in ((own, second), (second, own), (second,)):
        violated(SECOND, listed(SECOND, *anchors), "tick 8 is anchored with another root too")
    # The same one twice commits to nothing else, and another tick is another tick.
    more = replace(second, tick=9, previous=own.root)
    assert verify(SECOND, listed(SECOND, own, own, more)) == Verdict("VERIFIED")


def test_two_ticks_that_follow_one_are_proven() -> None:
    own = memo_of(SECOND)
    fork = replace(own, tick=9, root=bytes([7]) * 32)
    violated(SECOND, listed(SECOND, own, fork), "tick 9 follows the same one")
    # The first ticks of several cadences follow none.
    first = memo_of(FIRST)
    beside = replace(first, tick=9, root=bytes([7]) * 32)
    assert verify(FIRST, listed(FIRST, first, beside)) == Verdict("VERIFIED")


def test_a_list_that_may_miss_something_proves_nothing() -> None:
    own = memo_of(SECOND)
    first, last = anchoring.searched(SECOND.header)
    what = f"a list of the coordinator's anchors from slot {first} to {last}"
    assert verify(SECOND, listed(SECOND, own, first=first, last=last)) == Verdict("VERIFIED")
    uncertain(SECOND, listed(SECOND, own, first=first + 1), what)
    uncertain(SECOND, listed(SECOND, own, last=last - 1), what)
    uncertain(SECOND, listed(SECOND), what)
    uncertain(SECOND, replace(evidence(SECOND, FIRST), listing=None), what)


def test_a_tick_follows_the_one_that_was_anchored_before() -> None:
    # Not by another batch's word, but by the chain's.
    chain = {**evidence(SECOND, FIRST).chain}
    given = replace(evidence(SECOND), chain=chain)
    assert anchor_of(7) == ANCHOR == SECOND.tick.previous_anchor
    assert verify(SECOND, given).holds(4) is True
    wrong = replace(memo_of(FIRST), root=bytes([7]) * 32)
    late = replace(memo_of(FIRST), tick=8)
    for memos in ((str(wrong),), (str(late),), (), ("fairlane1",), (str(memo_of(FIRST)),) * 2):
        lied = {**chain, ANCHOR: replace(chain[ANCHOR], memos=memos)}
        violated(SECOND, replace(given, chain=lied), "does not anchor the tick before")
    foreign = {**chain, ANCHOR: replace(chain[ANCHOR], payer="another")}
    violated(SECOND, replace(given, chain=foreign), "does not anchor the tick before")
    del chain[ANCHOR]
    uncertain(SECOND, replace(given, chain=chain), f"the anchor before, {ANCHOR}")


def test_a_tick_that_rolled_is_known_by_its_batch() -> None:
    rolled = replace(SECOND, tick=replace(SECOND.tick, previous_anchor=None))
    assert verify(rolled, evidence(rolled, FIRST)) == Verdict("VERIFIED")
    uncertain(rolled, evidence(rolled), "the tick that this one follows")


def test_a_market_with_a_history_is_in_no_first_tick() -> None:
    tick = replace(SECOND.tick, previous=anchoring.NO_ROOT)
    alone = replace(SECOND, tick=tick)
    violated(alone, evidence(alone, FIRST), "its tick has none")
