"""What the tests of vault transfers and anchors share: a node with owners and a coordinator."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from solders.pubkey import Pubkey

from chains.ports import Blockhash, LandedTransaction
from chains.solana import delegation, landing, transfers
from chains.solana.client import SolanaClient
from chains.solana.keystore import KeyStore
from chains.solana.swap import Token, token_account
from sandbox.parts import Part, World, start_node, write_world
from sandbox.tokens import TOKENS

USDC, PYUSD, WRAPPED_SOL = (
    Token(str(token.mint), token.decimals, token.token2022)
    for symbol in ("USDC", "PYUSD", "SOL")
    for token in TOKENS
    if token.symbol == symbol
)
LAST_TRADER = 14


@dataclass(frozen=True)
class Chain:
    """A running node. The last trader is the coordinator: its accounts are the vaults."""

    world: World
    part: Part
    keys: KeyStore

    @property
    def coordinator(self) -> str:
        return self.owner(LAST_TRADER)

    def owner(self, number: int) -> str:
        return self.world.addresses[f"trader-{number:02}"]

    def vault(self, token: Token) -> str:
        return token_account(self.coordinator, token)


def start_chain(directory: Path) -> Chain:
    world = write_world(directory / "world", traders=LAST_TRADER)
    part = start_node(directory, genesis=world.genesis, slot_ms=20)
    return Chain(world, part, KeyStore(world.trader_keys))


@dataclass(frozen=True)
class Attempt:
    signed: transfers.Signed
    blockhash: Blockhash


async def sign(chain: Chain, node: SolanaClient, packet: transfers.Packet) -> Attempt:
    blockhash = await node.latest_blockhash()
    message = transfers.build(packet, blockhash=blockhash.value)
    return Attempt(transfers.sign(message, chain.keys), blockhash)


async def approve(
    chain: Chain, node: SolanaClient, token: Token, owners: Sequence[str], *, amount: int
) -> None:
    for owner in owners:
        blockhash = await node.latest_blockhash()
        message = delegation.approve(
            token,
            owner=owner,
            delegate=chain.coordinator,
            amount=amount,
            blockhash=blockhash.value,
        )
        attempt = Attempt(transfers.sign(message, chain.keys), blockhash)
        assert isinstance(await land(node, attempt), landing.Confirmed)


async def land(node: SolanaClient, attempt: Attempt, *, send: bool = True) -> landing.Decision:
    """Drive one attempt to its end."""
    last_sent_at = None
    while True:
        observation = await node.observe([attempt.signed.signature])
        decision = landing.decide(
            status=observation.statuses[0],
            finalized_height=observation.finalized_height,
            first_available=observation.first_available,
            first_slot=attempt.blockhash.slot,
            last_valid_block_height=attempt.blockhash.last_valid_block_height,
            last_sent_at=last_sent_at,
            now=datetime.now(UTC),
        )
        match decision:
            case landing.Resend() if send:
                await node.send([attempt.signed.raw])
                last_sent_at = datetime.now(UTC)
            case landing.Confirmed() | landing.Failed() | landing.Expired():
                return decision
        await asyncio.sleep(0.02)


async def landed(node: SolanaClient, attempt: Attempt) -> LandedTransaction:
    (transaction,) = await node.transactions([attempt.signed.signature])
    assert transaction is not None
    return transaction


async def amount(node: SolanaClient, address: str) -> int:
    (account,) = await node.token_accounts([address])
    return account.amount if account else 0


def stranger() -> str:
    """A wallet without any account."""
    return str(Pubkey.new_unique())
