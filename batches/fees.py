"""The fees that a market's vault holds, and how they get out of it."""

from collections.abc import Mapping

from django.db import transaction
from uuid_utils.compat import uuid7

from batches import ledger, treasury
from batches.ledger import Journal
from batches.models import Account, Direction, Market, VaultBalance


class FeesError(Exception):
    """Why fees stay where they are; the text is for people."""


def held(market: Market) -> dict[str, int]:
    """The atoms of fees that the vault holds, by mint; without those that are being paid out."""
    rows = VaultBalance.objects.filter(market=market, account=Account.FEES, amount__lt=0)
    # What the vault owes is negative.
    return {mint: -int(amount) for mint, amount in rows.values_list("mint", "amount")}


def withdraw(market: Market, *, wallet: str, by: str) -> Mapping[str, int]:
    """Pay all fees out of the vault; returns the atoms by mint.

    Where the wallet has no account of a token, that payout waits for one, as any other.

    Args:
        by: for the audit trail.

    Raises:
        FeesError: there are none.
    """
    with transaction.atomic():
        # Settlements only add to them: it is enough that nobody else takes them out meanwhile.
        Market.objects.select_for_update(no_key=True).get(id=market.id)
        amounts, reference = held(market), str(uuid7())
        if not amounts:
            raise FeesError(f"the vault of {market.name} holds no fees")
        treasury.move(market, Direction.PAY, wallet, amounts, reference)
        treasury.record(market, "market.withdraw_fees", wallet, amounts, reference, by)
        journal = Journal()
        journal.add(
            *(
                ledger.earned(f"fees:{reference}", market.id, mint, amount)
                for mint, amount in amounts.items()
            )
        )
        journal.post()
    return amounts
