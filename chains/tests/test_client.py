"""The client against a node that misbehaves; test_swap_lands.py has one that does not."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from chains.errors import Behind, Definitive, Transient
from chains.http import Http
from chains.ports import ListedTransaction, SendOutcome, SignatureStatus
from chains.solana.client import SolanaClient
from chains.tests.conftest import Serve

Method = Callable[[list[Any]], Any]


class Node:
    """Answers calls from a table of methods, and keeps what it was asked."""

    def __init__(self, **methods: Method) -> None:
        self.methods = methods
        self.posts: list[Any] = []

    async def __call__(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.posts.append(body)
        if isinstance(body, list):
            answers = [self.answer(call) for call in reversed(body)]
            return web.Response(body=orjson.dumps(answers))
        return web.Response(body=orjson.dumps(self.answer(body)))

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        result = self.methods[call["method"]](call["params"])
        if isinstance(result, Exception):
            return {"jsonrpc": "2.0", "id": call["id"], "error": result.args[0]}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def statuses_of(slot: int) -> Method:
    return lambda params: {
        "context": {"slot": slot},
        "value": [
            {"slot": int(s), "confirmations": None, "err": None, "confirmationStatus": "finalized"}
            for s in params[0]
        ],
    }


def landed(signature: str) -> dict[str, Any]:
    """What getTransaction answers for a transaction without token balances."""
    return {
        "slot": 7,
        "meta": {"err": None, "fee": 5_000},
        "transaction": {
            "message": {"accountKeys": ["payer"], "instructions": []},
            "signatures": [signature],
        },
    }


async def test_batches_keep_the_order_and_the_limits(serve: Serve, http: Http) -> None:
    node = Node(getSignatureStatuses=statuses_of(9))
    client = SolanaClient(await serve(node), http)
    signatures = [str(number) for number in range(600)]
    statuses = await client.statuses(signatures)
    assert statuses == [SignatureStatus(number, "finalized", None) for number in range(600)]
    (batch,) = node.posts
    assert [len(call["params"][0]) for call in batch] == [256, 256, 88]
    assert all(call["params"][1] == {"searchTransactionHistory": True} for call in batch)


async def test_statuses_from_a_node_behind_the_slot_that_is_asked_for_are_refused(
    serve: Serve, http: Http
) -> None:
    client = SolanaClient(await serve(Node(getSignatureStatuses=statuses_of(9))), http)
    assert await client.statuses(["1"], not_before_slot=9) == [
        SignatureStatus(1, "finalized", None)
    ]
    with pytest.raises(Transient, match="older than a slot that was told of"):
        await client.statuses(["1"], not_before_slot=10)


async def test_a_batch_array_holds_at_most_a_hundred_calls(serve: Serve, http: Http) -> None:
    node = Node(sendTransaction=lambda params: params[0])
    client = SolanaClient(await serve(node), http)
    outcomes = await client.send([bytes((number,)) for number in range(250)])
    assert len({outcome.signature for outcome in outcomes}) == 250
    assert sorted(len(post) for post in node.posts) == [50, 100, 100]
    assert node.posts[0][0]["params"][1] == {
        "encoding": "base64",
        "skipPreflight": True,
        "maxRetries": 0,
    }


async def test_the_height_is_read_before_the_statuses(serve: Serve, http: Http) -> None:
    node = Node(
        getEpochInfo=lambda params: {"blockHeight": 90, "absoluteSlot": 100},
        getSignatureStatuses=statuses_of(100),
        getFirstAvailableBlock=lambda params: 7,
    )
    client = SolanaClient(await serve(node), http)
    observation = await client.observe(["1"])
    assert observation.finalized_height == 90
    assert observation.statuses == [SignatureStatus(1, "finalized", None)]
    assert observation.first_available == 7
    first, then = node.posts
    assert (first["method"], first["params"]) == ("getEpochInfo", [{"commitment": "finalized"}])
    assert [call["method"] for call in then] == ["getSignatureStatuses", "getFirstAvailableBlock"]


async def test_without_the_begin_of_the_history_nothing_is_observed(
    serve: Serve, http: Http
) -> None:
    node = Node(
        getEpochInfo=lambda params: {"blockHeight": 90, "absoluteSlot": 100},
        getSignatureStatuses=statuses_of(100),
        getFirstAvailableBlock=lambda params: Exception({"code": -32601, "message": "No method"}),
    )
    client = SolanaClient(await serve(node), http)
    with pytest.raises(Definitive, match="getFirstAvailableBlock"):
        await client.observe(["1"])


async def test_statuses_from_a_node_behind_the_finalized_slot_are_refused(
    serve: Serve, http: Http
) -> None:
    node = Node(
        getEpochInfo=lambda params: {"blockHeight": 90, "absoluteSlot": 100},
        getSignatureStatuses=statuses_of(99),
        getFirstAvailableBlock=lambda params: 7,
    )
    client = SolanaClient(await serve(node), http)
    with pytest.raises(Transient, match="older than a slot that was told of"):
        await client.observe(["1"])


async def test_a_send_reports_each_failure_and_never_raises(serve: Serve, http: Http) -> None:
    refused = Exception({"code": -32003, "message": "Transaction signature verification failure"})
    node = Node(sendTransaction=lambda params: refused if params[0] == "YQ==" else "sig")
    client = SolanaClient(await serve(node), http)
    bad, good = await client.send([b"a", b"b"])
    assert good == SendOutcome("sig", None)
    assert bad.signature is None
    assert bad.error is not None and "signature of the transaction is invalid" in bad.error


async def test_a_send_to_nobody_reports_it_for_each_transaction(http: Http) -> None:
    client = SolanaClient("http://127.0.0.1:1", http)
    outcomes = await client.send([b"a", b"b"])
    assert [outcome.error for outcome in outcomes] == [
        "the Solana node could not be reached (ClientConnectorError)"
    ] * 2


async def test_one_failed_call_fails_a_read(serve: Serve, http: Http) -> None:
    wrong = Exception({"code": -32602, "message": "Invalid param: WrongSize"})
    node = Node(simulateTransaction=lambda params: wrong)
    client = SolanaClient(await serve(node), http)
    with pytest.raises(Definitive, match="WrongSize"):
        await client.simulate([b"good", b"bad"])


@pytest.mark.parametrize(
    "answer",
    [
        Exception({"code": -32015, "message": "Transaction version (1) is not supported"}),
        Exception({"code": -32603, "message": "Internal error"}),
        {"slot": 7},
        {**landed("bad"), "meta": None},
        landed("another"),
    ],
)
async def test_a_transaction_that_cannot_be_read_leaves_the_others_readable(
    serve: Serve, http: Http, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answers = {"good": landed("good"), "bad": answer, "none": None}
    node = Node(getTransaction=lambda params: answers[params[0]])
    client = SolanaClient(await serve(node), http)
    good, *others = await client.transactions(["good", "bad", "none"])
    assert good is not None and (good.signature, good.slot, good.fee) == ("good", 7, 5_000)
    assert others == [None, None]
    (line,) = caplog.messages
    assert line.startswith("transaction bad ")


async def test_the_transactions_of_an_address_are_listed_page_by_page(
    serve: Serve, http: Http
) -> None:
    line: dict[str, Any] = {
        "signature": "one",
        "slot": 7,
        "err": None,
        "memo": "[3] any",
        "blockTime": None,
    }
    asked: list[Any] = []

    def answer(params: Any) -> Any:
        asked.append(params)
        return [line, {**line, "signature": "two", "memo": None, "err": {"x": 1}}]

    client = SolanaClient(await serve(Node(getSignaturesForAddress=answer)), http)
    first, second = await client.listed("address", before="zero")
    assert first == ListedTransaction("one", 7, None, "[3] any")
    assert second == ListedTransaction("two", 7, {"x": 1}, None)
    options = {"commitment": "finalized", "limit": 1_000}
    await client.listed("address")
    assert asked == [["address", {**options, "before": "zero"}], ["address", options]]
    line["memo"] = 5
    with pytest.raises(Transient):
        await client.listed("address")


async def test_transactions_of_an_unreachable_node_are_unknown(http: Http) -> None:
    client = SolanaClient("http://127.0.0.1:1", http)
    assert await client.transactions(["a", "b"]) == [None, None]


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        "text",
        {"context": {"slot": 1}},
        {"context": {"slot": 1}, "value": []},
        {"context": {"slot": 1}, "value": [{}]},
        {"context": {"slot": 1}, "value": [{"slot": 1, "err": None}]},
        {"context": {"slot": -1}, "value": [None]},
        {"context": {}, "value": [None]},
        {
            "context": {"slot": 1},
            "value": [{"slot": 1, "err": None, "confirmationStatus": "certain"}],
        },
    ],
)
async def test_statuses_of_an_unknown_shape_are_no_verdict(
    serve: Serve, http: Http, result: Any
) -> None:
    client = SolanaClient(await serve(Node(getSignatureStatuses=lambda params: result)), http)
    with pytest.raises(Transient, match="unknown shape"):
        await client.statuses(["1"])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b"null", b"17", b'{"result": 1', b'[{"id": 7, "result": 1}]'],
)
async def test_an_answer_that_is_not_json_rpc_is_no_verdict(
    serve: Serve, http: Http, body: bytes
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body)

    client = SolanaClient(await serve(handler), http)
    with pytest.raises(Transient):
        await client.slot()
    assert not await client.healthy()


async def test_a_batch_refused_as_a_whole_is_refused_for_each_call(
    serve: Serve, http: Http
) -> None:
    async def handler(request: web.Request) -> web.Response:
        error = {"code": 429, "message": "Too many requests"}
        return web.json_response({"jsonrpc": "2.0", "id": None, "error": error})

    client = SolanaClient(await serve(handler), http)
    outcomes = await client.send([b"a", b"b"])
    assert all("Too many requests" in (outcome.error or "") for outcome in outcomes)


async def test_the_priority_fee_is_a_capped_percentile(serve: Serve, http: Http) -> None:
    fees = [{"slot": n, "prioritizationFee": n} for n in (5, 1, 4, 2, 3)]
    node = Node(getRecentPrioritizationFees=lambda params: fees)
    url = await serve(node)
    assert await SolanaClient(url, http).prioritization_fee(["a"]) == 4
    assert await SolanaClient(url, http, fee_percentile=100).prioritization_fee(["a"]) == 5
    assert await SolanaClient(url, http, fee_cap=2).prioritization_fee(["a"]) == 2
    fees.clear()
    assert await SolanaClient(url, http).prioritization_fee(["a"]) == 0
    assert node.posts[0]["params"] == [["a"]]


async def test_accounts_as_they_were_before_a_slot_that_is_known_are_refused(
    serve: Serve, http: Http
) -> None:
    node = Node(getMultipleAccounts=lambda params: {"context": {"slot": 99}, "value": [None]})
    client = SolanaClient(await serve(node), http)
    assert await client.token_accounts(["a"], not_before_slot=99) == [None]
    with pytest.raises(Behind, match="older than a slot that was told of"):
        await client.token_accounts(["a"], not_before_slot=100)
