"""One RPC provider of a chain: what it answers, as its knobs have it."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import Any

import orjson
from eth_utils.crypto import keccak

from sandbox.services.evm.chain import Chain
from sandbox.services.evm.dialects import refusal, translated
from sandbox.services.evm.knobs import ProviderKnobs

Call = dict[str, Any]
Answer = dict[str, Any]

SEND = "eth_sendRawTransaction"
SENDS = frozenset({SEND, "eth_sendTransaction"})
RECEIPT = "eth_getTransactionReceipt"
# Where these methods name the block they are about.
BLOCK_PARAMETER = {
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getTransactionByBlockNumberAndIndex": 0,
    "eth_getBalance": 1,
    "eth_getTransactionCount": 1,
    "eth_getCode": 1,
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getStorageAt": 2,
}
# How far behind the head these are, with one slot in an epoch.
TAGS = {"latest": 0, "pending": 0, "safe": 1, "finalized": 2}


class Provider:
    def __init__(self, chain: Chain) -> None:
        self.knobs = ProviderKnobs()
        self.calls: Counter[str] = Counter()
        self._chain = chain

    async def answer(self, body: bytes) -> bytes | None:
        """The answer to a request body, single or batch; None where it gets lost.

        Raises:
            ClientError: the chain does not answer.
            ValueError: the body is no JSON-RPC.
        """
        request = orjson.loads(body)
        calls = request if isinstance(request, list) else [request]
        if not all(isinstance(call, dict) for call in calls):
            raise ValueError("the body is no JSON-RPC")
        methods = [str(call.get("method")) for call in calls]
        self.calls.update(methods)
        sends = not SENDS.isdisjoint(methods)
        knobs = self.knobs
        if knobs == _plain(knobs):
            return await self._chain.forward(body, sends=sends)
        view = _View(self._chain, knobs)
        answers = [await view.answer(call) for call in calls]
        if sends and knobs.swallow_sends:
            return None
        return orjson.dumps(answers if isinstance(request, list) else answers[0])


def _plain(knobs: ProviderKnobs) -> ProviderKnobs:
    """With none of the knobs that change an answer."""
    return ProviderKnobs(down=knobs.down, http_status=knobs.http_status, delay_ms=knobs.delay_ms)


class _View:
    """What one request sees of the chain: all its calls the same head."""

    def __init__(self, chain: Chain, knobs: ProviderKnobs) -> None:
        self._chain = chain
        self._knobs = knobs
        self._head: int | None = None

    async def answer(self, call: Call) -> Answer:
        method, params = str(call.get("method")), list(call.get("params") or ())
        said = self._made_up(method, params)
        if said is None:
            said = await self._told(method, params)
        if "error" in said:
            said["error"] = translated(self._knobs.dialect, said["error"])
        return {"jsonrpc": "2.0", "id": call.get("id"), **said}

    def _made_up(self, method: str, params: list[Any]) -> Answer | None:
        """What is answered without a look at the chain."""
        knobs = self._knobs
        if method == "eth_chainId" and knobs.chain_id is not None:
            return {"result": hex(knobs.chain_id)}
        if method == "net_version" and knobs.chain_id is not None:
            return {"result": str(knobs.chain_id)}
        if method == RECEIPT and knobs.null_receipts:
            return {"result": None}
        if method == SEND and knobs.drop_sends:
            return {"result": "0x" + keccak(hexstr=str(params[0])).hex()}
        return None

    async def _told(self, method: str, params: list[Any]) -> Answer:
        """What the chain answers, seen from where this provider is."""
        head = await self._seen_head()
        if method == "eth_getLogs":
            return await self._logs(params[0], head)
        latest = method == "eth_getBlockByNumber" and params[:1] == ["latest"]
        if method in BLOCK_PARAMETER and self._knobs.lag_blocks:
            number = _placed(params, BLOCK_PARAMETER[method], head)
            if number is not None and number > head:
                return self._no_block(method)
        said = await self._ask(method, params)
        if said.get("result") is None:
            return said
        if method == "eth_blockNumber":
            said["result"] = hex(head + self._knobs.lie_height)
        elif latest and self._knobs.lie_height:
            said["result"] = _exaggerated(said["result"], self._knobs.lie_height)
        elif self._knobs.lag_blocks:
            said["result"] = _as_of(head, method, said["result"])
        return said

    async def _logs(self, query: dict[str, Any], head: int) -> Answer:
        knobs = self._knobs
        if "blockHash" not in query:
            first = _number(query.get("fromBlock"), head)
            last = _number(query.get("toBlock"), head)
            if knobs.max_log_range is not None and last - first + 1 > knobs.max_log_range:
                return {"error": refusal(knobs.dialect, "range")}
            if first > head:
                return {"result": []}
            query = query | {"fromBlock": hex(first), "toBlock": hex(min(last, head))}
        said = await self._ask("eth_getLogs", [query])
        logs = said.get("result")
        if logs is None:
            return said
        said["result"] = [log for log in logs if int(log["blockNumber"], 16) <= head]
        if knobs.max_log_results is not None and len(said["result"]) > knobs.max_log_results:
            return {"error": refusal(knobs.dialect, "results")}
        return said

    def _no_block(self, method: str) -> Answer:
        if BLOCK_PARAMETER[method] == 0:
            return {"result": None}
        return {"error": refusal(self._knobs.dialect, "no_block")}

    async def _seen_head(self) -> int:
        if self._head is None:
            height = int((await self._ask("eth_blockNumber", []))["result"], 16)
            self._head = max(0, height - self._knobs.lag_blocks)
        return self._head

    async def _ask(self, method: str, params: list[Any]) -> Answer:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        body = await self._chain.forward(orjson.dumps(call), sends=method in SENDS)
        said: Answer = orjson.loads(body)
        return {name: said[name] for name in ("result", "error") if name in said}


def _number(block: object, head: int) -> int:
    """The number of the block that a parameter names."""
    if block is None or block in TAGS:
        return max(0, head - TAGS[str(block or "latest")])
    return 0 if block == "earliest" else int(str(block), 16)


def _placed(params: list[Any], at: int, head: int) -> int | None:
    """Have the parameter at a place name its block by number; returns that. None for a hash."""
    if len(params) < at:
        return None  # anvil refuses it
    if len(params) == at:
        params.append("latest")
    if isinstance(params[at], dict):
        return None
    number = _number(params[at], head)
    params[at] = hex(number)
    return number


def _as_of(head: int, method: str, result: Any) -> Any:
    """A result without what is in blocks above `head`."""
    if method == RECEIPT and int(result["blockNumber"], 16) > head:
        return None
    if method == "eth_getBlockByHash" and int(result["number"], 16) > head:
        return None
    if method == "eth_getTransactionByHash" and int(result["blockNumber"] or "0x0", 16) > head:
        return result | {"blockNumber": None, "blockHash": None, "transactionIndex": None}
    return result


def _exaggerated(block: dict[str, Any], by: int) -> dict[str, Any]:
    """A head that is not there."""
    made_up = blake2b(f"{block['hash']}/{by}".encode(), digest_size=32).hexdigest()
    return block | {"number": hex(int(block["number"], 16) + by), "hash": f"0x{made_up}"}
