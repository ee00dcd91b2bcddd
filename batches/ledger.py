"""The ledger: what the vault holds, and to whom it belongs, market by market."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from batches.models import Account, VaultBalance
from fairlane.core import arrays


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount that goes from one account of a market to another.

    Attributes:
        reference: what it is about; a posting of one reference enters once, for ever.
        debit: the account that gets it. What the vault holds is positive, what it owes negative.
    """

    reference: str
    market_id: int
    mint: str
    debit: Account
    credit: Account
    amount: int


def escrowed(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Escrow has arrived in the vault."""
    return Posting(reference, market_id, mint, Account.VAULT, Account.ESCROW, amount)


def owed(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Escrow has become what an owner is to be paid."""
    return Posting(reference, market_id, mint, Account.ESCROW, Account.PAYABLE, amount)


def charged(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Escrow has become a fee."""
    return Posting(reference, market_id, mint, Account.ESCROW, Account.FEES, amount)


def paid(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """What was owed has left the vault."""
    return Posting(reference, market_id, mint, Account.PAYABLE, Account.VAULT, amount)


def funded(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Reserves of the market's pool have arrived in the vault."""
    return Posting(reference, market_id, mint, Account.VAULT, Account.POOL, amount)


def withdrawn(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Reserves of the pool have become what is to be paid back."""
    return Posting(reference, market_id, mint, Account.POOL, Account.PAYABLE, amount)


def earned(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Fees have become what is to be paid out."""
    return Posting(reference, market_id, mint, Account.FEES, Account.PAYABLE, amount)


def into_pool(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """The pool has got what orders gave it."""
    return Posting(reference, market_id, mint, Account.ESCROW, Account.POOL, amount)


def out_of_pool(reference: str, market_id: int, mint: str, amount: int) -> Posting:
    """Orders have got what the pool gave them."""
    return Posting(reference, market_id, mint, Account.POOL, Account.ESCROW, amount)


@dataclass(slots=True)
class Journal:
    """The postings of one transaction, entered at once and last: who holds the balances waits for
    no other row, so that no two wait for each other."""

    postings: list[Posting] = field(default_factory=list)

    def add(self, *postings: Posting) -> None:
        self.postings += postings

    def post(self) -> None:
        """Enter everything; part of the caller's transaction.

        A reference that is entered again breaks the unique key and undoes everything.
        """
        _enter(self.postings)


def _enter(postings: Sequence[Posting]) -> None:
    sums = _entries(postings)
    if not sums:
        return
    # In one order everywhere, so that no two wait for each other.
    rows = [(*key, amount) for key, amount in sorted(sums.items())]
    references, markets, mints, accounts, amounts = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH input AS (
                SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[],
                    %s::numeric[]) AS i(reference, market, mint, account, amount)
            ), entered AS (
                INSERT INTO batches_vaultentry (reference, market_id, mint, account, amount)
                SELECT * FROM input
            )
            INSERT INTO batches_vaultbalance AS b (market_id, mint, account, amount)
            SELECT market, mint, account, sum(amount) FROM input
            GROUP BY market, mint, account ORDER BY market, mint, account
            ON CONFLICT (market_id, mint, account) DO UPDATE SET amount = b.amount + excluded.amount
            """,
            [arrays.literal(c) for c in (references, markets, mints, accounts, amounts)],
        )


def _entries(postings: Iterable[Posting]) -> dict[tuple[str, int, str, str], int]:
    sums: dict[tuple[str, int, str, str], int] = {}
    for posting in postings:
        if posting.amount:
            for account, amount in (
                (posting.debit, posting.amount),
                (posting.credit, -posting.amount),
            ):
                key = (posting.reference, posting.market_id, posting.mint, str(account))
                sums[key] = sums.get(key, 0) + amount
    return {key: amount for key, amount in sums.items() if amount}


def balances(mint: str) -> dict[str, int]:
    """Every account's balance of a mint, over all markets."""
    found = dict.fromkeys(Account.values, 0)
    for account, amount in VaultBalance.objects.filter(mint=mint).values_list("account", "amount"):
        found[account] += int(amount)
    return found
