"""Fixtures of the orders app's tests."""

import json
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from chains import registry as adapters
from fairlane.core.models import RelayCursor
from fairlane.core.principals import ALL, SCOPES, Principal
from fairlane.core.tests.access_fixtures import IssueKey, fresh_process, issue_key, operator
from orders import registry
from orders.execution import route
from orders.execution.fees import SolRates
from orders.models import Token, Wallet
from orders.tests import doors
from orders.tests.factories import TRADER_KEYS, TRADERS
from orders.tests.outside import OutsideWorld, with_amount, without_account
from sandbox.keys import write_private
from sandbox.parts import start_maker, start_node, write_world
from sandbox.tokens import TOKENS
from sandbox.world import MAKERS

__all__ = ["fresh_process", "issue_key", "operator"]

# A blockhash lives for 150 of them, 7.5 s: longer than a test is held up on a busy machine.
SLOT_MS = 50


@pytest.fixture
def market(db: None) -> Iterator[None]:
    """The sandbox's tokens and the traders' wallets, known to this process."""
    Token.objects.bulk_create(
        Token(
            mint=str(token.mint),
            symbol=token.symbol,
            name=token.name,
            decimals=token.decimals,
            token2022=token.token2022,
        )
        for token in TOKENS
    )
    Wallet.objects.bulk_create(Wallet(address=address) for address in TRADERS)
    RelayCursor.objects.get_or_create(id=1)
    registry.forget()
    yield
    registry.forget()


@pytest.fixture
def trader() -> Principal:
    """A caller who may do everything for every wallet."""
    return Principal("key", "1", "tests", frozenset(SCOPES), ALL)


@pytest.fixture
def bearer(issue_key: IssueKey) -> Callable[..., dict[str, str]]:
    """Authorization headers with a new key of these scopes and wallets."""

    def headers(*scopes: str, wallets: list[str] | None = None) -> dict[str, str]:
        _, plain = issue_key(*(scopes or tuple(SCOPES)), wallets=wallets or ["*"])
        return {"Authorization": f"Bearer {plain}"}

    return headers


@pytest.fixture(params=[doors.rest, doors.asgi], ids=["rest", "asgi"])
def door(request: pytest.FixtureRequest) -> doors.Door:
    """Both ways in for new orders, one after the other."""
    found: doors.Door = request.param
    return found


@pytest.fixture
def key(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    """Headers of a caller who may do everything."""
    return bearer()


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideWorld]:
    """A node and two makers; trader 2 has no PYUSD account, trader 3 holds 100 USDC."""
    directory = tmp_path_factory.mktemp("outside")
    keys = directory / "world" / "wallets" / "traders"
    keys.mkdir(parents=True, mode=0o700)
    for number, key in enumerate(TRADER_KEYS, start=1):
        write_private(keys / f"trader-{number:02}.json", json.dumps(list(bytes(key))))
    world = write_world(directory / "world", traders=len(TRADER_KEYS))
    genesis = json.loads(world.genesis.read_text())
    genesis = without_account(genesis, TRADERS[1], "PYUSD")
    genesis = without_account(genesis, TRADERS[1], "JUP")
    genesis = with_amount(genesis, TRADERS[2], "USDC", 100 * 10**6)
    world.genesis.write_text(json.dumps(genesis))
    node = start_node(directory, genesis=world.genesis, slot_ms=SLOT_MS)
    makers = {
        name: start_maker(
            name,
            directory,
            key=world.maker_key(name),
            rpc_url=node.url,
            markets=world.markets,
        )
        for name in MAKERS
    }
    yield OutsideWorld(world, node.url, {name: maker.url for name, maker in makers.items()})
    for part in (*makers.values(), node):
        part.stop()


@pytest.fixture
def outside(
    parts: OutsideWorld, market: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OutsideWorld]:
    """The outside world, well behaved at first, as this process's adapters know it."""
    settings.SOLANA_RPC_URL = parts.node
    settings.RFQ_MAKERS = parts.makers
    settings.WALLET_KEYS_DIR = parts.world.trader_keys
    monkeypatch.setattr(route, "rates", SolRates())
    adapters.forget()
    yield parts
    adapters.forget()
    parts.behave()
