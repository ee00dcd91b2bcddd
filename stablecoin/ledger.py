"""The ledger: what each final event of a contract does to the accounts of its chain."""

from collections.abc import Sequence

from django.db import connection

from chains.errors import Definitive
from fairlane.core import arrays
from stablecoin.models import Account, ChainLog, LedgerBalance
from stablecoin.profiles import Profile

Entries = dict[str, int]


def entries(kind: str, amount: int, profile: Profile) -> Entries:
    """Debits (positive) and credits of an event; they add up to nothing.

    Raises:
        Definitive: there is no such event.
    """
    held = Account.LOCKED if profile.locks_tokens else Account.CIRCULATING
    match kind:
        case "minted":
            return {Account.CIRCULATING: amount, Account.ISSUED: -amount}
        case "redeem_requested" if not profile.finalizes_redeems:
            # The event burns, and is the whole of the redeem.
            return {Account.ISSUED: amount, Account.CIRCULATING: -amount}
        case "redeem_requested" if profile.locks_tokens:
            return {Account.LOCKED: amount, Account.CIRCULATING: -amount}
        case "redeem_requested":
            return {}
        case "redeem_finalized":
            return {Account.ISSUED: amount, held: -amount}
        case "redeem_cancelled":
            return {Account.CIRCULATING: amount, Account.LOCKED: -amount}
    raise Definitive(f"there is no event {kind}")


def post(logs: Sequence[ChainLog], profile: Profile) -> None:
    """Enter events of one chain; part of the caller's transaction.

    An event enters once, for ever: a repetition breaks the unique key and undoes everything.
    """
    rows = [
        (log.chain_id, log.pk, account, amount)
        for log in logs
        for account, amount in entries(log.kind, int(log.amount), profile).items()
    ]
    if not rows:
        return
    chains, ids, accounts, amounts = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH input AS (
                SELECT * FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::numeric[])
                AS i(chain, log, account, amount)
            ), entered AS (
                INSERT INTO stablecoin_ledgerentry (chain_id, log_id, account, amount)
                SELECT * FROM input
            )
            INSERT INTO stablecoin_ledgerbalance AS b (chain_id, account, amount)
            SELECT chain, account, sum(amount) FROM input GROUP BY chain, account
            ON CONFLICT (chain_id, account) DO UPDATE SET amount = b.amount + excluded.amount
            """,
            [arrays.literal(column) for column in (chains, ids, accounts, amounts)],
        )


def balances(chain_id: int) -> dict[str, int]:
    """Every account's balance; accounts nothing was entered in have none."""
    rows = LedgerBalance.objects.filter(chain_id=chain_id).values_list("account", "amount")
    return dict.fromkeys(Account.values, 0) | {account: int(amount) for account, amount in rows}
