"""The client against nodes that no real chain has: made-up answers, three that disagree."""

from typing import Any

import orjson
import pytest
from aiohttp import web

from chains.errors import Transient
from chains.evm.client import USUAL_TIP, EvmClient
from chains.evm.ports import RangeTooLarge
from chains.http import Http
from chains.tests.conftest import Serve
from chains.tests.evm_support import CHAIN, KEY, LOGGER, topic, transaction, word

HASH = topic(1)


def block(number: int, *, fork: int = 0) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": topic(number * 100 + fork),
        "parentHash": topic(number * 100 + fork - 100),
        "timestamp": hex(1_700_000_000 + number),
        "baseFeePerGas": hex(7),
    }


def log(number: int, *, fork: int = 0) -> dict[str, Any]:
    return {
        "address": LOGGER.lower(),
        "topics": [topic(5)],
        "data": "0x" + word(5).hex(),
        "blockNumber": hex(number),
        "blockHash": topic(number * 100 + fork),
        "transactionHash": HASH,
        "logIndex": "0x0",
    }


class Node:
    """At a height, with every header below it; what `answers` names is answered with that."""

    def __init__(self, height: int, **answers: Any) -> None:
        self.height = height
        self.answers: dict[str, Any] = {"eth_chainId": hex(CHAIN)} | answers
        self.asked: list[str] = []

    async def __call__(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        calls = body if isinstance(body, list) else [body]
        answers = [self.answer(call) for call in calls]
        return web.Response(body=orjson.dumps(answers if isinstance(body, list) else answers[0]))

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method = call["method"]
        self.asked.append(method)
        if method == "eth_getBlockByNumber" and method not in self.answers:
            result: Any = self.header(call["params"][0])
        else:
            result = self.answers.get(method)
        if callable(result):
            result = result()
        said = result if isinstance(result, dict) and "error" in result else {"result": result}
        return {"jsonrpc": "2.0", "id": call["id"], **said}

    def header(self, tag: str) -> dict[str, Any] | None:
        number = self.height if tag == "latest" else int(tag, 16)
        return block(number) if number <= self.height else None


def error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


async def client_of(serve: Serve, http: Http, *nodes: Node) -> EvmClient:
    return EvmClient(CHAIN, [await serve(node) for node in nodes], http)


def used(client: EvmClient) -> int:
    (place,) = [n for n, status in enumerate(client.providers()) if status.in_use]
    return place


@pytest.mark.parametrize(
    "garbage",
    ["", "0x", "0xzz", 7, True, {}, {"number": "0x1"}, [], block(9) | {"hash": "0x12"}, None],
)
async def test_a_node_that_answers_nonsense_is_passed_over(
    serve: Serve, http: Http, garbage: object
) -> None:
    client = await client_of(serve, http, Node(9, eth_getBlockByNumber=garbage), Node(9))
    assert (await client.head()).number == 9
    assert used(client) == 1
    assert "eth_getBlockByNumber: the answer cannot be read" in client.providers()[0].error


@pytest.mark.parametrize(
    "garbage", ["7", 7, None, [], "0x", "-0x1", "0x-1", "0x2_0", "0x" + "f" * 65]
)
async def test_a_balance_that_is_none_is_asked_of_the_next(
    serve: Serve, http: Http, garbage: object
) -> None:
    nodes = Node(9, eth_getBalance=garbage), Node(9, eth_getBalance="0x10")
    client = await client_of(serve, http, *nodes)
    assert await client.balances([KEY.address]) == [16]


async def test_an_error_moves_one_question_on_and_not_the_provider(
    serve: Serve, http: Http
) -> None:
    nodes = (
        Node(9, eth_getBalance=error(-32000, "words of tomorrow")),
        Node(9, eth_getBalance="0x10"),
    )
    client = await client_of(serve, http, *nodes)
    assert await client.balances([KEY.address]) == [16]
    assert client.providers()[0].healthy
    await client.head()
    assert used(client) == 0


async def test_a_node_that_knows_no_tips_is_of_use(serve: Serve, http: Http) -> None:
    node = Node(
        9,
        eth_getTransactionCount="0x3",
        eth_getBalance="0x4",
        eth_maxPriorityFeePerGas=error(-32601, "the method does not exist"),
    )
    client = await client_of(serve, http, node)
    observed = await client.observe(KEY.address, [])
    assert (observed.nonce, observed.balance, observed.priority_fee) == (3, 4, USUAL_TIP)


async def test_receipts_are_read_after_the_nonce(serve: Serve, http: Http) -> None:
    node = Node(
        9, eth_getTransactionCount="0x3", eth_getBalance="0x4", eth_maxPriorityFeePerGas="0x1"
    )
    client = await client_of(serve, http, node)
    await client.head()
    node.asked.clear()
    await client.observe(KEY.address, [HASH] * 250)
    assert node.asked.index("eth_getTransactionReceipt") > node.asked.index(
        "eth_getTransactionCount"
    )
    # A head with each of the four requests: the account, then 99 receipts at most.
    assert node.asked.count("eth_getBlockByNumber") == 4


async def test_a_balancer_that_goes_back_is_not_read_from(serve: Serve, http: Http) -> None:
    node = Node(9, eth_getBalance="0x4", eth_maxPriorityFeePerGas="0x1")

    def count() -> str:
        node.height = 8  # the next request is answered by an older node
        return "0x3"

    node.answers["eth_getTransactionCount"] = count
    client = await client_of(serve, http, node)
    with pytest.raises(Transient, match="went back from 9 to 8"):
        await client.observe(KEY.address, [HASH])


async def test_logs_of_a_chain_that_moves_are_refused(serve: Serve, http: Http) -> None:
    class Turning(Node):
        fork = 0

        def header(self, tag: str) -> dict[str, Any] | None:
            return block(9 if tag == "latest" else int(tag, 16), fork=self.fork)

        def turn(self) -> list[Any]:
            self.fork = 1
            return []

    node = Turning(9)
    node.answers["eth_getLogs"] = node.turn
    client = await client_of(serve, http, node)
    with pytest.raises(Transient, match="moved while its logs were read"):
        await client.logs(LOGGER, [topic(5)], 1, 9)


async def test_an_answer_beyond_all_measure_asks_for_fewer_blocks(serve: Serve) -> None:
    node = Node(10, eth_getLogs=[log(9)] * 100)
    http = Http(timeout_s=5, max_response_bytes=10_000)
    client = await client_of(serve, http, node)
    with pytest.raises(RangeTooLarge):
        await client.logs(LOGGER, [topic(5)], 1, 9)
    assert client.providers()[0].healthy
    await http.aclose()


async def test_one_provider_with_a_receipt_is_enough(serve: Serve, http: Http) -> None:
    receipt = {
        "transactionHash": HASH,
        "blockNumber": "0x9",
        "blockHash": topic(900),
        "status": "0x1",
        "gasUsed": "0x5208",
    }
    silent = Node(10, eth_getTransactionReceipt=error(-32000, "no index"))
    nodes = Node(10), Node(10, eth_getTransactionReceipt=receipt), silent
    client = await client_of(serve, http, *nodes)
    found = await client.receipts([HASH, topic(2)])
    assert {name: r.block_number for name, r in found.items()} == {HASH: 9}


async def test_every_provider_tells_its_nonce(serve: Serve, http: Http) -> None:
    nodes = [Node(10, eth_getTransactionCount=count) for count in ("0x7", "0x5", "0xzz")]
    client = await client_of(serve, http, *nodes)
    assert await client.nonces(KEY.address) == [7, 5]


@pytest.mark.parametrize(
    "boast",
    [
        {"number": hex(2**70)},
        {"timestamp": hex(2**40)},
        {"baseFeePerGas": hex(2**200)},
    ],
)
async def test_numbers_that_nothing_can_hold_are_nonsense(
    serve: Serve, http: Http, boast: dict[str, str]
) -> None:
    boaster = Node(10, eth_getBlockByNumber=block(10) | boast)
    client = await client_of(serve, http, boaster, Node(10))
    assert (await client.head()).number == 10
    assert used(client) == 1


@pytest.mark.parametrize(
    "stray",
    [log(9, fork=1), log(10), log(0), log(9) | {"removed": True}, log(9) | {"topics": ["0x1"]}, 7],
)
async def test_logs_that_cannot_be_of_these_blocks_are_refused(
    serve: Serve, http: Http, stray: object
) -> None:
    client = await client_of(serve, http, Node(10, eth_getLogs=[log(9), stray]))
    with pytest.raises(Transient):
        await client.logs(LOGGER, [topic(5)], 1, 9)


async def test_logs_say_where_they_are_from(serve: Serve, http: Http) -> None:
    client = await client_of(serve, http, Node(10, eth_getLogs=[log(8), log(9)]))
    found = await client.logs(LOGGER, [topic(5)], 1, 9)
    entries = [(entry.block_number, entry.address) for entry in found.logs]
    assert entries == [(8, LOGGER), (9, LOGGER)]
    assert (found.end.number, found.end.hash) == (9, topic(900))
    assert found.parent_hash == topic(0)


async def test_two_that_agree_outweigh_one_with_made_up_headers(serve: Serve, http: Http) -> None:
    client = await client_of(serve, http, Node(5_000), Node(101), Node(100))
    assert (await client.head()).number == 101
    assert "far above all others" in client.providers()[0].error


async def test_of_two_the_higher_one_that_shows_its_head_is_believed(
    serve: Serve, http: Http
) -> None:
    client = await client_of(serve, http, Node(100), Node(105))
    assert (await client.head()).number == 105
    late, _ = client.providers()
    assert (late.behind, late.error) == (5, "it is behind the others")


async def test_an_accepted_hash_must_be_the_transactions(serve: Serve, http: Http) -> None:
    client = await client_of(serve, http, Node(9, eth_sendRawTransaction=HASH))
    (sent,) = await client.send([transaction(1, nonce=0).raw])
    assert (sent.result, sent.message) == ("unknown", "the node answered with another hash")


async def test_the_best_answer_of_all_providers_counts(serve: Serve, http: Http) -> None:
    sent = transaction(1, nonce=0)
    refusing = Node(9, eth_sendRawTransaction=error(-32000, "invalid sender"))
    strange = Node(9, eth_sendRawTransaction=error(-32603, "internal error"))
    taking = Node(9, eth_sendRawTransaction=sent.hash)
    for nodes, result in (
        ((refusing, taking), "accepted"),
        ((refusing,), "refused"),
        ((refusing, strange), "unknown"),
    ):
        client = await client_of(serve, http, *nodes)
        assert [answer.result for answer in await client.send([sent.raw])] == [result]


async def test_names_hold_no_secrets(http: Http) -> None:
    urls = ["https://me:pw@rpc.example/v1/SECRET", "https://rpc.example/KEY", "http://127.0.0.1:1"]
    client = EvmClient(CHAIN, urls, http)
    names = [status.name for status in client.providers()]
    assert names == ["rpc.example #1", "rpc.example #2", "127.0.0.1:1"]


async def test_nothing_is_asked_for_nothing(serve: Serve, http: Http) -> None:
    node = Node(9)
    client = await client_of(serve, http, node)
    assert await client.blocks([]) == []
    assert await client.call([]) == []
    assert await client.estimate_gas([]) == []
    assert await client.balances([]) == []
    assert await client.send([]) == []
    assert node.asked == []
