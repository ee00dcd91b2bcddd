"""Payouts wait for an account to be paid to.

The coordinator opens none for owners: its rent of 0.002 SOL would be a present to whoever closes
the account again, over and over. An order's escrow is pulled only where both accounts of its owner
exist; who closes one before the payout holds back what is due to him, and nobody else's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from batches.models import Direction, Transfer
from batches.moving import rows
from chains.ports import SolanaNode
from fairlane.core.claims import Claim, Step

REASON = "the wallet has no account of the token"
# Looked at again after as long as it has waited already, within these.
SOONEST, LATEST = timedelta(seconds=2), timedelta(hours=1)


async def homeless(node: SolanaNode, found: Sequence[Transfer]) -> set[UUID]:
    """The payouts whose owners have no account of the token, and that nobody has said to open.

    Raises:
        ChainError: the node does not answer.
    """
    asked = [r for r in found if r.direction == Direction.PAY and not r.opens_account]
    destinations = {row.id: rows.on_chain(row).destination for row in asked}
    addresses = sorted(set(destinations.values()))
    if not addresses:
        return set()
    accounts = dict(zip(addresses, await node.token_accounts(addresses), strict=True))
    return {id_ for id_, address in destinations.items() if accounts[address] is None}


def let_wait(claim: Claim, waiting: Sequence[Transfer], now: datetime) -> None:
    """Look at payouts later; they stay due."""
    with transaction.atomic():
        held = claim.hand_over(
            {row.id: Step(claim.stage, _delay_ms(now - row.created_at)) for row in waiting}
        )
        Transfer.objects.filter(id__in=held, status="DUE").update(reason=REASON)


def _delay_ms(waited: timedelta) -> int:
    return int(min(max(waited, SOONEST), LATEST) / timedelta(milliseconds=1))
