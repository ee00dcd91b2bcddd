"""Fixtures of the batches' tests: a real node, owners who have approved the coordinator."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from batches import registry, timekeeping
from batches.models import Market
from batches.tests.outside import COORDINATOR, OWNERS, RECEIPTS, Chain, genesis
from chains import registry as adapters
from fairlane.core.models import RelayCursor
from fairlane.core.principals import ALL, SCOPES, Principal
from fairlane.core.tests.access_fixtures import fresh_process, issue_key, operator
from sandbox.keys import write_private
from sandbox.parts import start_node

__all__ = ["fresh_process", "issue_key", "operator"]

SLOT_MS = 50


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain on which owners hold tokens and let the coordinator pull them."""
    directory = tmp_path_factory.mktemp("batches")
    keys = directory / "keys"
    keys.mkdir(mode=0o700)
    for name, key in (("coordinator", COORDINATOR), ("receipts", RECEIPTS)):
        write_private(keys / f"{name}.json", json.dumps(list(bytes(key))))
    accounts = directory / "genesis.json"
    accounts.write_text(json.dumps(genesis()))
    part = start_node(directory, genesis=accounts, slot_ms=SLOT_MS)
    chain = Chain(part.url, keys)
    chain.approve(*OWNERS)
    timekeeping.forget()
    yield chain
    timekeeping.forget()
    part.stop()


@pytest.fixture
def chain(node: Chain, db: None, settings: Settings, tmp_path: Path) -> Iterator[Chain]:
    """The chain as this process's adapters and clock know it."""
    settings.SOLANA_RPC_URL = node.url
    settings.SOLANA_WEBSOCKET_URL = ""
    settings.BATCHES_KEYS_DIR = node.keys
    RelayCursor.objects.get_or_create(id=1)
    adapters.forget()
    registry.forget()
    yield node
    adapters.forget()
    node.behave()


@pytest.fixture
def market(chain: Chain) -> Market:
    """JUP for USDC: a lot is one JUP, a tick a thousandth of a USDC per lot."""
    return chain.open_market()


@pytest.fixture
def trader() -> Principal:
    """A caller who may do everything for every wallet."""
    return Principal("key", "1", "tests", frozenset(SCOPES), ALL)
