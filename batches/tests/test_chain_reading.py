"""A node's list of a coordinator's transactions is believed where it is known to be whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from batches import anchoring, chain_reading
from batches.anchoring import memo_of
from batches.chain_reading import read
from batches.evidence import Anchored, Listing
from batches.tests.publishing import (
    ANCHOR,
    COORDINATOR,
    SETTLEMENT,
    on_chain,
    published,
)
from chains.errors import Transient
from chains.ports import LandedTransaction, ListedTransaction, Observation, SolanaNode

BUNDLE = published(target_slot=520, cutoff_slot=516)
OWN = Anchored(BUNDLE.header.target_slot - 2, memo_of(BUNDLE))
FIRST, LAST = anchoring.searched(BUNDLE.header)


def landed(signature: str, slot: int, *memos: str, payer: str = COORDINATOR) -> LandedTransaction:
    return LandedTransaction(signature, slot, None, 5_000, None, (), (), payer, memos)


def honest() -> list[LandedTransaction]:
    """The settlement and the anchor, the newest first."""
    chain = on_chain(BUNDLE)
    return [
        landed(SETTLEMENT, chain[SETTLEMENT].slot),
        landed(ANCHOR, chain[ANCHOR].slot, *chain[ANCHOR].memos),
    ]


@dataclass
class Node:
    """A node with these transactions, the newest first."""

    held: Sequence[LandedTransaction]
    final: int = 1_000
    kept: int = 0
    page: int = 1_000
    unreadable: frozenset[str] = frozenset()
    asked: list[str | None] = field(default_factory=list)

    async def slot(self, commitment: str) -> int:
        assert commitment == "finalized"
        return self.final

    async def observe(self, signatures: Sequence[str]) -> Observation:
        return Observation(0, self.kept, [])

    async def listed(self, address: str, *, before: str | None = None) -> list[ListedTransaction]:
        assert address == COORDINATOR
        self.asked.append(before)
        signatures = [each.signature for each in self.held]
        begin = 0 if before is None else signatures.index(before) + 1
        page = self.held[begin : begin + self.page]
        return [
            ListedTransaction(each.signature, each.slot, each.err, "; ".join(each.memos) or None)
            for each in page
        ]

    async def transactions(
        self, signatures: Sequence[str], commitment: str
    ) -> list[LandedTransaction | None]:
        assert commitment == "finalized"
        found = {e.signature: e for e in self.held if e.signature not in self.unreadable}
        return [found.get(signature) for signature in signatures]


async def listing_of(node: Any) -> Listing | None:
    return (await read(cast(SolanaNode, node), BUNDLE)).listing


async def test_the_list_begins_with_the_settlement_and_has_the_anchor() -> None:
    node = Node(honest())
    found = await read(cast(SolanaNode, node), BUNDLE)
    assert found.transactions.keys() == {ANCHOR, SETTLEMENT}
    assert found.listing == Listing(FIRST, LAST, (OWN,))
    assert node.asked == [SETTLEMENT]


async def test_another_root_for_the_tick_is_found_and_a_strangers_is_not() -> None:
    settlement, own = honest()
    second = replace(memo_of(BUNDLE), root=bytes([7]) * 32)
    for payer, count in ((COORDINATOR, 2), ("stranger", 1)):
        other = landed("other", LAST, f"{second}", payer=payer)
        found = await listing_of(Node([settlement, other, own]))
        assert found is not None and len(found.anchors) == count
    late = landed("late", LAST + 1, f"{second}")
    found = await listing_of(Node([settlement, late, own]))
    assert found is not None and found.anchors == (OWN,)


async def test_pages_are_turned_until_the_stretch_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batches.chain_reading.LISTED_PER_CALL", 1)
    monkeypatch.setattr(chain_reading, "_PAGES", 3)
    settlement, own = honest()
    node = Node([settlement, own, landed("old", FIRST - 1), landed("older", 1)], kept=LAST, page=1)
    assert await listing_of(node) is not None
    assert node.asked == [SETTLEMENT, ANCHOR]
    more = [landed(f"more {n}", own.slot) for n in range(3)]
    assert await listing_of(Node([settlement, *more, own], page=1)) is None


async def test_a_list_that_may_not_be_whole_is_none() -> None:
    settlement, own = honest()
    assert await listing_of(Node([settlement, own], kept=FIRST + 1)) is None
    unpaid = Node([own], final=LAST)
    assert await listing_of(unpaid) is None
    assert await listing_of(replace(unpaid, final=LAST + 1)) is not None
    other = landed("other", LAST, str(memo_of(BUNDLE)))
    hidden = Node([settlement, other, own], unreadable=frozenset({"other"}))
    assert await listing_of(hidden) is None
    assert await listing_of(Node([settlement])) is None
    crowd = [landed(f"spam {n}", LAST, str(memo_of(BUNDLE)), payer="stranger") for n in range(100)]
    assert await listing_of(Node([settlement, *crowd, own])) is None


async def test_a_node_that_does_not_answer_tells_nothing() -> None:
    class Silent(Node):
        async def listed(self, address: str, *, before: str | None = None) -> Any:
            raise Transient("no answer")

    found = await read(cast(SolanaNode, Silent(honest())), BUNDLE)
    assert found.listing is None
    assert found.transactions.keys() == {ANCHOR, SETTLEMENT}
