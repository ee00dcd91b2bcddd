"""The coordinator's lamports and the owners' approvals, on the chain they are for."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from solders.pubkey import Pubkey
from solders.token.state import TokenAccount

from sandbox.chain import start_node
from sandbox.coordinator import (
    APPROVED,
    COORDINATOR_LAMPORTS,
    approve_coordinator,
    fund_coordinator,
)
from sandbox.genesis import ACCOUNT, associated_token_account
from sandbox.markets import MARKET_TOKENS, MARKETS
from sandbox.processes import Part
from sandbox.world import World


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    """A node of the world's genesis, in which there is no coordinator."""
    assert str(world.coordinator.pubkey()) not in world.genesis.read_text()
    part = start_node(tmp_path_factory.mktemp("node"), genesis=world.genesis, slot_ms=20)
    yield part
    part.stop()


def call(node: Part, method: str, *params: object) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(node.url, json=body, trust_env=False).json()["result"]


def accounts(node: Part, owner: Pubkey) -> list[TokenAccount]:
    """What the wallet holds of every market's tokens."""
    addresses = [str(associated_token_account(owner, token)) for token in MARKET_TOKENS]
    options = {"encoding": "base64", "commitment": "confirmed"}
    return [
        TokenAccount.from_bytes(base64.b64decode(value["data"][0])[: ACCOUNT.size])
        for value in call(node, "getMultipleAccounts", addresses, options)["value"]
    ]


def transactions(node: Part, wallet: Pubkey) -> int:
    options = {"commitment": "confirmed"}
    return len(call(node, "getSignaturesForAddress", str(wallet), options))


def test_the_coordinator_gets_lamports_once(node: Part, world: World) -> None:
    coordinator = world.coordinator.pubkey()
    for _ in range(2):
        fund_coordinator(node.url, world)
        balance = call(node, "getBalance", str(coordinator), {"commitment": "confirmed"})
        assert balance["value"] == COORDINATOR_LAMPORTS
    assert transactions(node, coordinator) == 1


def test_every_trader_approves_the_coordinator_once(node: Part, world: World) -> None:
    coordinator = world.coordinator.pubkey()
    traders = [key.pubkey() for key in world.traders.values()]
    approve_coordinator(node.url, world)
    for trader in traders:
        for account in accounts(node, trader):
            assert (account.delegate, account.delegated_amount) == (coordinator, APPROVED)
    sent = [transactions(node, trader) for trader in traders]

    approve_coordinator(node.url, world)

    assert [transactions(node, trader) for trader in traders] == sent


def test_a_lot_is_worth_some_tenths_of_a_dollar_and_a_band_some_tenths_of_the_price() -> None:
    for market in MARKETS:
        worth = float(market.lot) * float(market.base.usd)
        reach = 2048 * float(market.tick) / float(market.reference)
        assert 0.1 <= worth <= 1, market.name
        assert 0.1 <= reach <= 0.15, market.name
        assert "E" not in market.reference


def test_the_coordinators_keys_are_in_a_folder_of_their_own(world: World) -> None:
    names = sorted(path.name for path in world.coordinator_keys.iterdir())
    assert names == ["coordinator.json", "receipts.json"]
    secret = json.loads((world.coordinator_keys / "coordinator.json").read_text())
    assert bytes(secret) == bytes(world.coordinator)
