"""What a clearing posts: each token is kept over owners, pool and treasury, to the atom."""

from collections import Counter
from uuid import uuid4

import numpy as np
from hypothesis import given

from batches.clearing import Committed, clear_columns
from batches.coordination.outcomes import Held, Outcome, outcome
from batches.leaves import Leaves
from batches.models import Account, Batch, Market
from batches.records import Header, Leaf, Side
from batches.tests.test_clearing import books, headers

BASE, QUOTE = "base", "quote"
ESCROW = 10**12


def ended(header: Header, leaves: list[Leaf], escrow: int = ESCROW) -> Outcome:
    """What the orders come to, each of which has the same escrow."""
    market = Market(id=1, base_mint=BASE, quote_mint=QUOTE, lot=header.lot, tick=header.tick)
    committed = Committed(header, Leaves.of(leaves))
    ids = np.frombuffer(b"".join(uuid4().bytes for _ in leaves), "V16")
    hashes = b"".join(leaf.order.hash for leaf in leaves)
    held = Held(ids, hashes, np.full(len(leaves), escrow, np.uint64))
    (result,) = clear_columns([committed])
    return outcome(Batch(id=uuid4(), market=market), committed, result, held)


def ascending(leaves: list[Leaf]) -> list[Leaf]:
    return sorted(leaves, key=lambda leaf: leaf.order.hash)


@given(headers, books.map(ascending))
def test_what_orders_spend_is_what_owners_the_pool_and_the_treasury_get(
    header: Header, leaves: list[Leaf]
) -> None:
    found = ended(header, leaves)
    spent = Counter({BASE: 0, QUOTE: 0})
    for leaf, left in zip(leaves, found.escrow_left, strict=True):
        spent[QUOTE if leaf.order.side is Side.BUY else BASE] += ESCROW - left
    balances: Counter[tuple[str, str]] = Counter()
    for posting in found.postings:
        assert posting.amount >= 0
        balances[posting.mint, posting.debit] += posting.amount
        balances[posting.mint, posting.credit] -= posting.amount
    lots, quote = found.result.pool_lots, found.result.pool_quote
    into_pool = {BASE: -lots * header.lot, QUOTE: quote if lots > 0 else -quote}
    paid = {
        BASE: sum(payout.base for payout in found.payouts),
        QUOTE: sum(payout.quote for payout in found.payouts),
    }
    fees = {BASE: 0, QUOTE: found.fees}
    for mint in (BASE, QUOTE):
        assert spent[mint] == paid[mint] + into_pool[mint] + fees[mint]
        assert balances[mint, Account.ESCROW] == spent[mint]
        assert balances[mint, Account.PAYABLE] == -paid[mint]
        assert balances[mint, Account.POOL] == -into_pool[mint]
        assert balances[mint, Account.FEES] == -fees[mint]
        assert balances[mint, Account.VAULT] == 0


@given(headers, books.map(ascending))
def test_volume_and_turnover_count_what_the_pool_traded(header: Header, leaves: list[Leaf]) -> None:
    found = ended(header, leaves)
    lots: Counter[Side] = Counter()
    for leaf, filled in zip(leaves, found.result.lots.tolist(), strict=True):
        lots[leaf.order.side] += filled
    assert found.volume == max(lots[Side.BUY], lots[Side.SELL])
    assert found.turnover == found.volume * found.result.price * header.tick


@given(headers, books.map(ascending))
def test_amounts_of_any_size_come_to_the_same(header: Header, leaves: list[Leaf]) -> None:
    more = 2**63
    small, large = ended(header, leaves), ended(header, leaves, ESCROW + more)
    assert [left + more * (left_open == 0) for left, left_open in _left(small)] == [
        left for left, _ in _left(large)
    ]
    assert small.volume == large.volume and small.root == large.root
    given_back = sum(p.base + p.quote for p in large.payouts)
    ending = int(np.count_nonzero(small.endings))
    assert given_back == sum(p.base + p.quote for p in small.payouts) + more * ending


def _left(found: Outcome) -> list[tuple[int, int]]:
    return list(zip(found.escrow_left.tolist(), found.endings.tolist(), strict=True))
