"""A real maker process beside a real node."""

import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from chains.solana import swap
from sandbox.chain import maker_command
from sandbox.parts import INSTANT, Part, start_maker, start_node, write_world
from sandbox.ports import free_port
from sandbox.processes import spawn, wait_until_ready
from sandbox.services.makers.knobs import Knobs
from sandbox.tokens import TOKENS

SOL, USDC = (str(token.mint) for token in TOKENS[:2])


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    directory = tmp_path_factory.mktemp("makers")
    world = write_world(directory / "world", traders=1)
    node = start_node(directory, genesis=world.genesis)
    maker = start_maker(
        "meteora",
        directory,
        key=world.maker_key("meteora"),
        rpc_url=node.url,
        markets=world.markets,
    )
    yield maker
    maker.stop()
    node.stop()


@pytest.fixture
def client(maker: Part) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=maker.url, trust_env=False) as client:
        knobs = client.get("/knobs").json()
        yield client
        client.post("/knobs", json=knobs).raise_for_status()


def item(number: int = 0, amount: int = 10**9) -> dict[str, str]:
    return {
        "requestId": str(number),
        "inputMint": SOL,
        "outputMint": USDC,
        "amountIn": str(amount),
    }


def test_one_request_is_answered_with_one_answer(client: httpx.Client) -> None:
    answer = client.post("/quote", json=item()).json()
    assert answer["requestId"] == "0"
    assert answer["feeBps"] == 20
    assert int(answer["amountOut"]) > 0


def test_a_batch_is_answered_in_order(client: httpx.Client) -> None:
    batch: list[Any] = [item(number) for number in range(499)]
    answers = client.post("/quote", json=[*batch, None]).json()
    assert [answer["requestId"] for answer in answers] == [str(n) for n in range(499)] + [None]
    assert len({answer.get("quoteId") for answer in answers}) == 500
    assert answers[-1]["error"]["code"] == "invalid"


@pytest.mark.parametrize("path", ["/quote", "/sign"])
def test_a_batch_has_a_limit(client: httpx.Client, path: str) -> None:
    assert client.post(path, json=[{}] * 501).status_code == 400
    assert client.post(path, json=[{}] * 500).status_code == 200
    assert client.post(path, json=[]).json() == []
    assert client.post(path, content=b" " * (2 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("path", ["/quote", "/sign", "/knobs"])
def test_a_body_that_is_no_json_is_a_bad_request(client: httpx.Client, path: str) -> None:
    assert client.post(path, content=b"{").status_code == 400


def test_an_unknown_quote_is_expired(client: httpx.Client) -> None:
    transaction = b64encode(swap.unsigned(b"\x02a message")).decode()
    signing = {"quoteId": "q", "transaction": transaction, "minAmountOut": "1"}
    answer = client.post("/sign", json=signing).json()
    assert (answer["quoteId"], answer["status"], answer["code"]) == ("q", "refused", "expired")


def test_a_batch_waits_once_and_batches_wait_together(client: httpx.Client) -> None:
    client.post("/knobs", json={"quoteDelayMs": 300}).raise_for_status()
    batch = [item(number) for number in range(100)]
    started = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.post("/quote", json=batch).json(), range(10)))
    elapsed = time.monotonic() - started
    assert all(len(answer) == 100 for answer in answers)
    assert 0.3 <= elapsed < 10 * 0.3


def test_knobs_turn_at_run_time(client: httpx.Client) -> None:
    assert client.get("/knobs").json() == {
        "quoteDelayMs": 0,
        "executionDelayMs": 0,
        "failureRate": 0,
        "slippageBps": 0,
    }
    turned = client.post("/knobs", json={"failureRate": 0.25, "slippageBps": 40})
    assert turned.json() == client.get("/knobs").json()
    assert turned.json()["failureRate"] == 0.25
    assert turned.json()["slippageBps"] == 40
    assert turned.json()["executionDelayMs"] == 0


@pytest.mark.parametrize(
    "knobs",
    [
        None,
        [],
        {"speed": 1},
        {"failureRate": 1.1},
        {"failureRate": -0.1},
        {"failureRate": True},
        {"quoteDelayMs": 1.5},
        {"quoteDelayMs": "200"},
        {"slippageBps": 10_001},
    ],
)
def test_an_odd_knob_is_a_bad_request_and_turns_nothing(client: httpx.Client, knobs: Any) -> None:
    before = client.get("/knobs").json()
    assert client.post("/knobs", json=knobs).status_code == 400
    assert client.get("/knobs").json() == before


def test_the_environment_sets_the_knobs() -> None:
    assert Knobs.from_environment({}) == Knobs(200, 2500, 0.05, 30)
    assert Knobs.from_environment(INSTANT) == Knobs(0, 0, 0.0, 0)
    assert Knobs.from_environment({"MOCK_DEX_FAILURE_RATE": ""}) == Knobs()
    for variable in INSTANT:
        for bad in ("-1", "many", "1e9", "nan"):
            with pytest.raises(ValueError, match=r"must be|invalid literal|could not convert"):
                Knobs.from_environment({variable: bad})


def test_a_maker_without_a_node_is_not_healthy_and_quotes_nothing(tmp_path: Path) -> None:
    world = write_world(tmp_path / "world", traders=1)
    node = start_node(tmp_path, genesis=world.genesis)
    node.stop()
    port = free_port()
    command = maker_command(
        name="raydium",
        port=port,
        key=world.maker_key("raydium"),
        rpc_url=node.url,
        markets=world.markets,
    )
    log = tmp_path / "maker.log"
    part = Part("maker", f"http://127.0.0.1:{port}", spawn(command, log=log), log)

    def health() -> int:
        try:
            return httpx.get(f"{part.url}/health", trust_env=False).status_code
        except httpx.TransportError:
            return 0

    try:
        wait_until_ready(part, lambda: health() == 503)
        answer = httpx.post(f"{part.url}/quote", json=item(), trust_env=False, timeout=5).json()
        assert answer["error"]["code"] == "unavailable"
        node = start_node(tmp_path, genesis=world.genesis, port=node.port)
        wait_until_ready(part, lambda: health() == 200)
    finally:
        part.stop()
        node.stop()
