"""What a clearing posts: each token is kept over owners, pool and treasury, to the atom."""

from collections import Counter
from uuid import uuid4

from hypothesis import given

from batches.clearing import Committed, clear_columns
from batches.coordination.outcomes import Held, Outcome, outcome
from batches.leaves import Leaves
from batches.models import Account, Batch, Market
from batches.records import Header, Leaf, Side
from batches.tests.test_clearing import books, headers

BASE, QUOTE = "base", "quote"
ESCROW = 10**12


def ended(header: Header, leaves: list[Leaf]) -> Outcome:
    """What the orders come to, each of which has the same escrow."""
    market = Market(id=1, base_mint=BASE, quote_mint=QUOTE, lot=header.lot, tick=header.tick)
    committed = Committed(header, Leaves.of(leaves))
    ids = [uuid4().bytes for _ in leaves]
    held = Held(ids, [leaf.order.hash for leaf in leaves], [ESCROW] * len(leaves))
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
