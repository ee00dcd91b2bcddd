"""The token accounts that hold what is in escrow, opened before anything is pulled into them."""

import asyncio
import time
from collections.abc import Collection

from solders.hash import Hash
from solders.message import Message
from solders.pubkey import Pubkey

from batches import registry
from batches.models import Market
from chains import registry as adapters
from chains.errors import Transient
from chains.ports import SolanaNode
from chains.solana import programs, transfers
from chains.solana.swap import Token, token_account

# A transaction is confirmed within some slots; a node that takes longer is in trouble.
PATIENCE_S = 30.0
_POLL_S = 0.2


def open_for(market: Market) -> None:
    """Let the coordinator have its accounts of both tokens; those that exist stay as they are.

    Raises:
        ChainError: the node does not answer, or did not take the transaction.
    """
    tokens = {registry.token(market, mint) for mint in (market.base_mint, market.quote_mint)}
    adapters.run(_open(adapters.solana(), market.coordinator, tokens))


async def _open(node: SolanaNode, coordinator: str, tokens: Collection[Token]) -> None:
    addresses = {token_account(coordinator, token): token for token in tokens}
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = await node.token_accounts(list(addresses))
        missing = [t for t, account in zip(addresses.values(), found, strict=True) if not account]
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise Transient("the vault's accounts could not be opened")
        # Creating one that exists by now does nothing, so it may be sent again and again.
        blockhash = await node.latest_blockhash()
        message = _message(coordinator, missing, blockhash.value)
        await node.send([transfers.sign(message, adapters.batch_keys()).raw])
        await asyncio.sleep(_POLL_S)


def _message(coordinator: str, tokens: Collection[Token], blockhash: str) -> bytes:
    owner = Pubkey.from_string(coordinator)
    instructions = [
        programs.create_token_account(
            payer=owner,
            address=Pubkey.from_string(token_account(coordinator, token)),
            owner=owner,
            mint=Pubkey.from_string(token.mint),
            program=programs.token_program(token2022=token.token2022),
        )
        for token in tokens
    ]
    return bytes(Message.new_with_blockhash(instructions, owner, Hash.from_string(blockhash)))
