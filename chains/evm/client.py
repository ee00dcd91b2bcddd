"""An EVM chain over the JSON-RPC of its providers."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

from eth_utils.crypto import keccak

from chains.errors import ChainError, Definitive, TooLarge
from chains.evm import decode
from chains.evm.failures import CallReverted, SendAnswered, Unready
from chains.evm.pool import Conversation, Pool
from chains.evm.ports import (
    Block,
    Call,
    Log,
    LogRange,
    NodeStatus,
    Observation,
    RangeTooLarge,
    Receipt,
    Reverted,
    SendResult,
    Sent,
)
from chains.http import Http
from chains.json_rpc import Call as RpcCall

# One gwei: for nodes without the method.
USUAL_TIP = 1_000_000_000

# What one provider says is worth more the further above it stands. One that refuses for good does
# not say that another, which kept silent, has not taken it.
_WORTH: tuple[SendResult, ...] = (
    "accepted",
    "known",
    "nonce_too_low",
    "underpriced",
    "insufficient_funds",
    "unknown",
    "refused",
)

T = TypeVar("T")


class EvmClient:
    """One chain; see `chains.evm.ports.EvmNode`."""

    def __init__(self, chain_id: int, urls: Sequence[str], http: Http) -> None:
        self._pool = Pool(chain_id, urls, http)

    @property
    def chain_id(self) -> int:
        return self._pool.chain_id

    def providers(self) -> list[NodeStatus]:
        return self._pool.status()

    async def head(self) -> Block:
        async def talk(node: Conversation) -> Block:
            await node.ask()
            return node.head

        return await self._pool.read(talk)

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        return await self._each([_header(number) for number in numbers], decode.block_or_none)

    async def logs(self, address: str, topics: Sequence[str], first: int, last: int) -> LogRange:
        wanted = {
            "address": address,
            "topics": [list(topics)],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }

        async def talk(node: Conversation) -> LogRange:
            # One after the other: a node may answer the calls of one request in any order.
            start, end = await _headers(node, first, last)
            (found,) = await node.ask([("eth_getLogs", [wanted])])
            logs = [_log(entry) for entry in _read("eth_getLogs", decode.entries, found)]
            moved = await _headers(node, first, last) != [start, end]
            if moved or not all(_fits(log, first, end) for log in logs):
                raise Unready(f"chain {self.chain_id} moved while its logs were read")
            return LogRange(logs, start.parent_hash, end)

        try:
            return await self._pool.read(talk)
        except TooLarge as error:
            raise RangeTooLarge(str(error)) from None

    async def call(
        self, calls: Sequence[Call], block: int | Literal["latest"] = "latest"
    ) -> list[bytes | Reverted]:
        where = block if block == "latest" else hex(block)
        asked: list[RpcCall] = [("eth_call", [_call(call), where]) for call in calls]
        return await self._each(asked, decode.data, reverts=True)

    async def estimate_gas(self, calls: Sequence[Call]) -> list[int | Reverted]:
        asked: list[RpcCall] = [("eth_estimateGas", [_call(call)]) for call in calls]
        return await self._each(asked, decode.counter, reverts=True)

    async def balances(self, addresses: Sequence[str]) -> list[int]:
        calls: list[RpcCall] = [("eth_getBalance", [address, "latest"]) for address in addresses]
        return await self._each(calls, decode.number)

    async def observe(self, signer: str, hashes: Sequence[str]) -> Observation:
        account: list[RpcCall] = [
            ("eth_getTransactionCount", [signer, "latest"]),
            ("eth_getBalance", [signer, "latest"]),
            ("eth_maxPriorityFeePerGas", []),
        ]
        asked: list[RpcCall] = [("eth_getTransactionReceipt", [h]) for h in hashes]

        async def talk(node: Conversation) -> Observation:
            nonce, balance, tip = await node.ask(account)
            # After the nonce: what it counts has a receipt by now.
            receipts = await node.ask(asked) if asked else []
            return Observation(
                head=node.head,
                nonce=_read("eth_getTransactionCount", decode.counter, nonce),
                balance=_read("eth_getBalance", decode.number, balance),
                priority_fee=_tip(tip),
                receipts=[
                    _read("eth_getTransactionReceipt", decode.receipt_or_none, r) for r in receipts
                ],
                node=node.node,
            )

        return await self._pool.read(talk)

    async def receipts(self, hashes: Sequence[str]) -> dict[str, Receipt]:
        asked: list[RpcCall] = [("eth_getTransactionReceipt", [h]) for h in hashes]
        found = await self._all(asked, decode.receipt_or_none)
        return {r.transaction_hash: r for r in found if r is not None}

    async def nonces(self, signer: str) -> list[int]:
        asked: list[RpcCall] = [("eth_getTransactionCount", [signer, "latest"])]
        return await self._all(asked, decode.counter)

    async def send(self, transactions: Sequence[bytes]) -> list[Sent]:
        if not transactions:
            return []
        asked: list[RpcCall] = [
            ("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in transactions
        ]
        told = await self._pool.tell(asked)
        if not told:
            return [Sent("unknown", "no provider can be asked")] * len(transactions)
        return [
            min((_sent(raw, answers[at]) for answers in told), key=_worth)
            for at, raw in enumerate(transactions)
        ]

    async def _each(
        self, calls: Sequence[RpcCall], read: Callable[[Any], Any], *, reverts: bool = False
    ) -> list[Any]:
        """What each call's answer says, all of one provider."""
        if not calls:
            return []

        async def talk(node: Conversation) -> list[Any]:
            answers = await node.ask(calls)
            return [
                Reverted(answer.data, str(answer))
                if reverts and isinstance(answer, CallReverted)
                else _read(method, read, answer)
                for (method, _), answer in zip(calls, answers, strict=True)
            ]

        return await self._pool.read(talk)

    async def _all(self, calls: Sequence[RpcCall], read: Callable[[Any], T]) -> list[T]:
        """What all providers' answers say, without those that say nothing."""
        found = []
        for answers in await self._pool.tell(calls):
            for (method, _), answer in zip(calls, answers, strict=True):
                with suppress(ChainError):
                    found.append(decode.decoded(method, read, answer))
        return found


def _header(number: int) -> RpcCall:
    return "eth_getBlockByNumber", [hex(number), False]


async def _headers(node: Conversation, *numbers: int) -> list[Block]:
    answers = await node.ask([_header(number) for number in numbers])
    blocks = [_read("eth_getBlockByNumber", decode.block_or_none, answer) for answer in answers]
    found = [block for block in blocks if block is not None]
    if [block.number for block in found] != list(numbers):
        raise Unready(f"{node.node} does not have all of the blocks {list(numbers)}")
    return found


def _log(entry: Any) -> Log:
    return _read("eth_getLogs", decode.log, entry)


def _fits(log: Log, first: int, end: Block) -> bool:
    """Whether a log can be from the blocks that were asked for."""
    if log.block_number == end.number:
        return log.block_hash == end.hash
    return first <= log.block_number < end.number


def _call(call: Call) -> dict[str, str]:
    asked = {"to": call.to, "data": "0x" + call.data.hex()}
    return asked | ({"from": call.sender} if call.sender else {})


def _read(method: str, read: Callable[[Any], T], answer: Any | ChainError) -> T:
    """The answer's value; a provider that refuses the question itself is not the one to ask.

    Raises:
        Transient: see `decode.decoded`.
        RangeTooLarge: the answer is that.
    """
    try:
        return decode.decoded(method, read, answer)
    except RangeTooLarge:
        raise
    except Definitive as error:
        raise Unready(str(error)) from None


def _tip(answer: Any | ChainError) -> int:
    """What producers are offered, where the node has an opinion."""
    if isinstance(answer, Definitive):
        return USUAL_TIP
    return _read("eth_maxPriorityFeePerGas", decode.wei, answer)


def _sent(raw: bytes, answer: Any | ChainError) -> Sent:
    if isinstance(answer, SendAnswered):
        return answer.sent
    if isinstance(answer, ChainError):
        return Sent("unknown", str(answer))
    if answer != "0x" + keccak(raw).hex():
        return Sent("unknown", "the node answered with another hash")
    return Sent("accepted")


def _worth(sent: Sent) -> int:
    return _WORTH.index(sent.result)
