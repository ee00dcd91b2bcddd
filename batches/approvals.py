"""A treasury's approval: its key lets the coordinator pull what it puts into a pool."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum
from solders.keypair import Keypair
from solders.message import Message
from solders.transaction import Transaction

from batches import registry
from batches.models import Direction, Market, Transfer
from batches.states import OPEN_TRANSFER
from chains import registry as adapters
from chains.errors import Definitive, Transient
from chains.ports import SolanaNode
from chains.solana import delegation
from chains.solana.swap import Token, token_account

# A transaction is confirmed within some slots; a node that takes longer is in trouble.
PATIENCE_S = 30.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class _Wish:
    """Atoms of a token that are to be pulled, and what the approval has to cover for that."""

    token: Token
    amount: int
    approval: int


def approve(market: Market, key: Keypair, amounts: Mapping[str, int]) -> None:
    """Let the coordinator pull so many atoms by mint, beside what it is to pull already; an
    approval that covers them stays.

    Raises:
        ChainError: the wallet holds less, the node does not answer, or did not take the
            transactions.
    """
    open_now = _open_pulls(str(key.pubkey()))
    wishes = [
        _Wish(registry.token(market, mint), amount, amount + open_now.get(mint, 0))
        for mint, amount in amounts.items()
        if amount
    ]
    adapters.run(_approve(adapters.solana(), market, key, wishes))


def _open_pulls(wallet: str) -> dict[str, int]:
    """Atoms by mint that are still to be pulled out of a wallet: an account has one approval for
    everything."""
    its = Transfer.objects.filter(wallet=wallet, direction=Direction.PULL, status__in=OPEN_TRANSFER)
    sums = its.values_list("mint").annotate(Sum("amount")).order_by("mint")
    return {mint: int(amount) for mint, amount in sums}


async def _approve(node: SolanaNode, market: Market, key: Keypair, wishes: Sequence[_Wish]) -> None:
    owner = str(key.pubkey())
    accounts = [token_account(owner, wish.token) for wish in wishes]
    deadline = time.monotonic() + PATIENCE_S
    while True:
        asked = list(zip(wishes, await node.token_accounts(accounts), strict=True))
        for wish, account in asked:
            if account is None or account.amount < wish.amount:
                raise Definitive(f"the wallet holds too little of {wish.token.mint}")
        lacking = [
            wish
            for wish, account in asked
            if account is None
            or account.delegate != market.coordinator
            or account.delegated_amount < wish.approval
        ]
        if not lacking:
            return
        if time.monotonic() >= deadline:
            raise Transient("the approvals could not be given")
        # Approving what is approved by now changes nothing, so it may be sent again and again.
        blockhash = await node.latest_blockhash()
        for wish in lacking:
            message = Message.from_bytes(
                delegation.approve(
                    wish.token,
                    owner=owner,
                    delegate=market.coordinator,
                    amount=wish.approval,
                    blockhash=blockhash.value,
                )
            )
            await node.send([bytes(Transaction([key], message, message.recent_blockhash))])
        await asyncio.sleep(_POLL_S)
