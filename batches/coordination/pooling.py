"""A market's pool in its batches: promised to one at a time, and part of the one that it trades in.

Its reserves lie in the vault, so that the pool's leg is in the transaction that settles the batch:
it cannot half happen. While a batch that has not cleared names them, no other does, and nothing is
taken out: what a header commits to is what its batch executes with.
"""

from collections.abc import Collection, Sequence

from django.db import connection

from batches import ledger, reserves
from batches.ledger import Posting
from batches.models import Account, Batch, Market
from batches.pool import Pool
from batches.records import Header
from batches.states import HOLDS_POOL

# One statement, so that a batch that clears meanwhile is seen with the reserves that it left.
_OFFERED = """
    SELECT m.id, -base.amount, -quote.amount, m.pool_fee_bps
    FROM batches_market m
    JOIN batches_vaultbalance base
        ON base.market_id = m.id AND base.mint = m.base_mint AND base.account = %(pool)s
    JOIN batches_vaultbalance quote
        ON quote.market_id = m.id AND quote.mint = m.quote_mint AND quote.account = %(pool)s
    WHERE m.id = ANY(%(markets)s) AND m.uses_pool AND base.amount < 0 AND quote.amount < 0
        AND NOT EXISTS (
            SELECT FROM batches_batch b
            WHERE b.market_id = m.id AND b.status IN ('CLOSED', 'COMMITTED') AND b.pool_used
        )
"""


def offered(market_ids: Collection[int]) -> dict[int, Pool]:
    """The pools that batches may commit to now, by market; for who holds their cadence."""
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, {"pool": Account.POOL.value, "markets": list(market_ids)})
        return {
            market: Pool(int(base), int(quote), fee_bps)
            for market, base, quote, fee_bps in cursor.fetchall()
        }


def is_promised(market: Market) -> bool:
    """Whether a batch that has not cleared names the reserves; for who holds its cadence."""
    return Batch.objects.filter(market=market, status__in=HOLDS_POOL, pool_used=True).exists()


def unfillable(batches: Sequence[Batch]) -> list[Batch]:
    """The batches whose pool holds less than their header says.

    They execute as if there were no pool: there is no third outcome.
    """
    using = [batch for batch in batches if batch.pool_used]
    if not using:
        return []
    held = reserves.held({batch.market_id for batch in using})
    return [
        batch
        for batch in using
        if not held[batch.market_id].cover(Header.parse(bytes(batch.header or b"")))
    ]


def postings(reference: str, market: Market, lots: int, quote: int) -> list[Posting]:
    """What the pool gives out of its reserves and gets into them.

    Args:
        lots: that the pool sells; below zero what it buys.
        quote: atoms that it gets for them, or gives.
    """
    base = abs(lots) * market.lot
    if lots > 0:
        return [
            ledger.out_of_pool(reference, market.id, market.base_mint, base),
            ledger.into_pool(reference, market.id, market.quote_mint, quote),
        ]
    return [
        ledger.into_pool(reference, market.id, market.base_mint, base),
        ledger.out_of_pool(reference, market.id, market.quote_mint, quote),
    ]
