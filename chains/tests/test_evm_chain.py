"""The client against real chains whose providers misbehave."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from chains.errors import Transient
from chains.evm.client import EvmClient
from chains.evm.fees import Fees
from chains.evm.ports import Call, NodeStatus, Observation, RangeTooLarge, Reverted
from chains.http import Http
from chains.tests.evm_support import (
    CHAIN,
    FEES,
    GWEI,
    KEY,
    LOGGER,
    install,
    nonce,
    topic,
    transaction,
    word,
)
from sandbox import evm
from tests.waiting import until

DIALECTS = ("anvil", "geth", "reth", "erigon", "nethermind", "besu")
REFUSED = b"\xff" * 32


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    part = evm.start_evm(tmp_path_factory.mktemp("evm"), chains=[CHAIN])
    install(part.url)
    evm.mine(part.url, CHAIN, 5)
    yield part.url
    part.stop()


@pytest.fixture
def url(gateway: str) -> Iterator[str]:
    """The gateway, with every knob where it belongs."""
    yield gateway
    evm.heal(gateway, CHAIN)
    evm.rpc(gateway, CHAIN, "anvil_dropAllTransactions")


@pytest.fixture
def client(url: str, http: Http) -> EvmClient:
    return EvmClient(CHAIN, [evm.provider_url(url, CHAIN, node) for node in "ab"], http)


def status(client: EvmClient, node: str) -> NodeStatus:
    return client.providers()["ab".index(node)]


async def mined(client: EvmClient, *hashes: str) -> Observation:
    """What is observed once all of these are in blocks."""

    async def observed() -> Observation | None:
        try:
            found = await client.observe(KEY.address, hashes)
        except Transient:
            return None
        blocks = [receipt.block_number for receipt in found.receipts if receipt is not None]
        return found if len(blocks) == len(hashes) and max(blocks) <= found.head.number else None

    observation: Observation = await until(observed, "the transactions are in blocks")
    return observation


def in_use(client: EvmClient) -> str:
    return "".join(node for node in "ab" if status(client, node).in_use)


async def test_a_transaction_is_sent_observed_and_its_log_read(url: str, client: EvmClient) -> None:
    first = nonce(url)
    sent = [transaction(7, nonce=first), transaction(8, nonce=first + 1)]
    before = await client.observe(KEY.address, [t.hash for t in sent])
    assert (before.nonce, list(before.receipts)) == (first, [None, None])
    assert before.priority_fee > 0
    assert before.balance > 10**18

    assert [s.result for s in await client.send([t.raw for t in sent])] == ["accepted"] * 2
    after = await mined(client, *(t.hash for t in sent))
    assert after.nonce == first + 2
    assert after.head.number > before.head.number
    assert after.balance < before.balance
    assert await client.balances([KEY.address]) == [after.balance]
    one, two = after.receipts
    assert one is not None
    assert two is not None
    assert [one.transaction_hash, two.transaction_hash] == [t.hash for t in sent]
    assert one.succeeded
    assert one.gas_price > 0

    found = await client.logs(
        LOGGER, [topic(7), topic(8), topic(9)], before.head.number, after.head.number
    )
    logs, end = found.logs, found.end
    assert found.parent_hash == before.head.parent_hash
    assert [(log.data, log.transaction_hash) for log in logs] == [
        (word(7), one.transaction_hash),
        (word(8), two.transaction_hash),
    ]
    assert end == await client.head() == after.head
    assert logs[1].block_hash == two.block_hash == end.hash
    assert await client.blocks([end.number, end.number + 9]) == [end, None]


async def test_a_transaction_that_is_reverted_says_so(url: str, client: EvmClient) -> None:
    refused = transaction(int.from_bytes(REFUSED, "big"), nonce=nonce(url))
    assert [s.result for s in await client.send([refused.raw])] == ["accepted"]
    (receipt,) = (await mined(client, refused.hash)).receipts
    assert receipt is not None
    assert not receipt.succeeded


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_a_node_refuses_is_understood_in_its_own_words(
    url: str, client: EvmClient, dialect: str
) -> None:
    logged = transaction(7, nonce=nonce(url))
    await client.send([logged.raw])
    await mined(client, logged.hash)
    evm.knobs(url, CHAIN, block_ms=600_000)
    for node in "ab":
        evm.knobs(url, CHAIN, node, dialect=dialect)
    first = nonce(url)
    waiting = transaction(1, nonce=first)
    poorer = transaction(2, nonce=first)
    old = transaction(3, nonce=first - 1)
    costly = transaction(4, nonce=first + 1, fees=Fees(10**18, GWEI), gas=10**7)
    assert [s.result for s in await client.send([waiting.raw])] == ["accepted"]
    answers = await client.send([waiting.raw, poorer.raw, old.raw, costly.raw])
    assert [s.result for s in answers] == [
        "known",
        "underpriced",
        "nonce_too_low",
        "insufficient_funds",
    ]

    refused, fine = await client.call(
        [Call(LOGGER, REFUSED), Call(LOGGER, word(1), sender=KEY.address)]
    )
    assert isinstance(refused, Reverted)
    assert refused.data == REFUSED
    assert fine == b""
    estimated, gas = await client.estimate_gas([Call(LOGGER, REFUSED), Call(LOGGER, word(1))])
    assert isinstance(estimated, Reverted)
    assert isinstance(gas, int)
    assert gas > 21_000

    head = (await client.head()).number
    with pytest.raises(Transient):
        await client.call([Call(LOGGER, word(1))], head + 50)
    for node in "ab":
        evm.knobs(url, CHAIN, node, max_log_range=2)
    with pytest.raises(RangeTooLarge):
        await client.logs(LOGGER, [topic(1)], head - 2, head)
    for node in "ab":
        evm.knobs(url, CHAIN, node, max_log_range=None, max_log_results=0)
    with pytest.raises(RangeTooLarge):
        await client.logs(LOGGER, [topic(7)], 0, head)
    # None of this was the providers' fault.
    assert all(provider.healthy for provider in client.providers())


async def test_reads_go_to_the_next_provider_and_back(url: str, client: EvmClient) -> None:
    await client.head()
    assert in_use(client) == "a"
    evm.knobs(url, CHAIN, "a", down=True)
    await client.head()
    assert in_use(client) == "b"
    assert "could not be reached" in status(client, "a").error
    evm.knobs(url, CHAIN, "a", down=False)

    async def is_back() -> bool:
        await client.head()
        return in_use(client) == "a"

    await until(is_back, "the first provider is used again")


@pytest.mark.parametrize("http_status", [429, 500, 403, 400])
async def test_a_provider_that_refuses_us_is_passed_over(
    url: str, client: EvmClient, http_status: int
) -> None:
    evm.knobs(url, CHAIN, "a", http_status=http_status)
    await client.head()
    assert in_use(client) == "b"
    assert not status(client, "a").healthy


async def test_a_black_hole_costs_its_time_once(url: str, client: EvmClient) -> None:
    await client.head()
    evm.knobs(url, CHAIN, "a", delay_ms=5_000)
    started = time.monotonic()
    await client.head()
    assert 1.5 < time.monotonic() - started < 3.5
    started = time.monotonic()
    await asyncio.gather(*(client.head() for _ in range(20)))
    assert time.monotonic() - started < 1
    assert in_use(client) == "b"


async def test_nobody_answers(url: str, client: EvmClient) -> None:
    for node in "ab":
        evm.knobs(url, CHAIN, node, down=True)
    with pytest.raises(Transient, match=f"chain {CHAIN}: .*could not be reached"):
        await client.head()
    (sent,) = await client.send([transaction(1, nonce=10**6).raw])
    assert sent.result == "unknown"


async def test_a_late_provider_is_passed_over_from_the_start(url: str, client: EvmClient) -> None:
    evm.knobs(url, CHAIN, "a", lag_blocks=4)
    await client.head()
    assert in_use(client) == "b"
    assert status(client, "a").behind == 4
    assert not status(client, "a").healthy


async def test_a_provider_may_be_a_block_or_two_late(url: str, client: EvmClient) -> None:
    evm.knobs(url, CHAIN, "a", lag_blocks=2)
    await client.head()
    assert in_use(client) == "a"


async def test_a_height_that_cannot_be_shown_is_not_believed(url: str, client: EvmClient) -> None:
    evm.knobs(url, CHAIN, "a", lie_height=1_000)
    head = await client.head()
    assert in_use(client) == "b"
    assert head.number == int(evm.rpc(url, CHAIN, "eth_blockNumber", node="b"), 16)
    assert "cannot show" in status(client, "a").error
    assert status(client, "b").behind == 0


async def test_a_provider_that_starts_to_lie_is_found_out(url: str, client: EvmClient) -> None:
    await client.head()
    evm.knobs(url, CHAIN, "a", lie_height=1_000)
    await client.head()
    assert in_use(client) == "b"


async def test_a_provider_of_another_chain_is_never_used(url: str, client: EvmClient) -> None:
    evm.knobs(url, CHAIN, "a", chain_id=1)
    before = evm.stats(url, CHAIN)["a"].get("eth_sendRawTransaction", 0)
    sent = transaction(1, nonce=nonce(url))
    assert [s.result for s in await client.send([sent.raw])] == ["accepted"]
    await client.head()
    assert in_use(client) == "b"
    assert "is of chain 1" in status(client, "a").error
    assert evm.stats(url, CHAIN)["a"].get("eth_sendRawTransaction", 0) == before


async def test_a_lost_answer_is_made_good_by_the_other_provider(
    url: str, client: EvmClient
) -> None:
    evm.knobs(url, CHAIN, block_ms=600_000)
    evm.knobs(url, CHAIN, "a", swallow_sends=True)
    sent = transaction(1, nonce=nonce(url))
    (answer,) = await client.send([sent.raw])
    assert answer.result in ("accepted", "known")


async def test_when_both_answers_are_lost_nothing_is_known(url: str, client: EvmClient) -> None:
    for node in "ab":
        evm.knobs(url, CHAIN, node, swallow_sends=True)
    sender_nonce = nonce(url)
    sent = transaction(1, nonce=sender_nonce)
    (answer,) = await client.send([sent.raw])
    assert answer.result == "unknown"
    evm.heal(url, CHAIN)
    assert (await mined(client, sent.hash)).nonce == sender_nonce + 1


async def test_a_provider_that_forgets_what_it_took_does_no_harm(
    url: str, client: EvmClient
) -> None:
    evm.knobs(url, CHAIN, "a", drop_sends=True)
    sent = transaction(1, nonce=nonce(url))
    assert [s.result for s in await client.send([sent.raw])] == ["accepted"]
    await mined(client, sent.hash)


async def test_a_chain_that_turns_to_another_fork_is_followed(url: str, client: EvmClient) -> None:
    sent = transaction(11, nonce=nonce(url))
    await client.send([sent.raw])
    old = (await mined(client, sent.hash)).head
    evm.reorg(url, CHAIN, 2, "drop")
    observed = await client.observe(KEY.address, [sent.hash])
    assert list(observed.receipts) == [None]
    (same,) = await client.blocks([old.number])
    assert same is not None
    assert same.hash != old.hash
    found = await client.logs(LOGGER, [topic(11)], old.number - 1, observed.head.number)
    assert found.logs == []


async def test_many_receipts_are_asked_for_in_parts(url: str, client: EvmClient) -> None:
    sent = transaction(1, nonce=nonce(url), fees=FEES)
    await client.send([sent.raw])
    await mined(client, sent.hash)
    absent = [f"0x{number:064x}" for number in range(250)]
    observed = await client.observe(KEY.address, [*absent, sent.hash])
    assert list(observed.receipts[:250]) == [None] * 250
    assert observed.receipts[250] is not None
