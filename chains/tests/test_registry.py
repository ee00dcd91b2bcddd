import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_django import Settings
from solders.keypair import Keypair

from chains import registry
from chains.errors import Transient
from chains.raiku import RaikuClient
from chains.solana.client import SolanaClient
from chains.solana.keystore import KeyStore


@pytest.fixture(autouse=True)
def settings_of_the_test(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.SOLANA_RPC_URL = "http://127.0.0.1:1"
    settings.RFQ_MAKERS = {"raydium": "http://127.0.0.1:2", "meteora": "http://127.0.0.1:3"}
    settings.WALLET_KEYS_DIR = tmp_path
    settings.RAIKU_URL = ""
    registry.forget()
    yield
    registry.forget()


def test_the_adapters_are_those_of_the_settings(tmp_path: Path) -> None:
    keypair = Keypair()
    (tmp_path / "1.json").write_text(json.dumps(list(bytes(keypair))))
    (tmp_path / "1.json").chmod(0o600)
    assert [venue.name for venue in registry.venues()] == ["raydium", "meteora"]
    assert isinstance(registry.solana(), SolanaClient)
    assert isinstance(registry.wallet_keys(), KeyStore)
    assert registry.wallet_keys().has(str(keypair.pubkey()))


def test_there_is_one_of_each() -> None:
    assert registry.solana() is registry.solana()
    assert registry.venues() is registry.venues()
    assert registry.wallet_keys() is registry.wallet_keys()


def test_synchronous_code_drives_an_adapter() -> None:
    with pytest.raises(Transient, match="the Solana node could not be reached"):
        registry.run(registry.solana().slot())


def test_each_chain_of_the_settings_has_its_client(settings: Settings) -> None:
    settings.EVM_CHAINS = {
        chain_id: SimpleNamespace(rpc_urls=("http://127.0.0.1:1/key",)) for chain_id in (5920, 5921)
    }
    assert registry.evm(5920) is registry.evm(5920)
    assert registry.evm(5921).chain_id == 5921
    with pytest.raises(Transient, match=r"chain 5921: 127\.0\.0\.1:1 could not be reached"):
        registry.run(registry.evm(5921).head())
    (status,) = registry.evm(5921).providers()
    assert (status.name, status.healthy) == ("127.0.0.1:1", False)


def test_block_space_is_bought_where_the_settings_name_a_venue(settings: Settings) -> None:
    assert registry.blockspace() is None
    settings.RAIKU_URL = "http://127.0.0.1:1"
    settings.RAIKU_TOKEN = SimpleNamespace(reveal=lambda: "token")
    registry.forget()
    venue = registry.blockspace()
    assert isinstance(venue, RaikuClient)
    assert registry.blockspace() is venue
    with pytest.raises(Transient, match="Raiku could not be reached"):
        registry.run(venue.slots(1, 2))


async def test_asynchronous_code_awaits_the_same_adapter() -> None:
    with pytest.raises(Transient, match="the Solana node could not be reached"):
        await registry.solana().slot()
    await registry.aclose()


def test_a_process_that_ends_leaves_no_connection_open() -> None:
    """A warning of an unclosed session would go to stderr."""
    script = (
        "from chains import registry\n"
        "assert not registry.run(registry.solana().healthy())\n"
        "assert not registry.run(registry.solana().healthy())\n"
    )
    environment = os.environ | {"SOLANA_RPC_URL": "http://127.0.0.1:1"}
    ended = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert ended.stderr == ""
