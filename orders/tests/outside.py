"""The outside world of the stages' tests: the node and the makers, and how they misbehave."""

import base64
from dataclasses import dataclass
from typing import Any

import httpx
from solders.pubkey import Pubkey

from sandbox.genesis import associated_token_account
from sandbox.tokens import TOKENS
from sandbox.world import World

# Where a token account holds its amount: 8 bytes, little-endian.
AMOUNT = slice(64, 72)
GOOD_MAKER = {"quoteDelayMs": 0, "executionDelayMs": 0, "failureRate": 0, "slippageBps": 0}
GOOD_NODE = {"dropRate": 0, "delayMs": 0, "errorRate": 0, "lostAnswerRate": 0, "rpcErrors": {}}


@dataclass
class OutsideWorld:
    """A node and makers, by URL."""

    world: World
    node: str
    makers: dict[str, str]
    disturbed: bool = False

    def turn(self, *makers: str, **knobs: float) -> None:
        """Set knobs of the named makers, or of all."""
        self.disturbed = True
        for name in makers or tuple(self.makers):
            _post(f"{self.makers[name]}/knobs", knobs)

    def break_node(self, **faults: Any) -> None:
        self.disturbed = True
        _post(f"{self.node}/faults", faults)

    def behave(self) -> None:
        """Undo all of the above."""
        if self.disturbed:
            self.turn(**GOOD_MAKER)
            self.break_node(**GOOD_NODE)
            self.disturbed = False

    def balance(self, wallet: str, symbol: str) -> int:
        """What a wallet holds on chain, asked of the node itself; 0 without an account."""
        options = {"encoding": "base64", "commitment": "confirmed"}
        value = self._call("getAccountInfo", _account(wallet, symbol), options)["value"]
        if value is None:
            return 0
        return int.from_bytes(base64.b64decode(value["data"][0])[AMOUNT], "little")

    def executions(self, order_id: object) -> int:
        """How often an order was executed, counted by the memos on chain."""
        memo = f"fairlane:{order_id}"
        memos = httpx.get(f"{self.node}/memos", params={"prefix": memo}, trust_env=False).json()
        return int(memos.get(memo, 0))

    def _call(self, method: str, *params: object) -> Any:
        return _post(self.node, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})[
            "result"
        ]


def without_account(genesis: dict[str, Any], owner: str, symbol: str) -> dict[str, Any]:
    """The genesis less one token account."""
    address = _account(owner, symbol)
    return {"accounts": [a for a in genesis["accounts"] if a["address"] != address]}


def with_amount(genesis: dict[str, Any], owner: str, symbol: str, amount: int) -> dict[str, Any]:
    """The genesis with another amount in one token account."""
    address = _account(owner, symbol)
    for account in genesis["accounts"]:
        if account["address"] == address:
            data = bytearray(base64.b64decode(account["data"]))
            data[AMOUNT] = amount.to_bytes(8, "little")
            account["data"] = base64.b64encode(data).decode()
    return genesis


def _account(owner: str, symbol: str) -> str:
    (token,) = (token for token in TOKENS if token.symbol == symbol)
    return str(associated_token_account(Pubkey.from_string(owner), token))


def _post(url: str, body: Any) -> Any:
    answer = httpx.post(url, json=body, timeout=10, trust_env=False)
    assert answer.is_success, answer.text
    return answer.json()
