import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from solders.keypair import Keypair

from chains import registry
from chains.errors import Transient
from chains.solana.client import SolanaClient
from chains.solana.keystore import KeyStore


@pytest.fixture(autouse=True)
def settings_of_the_test(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.SOLANA_RPC_URL = "http://127.0.0.1:1"
    settings.RFQ_MAKERS = {"raydium": "http://127.0.0.1:2", "meteora": "http://127.0.0.1:3"}
    settings.WALLET_KEYS_DIR = tmp_path
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
