"""Keeps a desk's inventory current with the chain."""

import asyncio
import logging
from collections.abc import Mapping

from solders.pubkey import Pubkey

from chains.errors import ChainError
from chains.ports import SolanaNode
from sandbox.services.makers.desk import Desk
from sandbox.services.makers.inspection import token_account
from sandbox.services.makers.pricing import Token

logger = logging.getLogger(__name__)

REFRESH_S = 2.0
RETRY_S = 0.2


async def holdings(node: SolanaNode, owner: Pubkey, tokens: Mapping[str, Token]) -> dict[str, int]:
    """What `owner` holds of each token, in base units by mint; zero without an account."""
    addresses = [str(token_account(owner, token)) for token in tokens.values()]
    accounts = await node.token_accounts(addresses)
    return {
        mint: account.amount if account else 0
        for mint, account in zip(tokens, accounts, strict=True)
    }


async def keep_current(
    desk: Desk, *, node: SolanaNode, owner: Pubkey, tokens: Mapping[str, Token]
) -> None:
    """Read the holdings again and again. While the node is away the last reading stands."""
    while True:
        try:
            desk.inventory = await holdings(node, owner, tokens)
            await asyncio.sleep(REFRESH_S)
        except ChainError as error:
            logger.warning("inventory not read: %s", error)
            await asyncio.sleep(RETRY_S)
