"""The chain of the batches' tests: who is on it, and how it misbehaves."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from solders.keypair import Keypair
from solders.message import Message
from solders.transaction import Transaction

from batches import vaults
from batches.models import Market
from batches.tests import rows
from batches.tests.waiting import until
from chains.solana import delegation, slots
from chains.solana.swap import Token, token_account
from sandbox.genesis import LAMPORTS_PER_SOL, genesis_accounts
from sandbox.tokens import TOKENS

COORDINATOR = Keypair.from_seed(bytes([201] * 32))
RECEIPTS = Keypair.from_seed(bytes([202] * 32))
OWNERS = [Keypair.from_seed(bytes([number] * 32)) for number in range(1, 7)]
OWNER_ADDRESSES = [str(key.pubkey()) for key in OWNERS]
BASE, QUOTE = (next(t for t in TOKENS if t.symbol == s) for s in ("JUP", "USDC"))
# What each owner holds in the beginning, of either token.
PURSE = 10**15
GOOD_NODE = {"dropRate": 0, "delayMs": 0, "errorRate": 0, "lostAnswerRate": 0, "rpcErrors": {}}
# Where a token account holds its amount: 8 bytes, little-endian.
_AMOUNT = slice(64, 72)


def genesis() -> dict[str, Any]:
    wallets = [key.pubkey() for key in OWNERS]
    holdings = {wallet: {"JUP": PURSE, "USDC": PURSE} for wallet in wallets}
    lamports = dict.fromkeys([*wallets, COORDINATOR.pubkey()], 1_000 * LAMPORTS_PER_SOL)
    accounts = genesis_accounts(
        lamports=lamports, holdings=holdings, mint_authority=COORDINATOR.pubkey()
    )
    return {"accounts": accounts}


def token(which: Any) -> Token:
    return Token(str(which.mint), which.decimals, which.token2022)


@dataclass
class Chain:
    """A node by URL, with the folder of the batches' keys."""

    url: str
    keys: Path
    disturbed: bool = False

    @property
    def websocket_url(self) -> str:
        return slots.websocket_url(self.url)

    def call(self, method: str, *params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx.post(self.url, json=body, trust_env=False).json()["result"]

    def approve(self, *owners: Keypair, amount: int = PURSE) -> None:
        """Let the coordinator pull up to so much of both tokens."""
        for owner in owners:
            for each in (token(BASE), token(QUOTE)):
                blockhash = self.call("getLatestBlockhash")["value"]["blockhash"]
                message = delegation.approve(
                    each,
                    owner=str(owner.pubkey()),
                    delegate=str(COORDINATOR.pubkey()),
                    amount=amount,
                    blockhash=blockhash,
                )
                self.land(Message.from_bytes(message), owner)

    def land(self, message: Message, *signers: Keypair) -> str:
        """Send a transaction and wait until it is confirmed."""
        raw = bytes(Transaction(list(signers), message, message.recent_blockhash))
        encoded = base64.b64encode(raw).decode()
        signature: str = self.call("sendTransaction", encoded, {"encoding": "base64"})

        def confirmed() -> bool:
            status = self.call("getSignatureStatuses", [signature])["value"][0]
            return bool(status and status["confirmationStatus"] != "processed")

        until(confirmed)
        return signature

    def balance(self, wallet: str, which: Any) -> int:
        """What a wallet holds, asked of the node itself; 0 without an account."""
        address = token_account(wallet, token(which))
        options = {"encoding": "base64", "commitment": "confirmed"}
        value = self.call("getAccountInfo", address, options)["value"]
        if value is None:
            return 0
        return int.from_bytes(base64.b64decode(value["data"][0])[_AMOUNT], "little")

    def vault(self, which: Any) -> int:
        """What the vault holds of a token."""
        return self.balance(str(COORDINATOR.pubkey()), which)

    def slot(self) -> int:
        found: int = self.call("getSlot", {"commitment": "processed"})
        return found

    def break_node(self, **faults: Any) -> None:
        self.disturbed = True
        httpx.post(f"{self.url}/faults", json=faults, trust_env=False)

    def behave(self) -> None:
        if self.disturbed:
            self.break_node(**GOOD_NODE)
            self.disturbed = False

    def open_market(self, name: str = "JUP-USDC", **changes: Any) -> Market:
        """A market of batches every 600 ms: a lot is one JUP, a tick a thousandth of a USDC."""
        values: dict[str, Any] = {
            "name": name,
            "base_symbol": "JUP",
            "base_mint": str(BASE.mint),
            "base_decimals": BASE.decimals,
            "quote_symbol": "USDC",
            "quote_mint": str(QUOTE.mint),
            "quote_decimals": QUOTE.decimals,
            "lot": 10**BASE.decimals,
            "tick": 10 ** (QUOTE.decimals - 3),
            "fee_bps": 10,
            "cadence_ms": 600,
            "reference": 500,
            "coordinator": str(COORDINATOR.pubkey()),
            "receipt_key": str(RECEIPTS.pubkey()),
        }
        values |= changes
        market = Market.objects.create(**{"address": rows.address(name, values), **values})
        vaults.open_for(market)
        return market
