"""What fair batches need on chain: lamports for the coordinator, and the owners' approvals."""

import base64
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import httpx
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.token.state import TokenAccount
from solders.transaction import Transaction

from chains.solana import programs
from sandbox.errors import SandboxError
from sandbox.genesis import ACCOUNT, LAMPORTS_PER_SOL, associated_token_account
from sandbox.markets import MARKET_TOKENS
from sandbox.tokens import Token
from sandbox.world import World

# An anchor a second costs 0.43 SOL a day, and settlements as much again.
COORDINATOR_LAMPORTS = 1_000 * LAMPORTS_PER_SOL
LOW_LAMPORTS = 100 * LAMPORTS_PER_SOL
# More than there is of any token. Pulls use an approval up; half of it is left for a long time.
APPROVED = 2**63
LEAST_APPROVED = 2**62

TIMEOUT_SECONDS = 10
PATIENCE_SECONDS = 20
POLL_SECONDS = 0.05
# A transaction that has not shown up by then was lost: what it did may be done again.
AGAIN_SECONDS = 2.0

T = TypeVar("T")


def fund_coordinator(url: str, world: World) -> None:
    """Give the coordinator lamports where it has few.

    Raises:
        SandboxError: the chain does not take it.
    """
    address = str(world.coordinator.pubkey())

    def lacking() -> list[int]:
        balance = _rpc(url, "getBalance", address, {"commitment": "confirmed"})["value"]
        return [COORDINATOR_LAMPORTS] if balance < LOW_LAMPORTS else []

    def airdrop(amounts: Sequence[int]) -> None:
        _rpc(url, "requestAirdrop", address, *amounts)

    _bring_about("the coordinator's lamports", missing=lacking, deed=airdrop)


def approve_coordinator(url: str, world: World) -> None:
    """Have every trader let the coordinator pull escrow, where that is not so.

    Raises:
        SandboxError: the chain does not take it.
    """
    coordinator = world.coordinator.pubkey()
    wanted = [(trader, token) for trader in world.traders.values() for token in MARKET_TOKENS]
    addresses = [associated_token_account(trader.pubkey(), token) for trader, token in wanted]

    def missing() -> list[tuple[Keypair, Token]]:
        return [
            (trader, token)
            for (trader, token), account in zip(wanted, _accounts(url, addresses), strict=True)
            # Who has no account of a token has nothing to approve.
            if account and not _is_approved(account, coordinator)
        ]

    def approve(approvals: Sequence[tuple[Keypair, Token]]) -> None:
        for trader in {trader.pubkey(): trader for trader, _ in approvals}.values():
            tokens = [token for owner, token in approvals if owner == trader]
            _send(url, trader, [_approval(trader.pubkey(), coordinator, it) for it in tokens])

    _bring_about("the traders' approvals", missing=missing, deed=approve)


def _bring_about(
    what: str, *, missing: Callable[[], list[T]], deed: Callable[[list[T]], object]
) -> None:
    """Do the deed for what is missing, again now and then, until nothing is."""
    deadline, again = time.monotonic() + PATIENCE_SECONDS, 0.0
    while left := missing():
        if time.monotonic() > deadline:
            raise SandboxError(f"The Solana node does not take {what}: see its log.")
        if time.monotonic() > again:
            deed(left)
            again = time.monotonic() + AGAIN_SECONDS
        time.sleep(POLL_SECONDS)


def _is_approved(account: TokenAccount, delegate: Pubkey) -> bool:
    return account.delegate == delegate and account.delegated_amount >= LEAST_APPROVED


def _approval(owner: Pubkey, delegate: Pubkey, token: Token) -> Instruction:
    return programs.approve_checked(
        program=token.program,
        source=associated_token_account(owner, token),
        mint=token.mint,
        delegate=delegate,
        owner=owner,
        amount=APPROVED,
        decimals=token.decimals,
    )


def _accounts(url: str, addresses: Iterable[Pubkey]) -> list[TokenAccount | None]:
    options = {"encoding": "base64", "commitment": "confirmed"}
    values = _rpc(url, "getMultipleAccounts", [str(it) for it in addresses], options)["value"]
    return [
        None
        if value is None
        else TokenAccount.from_bytes(base64.b64decode(value["data"][0])[: ACCOUNT.size])
        for value in values
    ]


def _send(url: str, payer: Keypair, instructions: Sequence[Instruction]) -> None:
    latest = _rpc(url, "getLatestBlockhash", {"commitment": "confirmed"})["value"]["blockhash"]
    blockhash = Hash.from_string(latest)
    message = Message.new_with_blockhash(list(instructions), payer.pubkey(), blockhash)
    raw = base64.b64encode(bytes(Transaction([payer], message, blockhash))).decode()
    _rpc(url, "sendTransaction", raw, {"encoding": "base64", "skipPreflight": True})


def _rpc(url: str, method: str, *params: object) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(url, json=body, timeout=TIMEOUT_SECONDS, trust_env=False).json()
    if "result" not in answer:
        raise SandboxError(f"The Solana node refuses {method}: {answer.get('error')}")
    return answer["result"]
