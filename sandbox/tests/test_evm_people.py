"""Who may hold the stablecoin in the sandbox, and what its traffic does, on a real contract."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.evm import (
    DEPLOYER,
    HOLDERS,
    OUTSIDER,
    RELAYERS,
    knobs,
    provider_url,
    rpc,
    start_evm,
)
from sandbox.kyc import BATCH_IS_VERIFIED, identify
from sandbox.processes import Part
from sandbox.stablecoin_traffic import BALANCE_OF, REQUEST_REDEEM, mint, redeem
from sandbox.tests.evm_support import CHAIN
from stablecoin.artifacts import artifact
from stablecoin.deployment import Deployment, Terms, deploy


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start_evm(tmp_path_factory.mktemp("evm"), chains=(CHAIN,))
    yield part
    part.stop()


@pytest.fixture(scope="module")
def deployed(gateway: Part) -> Deployment:
    terms = Terms(
        admin=DEPLOYER.address,
        approver=DEPLOYER.address,
        relayer=RELAYERS[CHAIN].address,
        max_per_transaction=10**24,
        total_cap=10**27,
    )
    url = provider_url(gateway.url, CHAIN)
    return deploy(url, chain_id=CHAIN, deployer_key=DEPLOYER.key, terms=terms)


def is_verified(url: str, registry: str, address: str) -> bool:
    # isKYCVerified(address), by its entry in a list of one.
    data = BATCH_IS_VERIFIED + "".join(f"{n:064x}" for n in (32, 1, int(address, 16)))
    answer = rpc(url, CHAIN, "eth_call", {"to": registry, "data": data}, "latest")
    return bool(int(answer[-64:], 16))


def test_holders_are_identified_once_and_outsiders_are_not(
    gateway: Part, deployed: Deployment
) -> None:
    identify(gateway.url, CHAIN, deployed.kyc_registry, HOLDERS)
    assert all(is_verified(gateway.url, deployed.kyc_registry, it.address) for it in HOLDERS)
    assert not is_verified(gateway.url, deployed.kyc_registry, OUTSIDER.address)
    before = rpc(gateway.url, CHAIN, "eth_blockNumber")
    identify(gateway.url, CHAIN, deployed.kyc_registry, HOLDERS)
    assert rpc(gateway.url, CHAIN, "eth_blockNumber") == before


def test_a_chain_that_was_begun_anew_is_said_to_be(gateway: Part) -> None:
    with pytest.raises(SandboxError, match="begun anew"):
        identify(gateway.url, CHAIN, OUTSIDER.address, HOLDERS)


def test_who_holds_nothing_redeems_nothing(gateway: Part, deployed: Deployment) -> None:
    world: dict[str, Any] = {
        "contracts": {str(CHAIN): {"address": deployed.contract}},
        "services": {"evm": gateway.url},
    }
    knobs(gateway.url, CHAIN, stall=True)
    assert redeem(world, CHAIN, HOLDERS[0]) is False
    assert rpc(gateway.url, CHAIN, "txpool_status")["pending"] == "0x0"
    knobs(gateway.url, CHAIN, stall=False)


def test_the_traffic_knows_the_contracts_functions() -> None:
    names = {entry.get("name") for entry in artifact("Stablecoin").abi}
    assert {"requestRedeem", "balanceOf"} <= names
    assert (REQUEST_REDEEM, BALANCE_OF) == ("0xaa2f892d", "0x70a08231")


def test_a_mint_is_for_somebody_of_the_sandbox() -> None:
    asked = mint(CHAIN)
    assert asked["chainId"] == CHAIN
    assert asked["user"] in {it.address for it in (*HOLDERS, OUTSIDER)}
    assert int(asked["amount"]) % 10**18 == 0
