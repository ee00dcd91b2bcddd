"""Subscriptions over WebSocket, through the ordinary client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.models import MemcmpOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilter, RpcTransactionLogsFilterMentions
from solders.token import ID as TOKEN
from websockets.asyncio.client import connect

from sandbox.tests.solana_support import (
    MINTS,
    SOL,
    WALLETS,
    Node,
    memo,
    move,
    pay,
    running,
    signed,
)

ALICE, BOB, CAROL, DAVE, ERIN = WALLETS[:5]
pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("subscriptions")) as node:
        yield node


def listen(node: Node, *, next_port: bool = True) -> SolanaWsClient:
    return SolanaWsClient(f"ws://127.0.0.1:{node.port + next_port}")


async def heard(client: SolanaWsClient) -> Any:
    async with asyncio.timeout(10):
        return (await client.recv()).result


@pytest.mark.parametrize("next_port", [True, False])
@pytest.mark.parametrize("level", [Processed, Confirmed, Finalized])
async def test_a_signature_is_told_when_it_reaches_the_level(
    node: Node, level: Any, next_port: bool
) -> None:
    sent = signed(node.blockhash(), [ALICE], memo())
    async with listen(node, next_port=next_port) as client:
        await client.signature_subscribe(signature=sent.signatures[0], commitment=level)
        node.send(sent)
        result = await heard(client)
    assert result.value.err is None
    status = node.status(sent)
    assert result.context.slot >= status["slot"]
    order = ["processed", "confirmed", "finalized"]
    assert order.index(status["confirmationStatus"]) >= order.index(level)


async def test_a_signature_that_has_landed_already_is_told_at_once(node: Node) -> None:
    sent = signed(node.blockhash(), [ALICE], pay(ALICE, BOB.address, 100 * SOL))
    node.land(sent)
    params = [str(sent.signatures[0]), {"commitment": "confirmed"}]
    call = {"jsonrpc": "2.0", "id": 1, "method": "signatureSubscribe", "params": params}
    async with connect(f"ws://127.0.0.1:{node.port}") as socket:
        await socket.send(json.dumps(call))
        answer, notification = [json.loads(await socket.recv()) for _ in range(2)]
    assert notification["method"] == "signatureNotification"
    assert notification["params"]["subscription"] == answer["result"]
    # solders 0.29 cannot read a custom program error in this place.
    value = notification["params"]["result"]["value"]
    assert value == {"err": {"InstructionError": [0, {"Custom": 1}]}}


@pytest.mark.parametrize("level", [Processed, Confirmed, Finalized])
async def test_an_account_is_told_when_it_changes(node: Node, level: Any) -> None:
    to = Pubkey.new_unique()
    async with listen(node) as client:
        await client.account_subscribe(pubkey=to, commitment=level, encoding="base64")
        node.send(signed(node.blockhash(), [BOB], memo()))
        node.send(signed(node.blockhash(), [BOB], pay(BOB, to, SOL)))
        assert (await heard(client)).value.lamports == SOL


# Amounts differ: the same transaction on the same blockhash would be one that the node has had.
@pytest.mark.parametrize(("level", "amount"), [(Processed, 3), (Confirmed, 4), (Finalized, 5)])
async def test_accounts_of_a_program_are_told_where_they_match(
    node: Node, level: Any, amount: int
) -> None:
    sent = signed(node.blockhash(), [CAROL], move(CAROL, DAVE, MINTS[0], amount))
    async with listen(node) as client:
        filters: list[int | MemcmpOpts] = [165, MemcmpOpts(offset=32, bytes=str(DAVE.address))]
        await client.program_subscribe(
            program_id=TOKEN, commitment=level, encoding="base64", filters=filters
        )
        node.send(sent)
        result = await heard(client)
    assert result.value.pubkey == DAVE.account(MINTS[0])


@pytest.mark.parametrize("level", [Processed, Confirmed, Finalized])
async def test_logs_are_told_to_who_is_mentioned(node: Node, level: Any) -> None:
    blockhash, to = node.blockhash(), Pubkey.new_unique()
    other = signed(blockhash, [ERIN], memo())
    mentioned = signed(blockhash, [ERIN], pay(ERIN, to, SOL), memo("hello"))
    async with listen(node) as client:
        await client.logs_subscribe(filter_=RpcTransactionLogsFilterMentions(to), commitment=level)
        node.send(other)
        node.send(mentioned)
        value = (await heard(client)).value
    assert value.signature == mentioned.signatures[0]
    assert any("hello" in line for line in value.logs)


async def test_all_logs_can_be_asked_for(node: Node) -> None:
    sent = signed(node.blockhash(), [BOB], memo())
    async with listen(node) as client:
        await client.logs_subscribe(filter_=RpcTransactionLogsFilter.All, commitment=Processed)
        node.send(sent)
        assert (await heard(client)).value.signature == sent.signatures[0]


async def test_slots_and_roots_follow_each_other(node: Node) -> None:
    async with listen(node) as client:
        await client.slot_subscribe()
        first, second = [await heard(client) for _ in range(2)]
        assert second.slot == first.slot + 1
        assert second.parent == first.slot
        assert second.root > 0
    async with listen(node) as client:
        await client.root_subscribe()
        root, following = [await heard(client) for _ in range(2)]
        assert following > root


async def test_after_unsubscribing_nothing_more_comes(node: Node) -> None:
    to = Pubkey.new_unique()
    async with listen(node) as client:
        subscription = await client.account_subscribe(
            pubkey=to, commitment=Processed, encoding="base64"
        )
        await client.unsubscribe(subscription)
        node.send(signed(node.blockhash(), [BOB], pay(BOB, to, SOL)))
        last = signed(node.blockhash(), [BOB], memo())
        await client.signature_subscribe(signature=last.signatures[0], commitment=Processed)
        node.send(last)
        assert (await heard(client)).value.err is None  # not the account's


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("nonsense", -32700),
        ("[]", -32600),
        ('{"id":1,"method":"getSlot"}', -32601),
        ('{"id":1,"method":"signatureSubscribe","params":["x"]}', -32602),
        ('{"id":1,"method":"slotUnsubscribe","params":[999]}', -32602),
    ],
)
async def test_wrong_calls_get_their_error(node: Node, call: str, code: int) -> None:
    async with connect(f"ws://127.0.0.1:{node.port}") as socket:
        await socket.send(call)
        assert f'"code":{code}' in str(await socket.recv())
