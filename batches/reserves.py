"""What the pools of markets hold: their part of the vault, as the ledger has it."""

from collections.abc import Collection
from dataclasses import dataclass

from batches.models import Account, VaultBalance
from batches.records import Header


@dataclass(frozen=True, slots=True)
class Reserves:
    """Atoms that a market's pool holds."""

    base: int = 0
    quote: int = 0

    def cover(self, header: Header) -> bool:
        """Whether they are what a batch has committed to, or more."""
        return self.base >= header.pool_base and self.quote >= header.pool_quote


def held(market_ids: Collection[int]) -> dict[int, Reserves]:
    """The reserves of each of the markets."""
    rows = VaultBalance.objects.filter(market_id__in=market_ids, account=Account.POOL)
    found: dict[int, list[int]] = {market_id: [0, 0] for market_id in market_ids}
    columns = ("market_id", "mint", "market__quote_mint", "amount")
    for market_id, mint, quote_mint, amount in rows.values_list(*columns):
        # What the vault owes is negative.
        found[market_id][mint == quote_mint] = -int(amount)
    return {market_id: Reserves(*both) for market_id, both in found.items()}
