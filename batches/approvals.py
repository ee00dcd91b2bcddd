"""A treasury's approval: its key lets the coordinator pull what it puts into a pool."""

import asyncio
import time
from collections.abc import Mapping

from solders.keypair import Keypair
from solders.message import Message
from solders.transaction import Transaction

from batches import registry
from batches.models import Market
from chains import registry as adapters
from chains.errors import Definitive, Transient
from chains.ports import SolanaNode
from chains.solana import delegation
from chains.solana.swap import token_account

# A transaction is confirmed within some slots; a node that takes longer is in trouble.
PATIENCE_S = 30.0
_POLL_S = 0.2


def approve(market: Market, key: Keypair, amounts: Mapping[str, int]) -> None:
    """Let the coordinator pull so many atoms by mint; an approval that covers them stays.

    Raises:
        ChainError: the wallet holds less, the node does not answer, or did not take the
            transactions.
    """
    adapters.run(_approve(adapters.solana(), market, key, amounts))


async def _approve(
    node: SolanaNode, market: Market, key: Keypair, amounts: Mapping[str, int]
) -> None:
    owner = str(key.pubkey())
    wanted = {
        token_account(owner, registry.token(market, mint)): (registry.token(market, mint), amount)
        for mint, amount in amounts.items()
        if amount
    }
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = await node.token_accounts(list(wanted))
        asked = list(zip(wanted.values(), found, strict=True))
        for (token, amount), account in asked:
            if account is None or account.amount < amount:
                raise Definitive(f"the wallet holds too little of {token.mint}")
        lacking = [
            wish
            for wish, account in asked
            if account is None
            or account.delegate != market.coordinator
            or account.delegated_amount < wish[1]
        ]
        if not lacking:
            return
        if time.monotonic() >= deadline:
            raise Transient("the approvals could not be given")
        # Approving what is approved by now changes nothing, so it may be sent again and again.
        blockhash = await node.latest_blockhash()
        for token, amount in lacking:
            message = Message.from_bytes(
                delegation.approve(
                    token,
                    owner=owner,
                    delegate=market.coordinator,
                    amount=amount,
                    blockhash=blockhash.value,
                )
            )
            await node.send([bytes(Transaction([key], message, message.recent_blockhash))])
        await asyncio.sleep(_POLL_S)
