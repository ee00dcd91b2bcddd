"""What is on the chain, asked of the node itself and not of Fairlane."""

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from solders.pubkey import Pubkey

from sandbox.genesis import associated_token_account
from sandbox.tokens import TOKENS

MEMO_PREFIX = "fairlane:"
TIMEOUT_SECONDS = 30
# The amount of a token account: 8 bytes, little-endian, after mint and owner.
AMOUNT = slice(64, 72)

Balances = dict[tuple[str, str], int]
"""(wallet, mint) → base units"""


@dataclass(frozen=True)
class Chain:
    """The node at ``url``."""

    url: str

    def executions(self, order_ids: Iterable[str]) -> dict[str, int]:
        """How often each order was executed, counted by the memos of landed transactions."""
        memos = self._get("/memos", prefix=MEMO_PREFIX)
        return {order_id: memos.get(MEMO_PREFIX + order_id, 0) for order_id in order_ids}

    def all_executions(self) -> int:
        """How many executions of orders the chain holds, whoever's they are."""
        return sum(self._get("/memos", prefix=MEMO_PREFIX).values())

    def balances(self, wallets: Collection[str]) -> Balances:
        """What the wallets hold of every token, at commitment confirmed."""
        held = [(wallet, token) for wallet in wallets for token in TOKENS]
        addresses = [
            str(associated_token_account(Pubkey.from_string(wallet), token))
            for wallet, token in held
        ]
        values: list[Any] = []
        for at in range(0, len(addresses), 100):
            options = {"encoding": "base64", "commitment": "confirmed"}
            result = self.call("getMultipleAccounts", addresses[at : at + 100], options)
            values += result["value"]
        return {
            (wallet, str(token.mint)): _amount(value)
            for (wallet, token), value in zip(held, values, strict=True)
        }

    def transaction(self, signature: str) -> Any:
        """The landed transaction as `getTransaction` gives it; None where there is none."""
        options = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        return self.call("getTransaction", signature, options)

    def blockhash(self) -> str:
        """A recent blockhash."""
        result = self.call("getLatestBlockhash", {"commitment": "confirmed"})
        return str(result["value"]["blockhash"])

    def send(self, transaction: bytes) -> None:
        """Send signed bytes."""
        options = {"encoding": "base64", "skipPreflight": True}
        self.call("sendTransaction", base64.b64encode(transaction).decode(), options)

    def call(self, method: str, *params: object) -> Any:
        """One JSON-RPC call; returns its result."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = httpx.post(self.url, json=body, timeout=TIMEOUT_SECONDS, trust_env=False).json()
        assert "result" in answer, answer
        return answer["result"]

    def faults(self, **faults: object) -> Any:
        """Turn faults on or off, or have one happen now."""
        url = f"{self.url}/faults"
        answer = httpx.post(url, json=faults, timeout=TIMEOUT_SECONDS, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def _get(self, path: str, **query: str) -> Any:
        url = self.url + path
        return httpx.get(url, params=query, timeout=TIMEOUT_SECONDS, trust_env=False).json()


def _amount(account: Any) -> int:
    if account is None:
        return 0
    return int.from_bytes(base64.b64decode(account["data"][0])[AMOUNT], "little")
