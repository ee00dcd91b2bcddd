"""Fixtures of the stablecoin app's tests."""

import io
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.management import call_command
from pytest_django import Settings

from chains import registry as adapters
from chains.evm import pool
from chains.kms import KmsSigner
from fairlane.core import switches
from fairlane.core.models import RelayCursor
from fairlane.settings.env import Secret
from fairlane.settings.stablecoin import EvmChain
from sandbox.evm import DEPLOYER, HOLDERS, RELAYERS, heal, provider_url, start_evm
from sandbox.kms import KEY_ID, REGION, kms_environment, start_kms
from sandbox.kuro import kuro_environment, start_kuro
from stablecoin import domains, registry
from stablecoin.models import Chain
from stablecoin.relaying import cycle
from stablecoin.tests.deployed import Deployed
from stablecoin.tests.outside import CHAIN, Outside

# Blocks are made by the tests, and by nothing else.
NEVER_MS = 3_600_000
CONFIRMATIONS = 3
# Providers are slow where a test makes them so; a busy machine is no reason to leave one.
PATIENCE_S = 60.0


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A chain whose blocks the tests make, a key service and a compliance service."""
    folder = tmp_path_factory.mktemp("outside")
    outside = Outside(
        start_evm(folder, chains=[CHAIN], block_ms=NEVER_MS), start_kms(folder), start_kuro(folder)
    )
    yield outside
    for part in (outside.evm, outside.kms, outside.kuro):
        part.stop()


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The shipped contract, whose approver is the key service."""
    folder = tmp_path_factory.mktemp("contract")
    chain, kms = start_evm(folder, chains=[CHAIN]), start_kms(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in kms_environment(kms.url).items():
            patch.setenv(name, value)
        signer = KmsSigner(KEY_ID, REGION)
        with closing(Deployed(provider_url(chain.url, CHAIN), signer)) as deployed:
            yield deployed
    for part in (chain, kms):
        part.stop()


@pytest.fixture
def deployed(contract: Deployed) -> Iterator[Deployed]:
    """The contract as it was deployed: what a test does to it is undone."""
    snapshot = contract.rpc("evm_snapshot")
    yield contract
    assert contract.rpc("evm_revert", snapshot)


@pytest.fixture
def outside(
    parts: Outside, settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None
) -> Iterator[Outside]:
    """The parts, healthy, and this process and its database set up for them."""
    for name, value in kms_environment(parts.kms.url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pool, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(pool, "PROBE_S", PATIENCE_S)
    monkeypatch.setenv("DEPLOYER_PRIVATE_KEY", DEPLOYER.key)
    urls = kuro_environment(parts.kuro.url)
    settings.KMS_KEY_ID, settings.AWS_REGION, settings.KMS_ADDRESS = KEY_ID, REGION, ""
    settings.KURO_REST_URL, settings.KURO_WEBSOCKET_URL = (
        urls["KURO_REST_URL"],
        urls["KURO_WEBSOCKET_URL"],
    )
    settings.STABLECOIN_CONFIRMATIONS = CONFIRMATIONS
    settings.EVM_CHAINS = {
        CHAIN: EvmChain(CHAIN, parts.rpc_urls, "A", "", Secret(RELAYERS[CHAIN].key))
    }
    heal(parts.evm.url, CHAIN)
    _forget()
    RelayCursor.objects.get_or_create(id=1)
    _deploy(parts)
    cycle.open_relayers()
    yield parts
    _forget()


def _deploy(parts: Outside) -> None:
    """Deploy once per session, begin each test from there, and record it."""
    parts.rewind()
    if not parts.contract:
        parts.automine(True)
        call_command("deploy_stablecoin", CHAIN, stdout=io.StringIO())
        row = Chain.objects.get(chain_id=CHAIN)
        parts.contract, parts.kyc_registry = row.contract, row.kyc_registry
        parts.automine(False)
        parts.verify(*HOLDERS)
        Chain.objects.all().delete()
    parts.remember()
    Chain.objects.update_or_create(
        chain_id=CHAIN,
        defaults={
            "name": "Test chain",
            "contract": parts.contract,
            "kyc_registry": parts.kyc_registry,
            "deployed_block": parts.web3.eth.block_number,
        },
    )
    registry.forget()


def _forget() -> None:
    adapters.forget()
    registry.forget()
    switches.forget()
    domains.forget()
