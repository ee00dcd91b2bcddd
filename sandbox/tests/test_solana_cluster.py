"""Slots, blockhashes, leaders and the protocol itself."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from solana.rpc.commitment import Processed

from sandbox.tests.solana_support import WALLETS, Node, memo, running, send_call, signed, wait_for


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster")) as node:
        yield node


@pytest.mark.asyncio
async def test_the_ordinary_client_reads_the_cluster(node: Node) -> None:
    async with node.client() as client:
        assert await client.is_connected()
        version = (await client.get_version()).value
        genesis = (await client.get_genesis_hash()).value
        slot = (await client.get_slot(Processed)).value
        info = (await client.get_epoch_info(Processed)).value
        leaders = (await client.get_slot_leaders(slot, 20)).value
        schedule = (await client.get_leader_schedule()).value
        samples = (await client.get_recent_performance_samples(5)).value
    assert version.solana_core
    assert node.result("getFirstAvailableBlock") == 0
    assert str(genesis) == node.result("getGenesisHash")
    assert info.absolute_slot >= slot
    assert info.slot_index == info.absolute_slot % info.slots_in_epoch
    assert schedule is not None
    for offset, leader in enumerate(leaders):
        assert slot + offset in schedule[leader]
    assert len(set(leaders)) == 4
    assert samples == []


def test_slots_follow_the_clock(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("clock"), slot_ms=50) as node:
        first = node.slot("processed")
        wait_for(lambda: node.slot("processed") >= first + 4)
        wait_for(lambda: node.result("getRecentPerformanceSamples", 1))
        (sample,) = node.result("getRecentPerformanceSamples", 1)
        assert sample["samplePeriodSecs"] == 5
        assert 50 <= sample["numSlots"] <= 110  # a busy machine loses slots, it gains none


def test_the_levels_stand_in_order(node: Node) -> None:
    wait_for(lambda: node.slot("finalized") > 0)
    levels = ("finalized", "confirmed", "processed")
    answers = node.batch(*(("getSlot", {"commitment": level}) for level in levels), ("getSlot",))
    slots = [answer["result"] for answer in answers]
    assert slots[0] < slots[1] < slots[2]
    assert slots[3] == slots[0]


def test_a_blockhash_names_the_last_height_it_is_valid_at(node: Node) -> None:
    for level in ("processed", "confirmed", "finalized"):
        hash_, height = (
            answer["result"]
            for answer in node.batch(
                ("getLatestBlockhash", {"commitment": level}),
                ("getBlockHeight", {"commitment": level}),
            )
        )
        assert hash_["value"]["lastValidBlockHeight"] == height + 150
        assert node.result("isBlockhashValid", hash_["value"]["blockhash"])["value"] is (
            level == "finalized"
        )


def test_a_block_has_a_time_once_it_is_confirmed(node: Node) -> None:
    slot = node.slot("confirmed")
    assert node.result("getBlockTime", slot) > 1_700_000_000
    assert node.call("getBlockTime", slot + 1_000)["error"]["code"] == -32009


def test_an_array_of_calls_is_answered_in_its_order(node: Node) -> None:
    blockhash, wallet = node.blockhash(), WALLETS[0]
    sent = [signed(blockhash, [wallet], memo(f"batch {i}")) for i in range(250)]
    answers = node.batch(*map(send_call, sent), ("getNothing",), ("getHealth",))
    assert [answer["id"] for answer in answers] == list(range(252))
    assert [answer["result"] for answer in answers[:250]] == [str(t.signatures[0]) for t in sent]
    assert answers[250]["error"] == {"code": -32601, "message": "Method not found"}
    assert answers[251]["result"] == "ok"
    signatures = [str(transaction.signatures[0]) for transaction in sent]
    statuses = node.result("getSignatureStatuses", signatures)["value"]
    assert all(status["err"] is None for status in statuses)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"id":1}', -32600),
        (b'{"id":1,"method":"getSlot","params":{"commitment":"processed"}}', -32600),
    ],
)
def test_what_is_not_a_call_is_refused(node: Node, body: bytes, code: int) -> None:
    answer = httpx.post(node.url, content=body).json()
    assert answer["error"]["code"] == code


def test_the_node_tells_its_health_and_has_no_other_pages(node: Node) -> None:
    assert httpx.get(f"{node.url}/health").text == "ok"
    assert httpx.get(node.url).status_code == 405
    assert httpx.get(f"{node.url}/blocks").status_code == 404
