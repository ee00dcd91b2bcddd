"""Ports, the lock, and what Fairlane and scripts are told."""

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.banner import banner
from sandbox.credentials import publish, publish_environment, secret_key, withdraw
from sandbox.errors import SandboxError
from sandbox.evm import RELAYERS
from sandbox.fleet import fleet, prerequisites
from sandbox.home import Home, occupied
from sandbox.plan import Plan, choose_ports
from sandbox.ports import HOST, free_port, is_free, preferred_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_all_ports_follow_the_web_port() -> None:
    web = free_port(adjacent=11)
    ports = choose_ports({"PORT": str(web)})
    assert (ports.web, ports.postgres, ports.redis, ports.solana) == (
        web,
        web + 1,
        web + 2,
        web + 3,
    )
    assert ports.makers == {"raydium": web + 5, "meteora": web + 6}
    assert (ports.evm, ports.kms, ports.kuro) == (web + 7, web + 8, web + 9)
    assert ports.raiku == web + 10


def test_a_taken_web_port_is_refused_with_another_one_to_try(taken: int) -> None:
    with pytest.raises(SandboxError, match=f"Port {taken} is taken.*PORT="):
        choose_ports({"PORT": str(taken)})


@pytest.mark.parametrize("text", ["0", "65001", "http", "-1", "８０００"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(SandboxError, match="PORT must be a number"):
        choose_ports({"PORT": text})


def test_another_port_replaces_one_that_is_taken(taken: int) -> None:
    port = preferred_port(taken)
    assert port != taken
    assert is_free(port)


def test_only_one_sandbox_runs_from_a_folder(home: Home) -> None:
    with occupied(home), pytest.raises(SandboxError, match="running"), occupied(home):
        pytest.fail("two sandboxes in one folder")
    with occupied(home):
        assert home.directory.stat().st_mode & 0o777 == 0o700


def test_scripts_find_everything_in_a_private_file(plan: Plan) -> None:
    contracts = {"5920": {"address": "0x1", "kycRegistry": "0x2"}}
    publish(plan, api_keys={"demo": "flk_x"}, contracts=contracts)
    content = json.loads(plan.home.credentials.read_text())
    assert plan.home.credentials.stat().st_mode & 0o777 == 0o600
    assert content["base_url"] == "http://127.0.0.1:8000"
    assert content["api_keys"] == {"demo": "flk_x"}
    assert content["wallets"] == plan.world.addresses
    assert set(content["services"]) == {
        "web",
        "postgres",
        "redis",
        "solana",
        "solana-websocket",
        "maker-raydium",
        "maker-meteora",
        "evm",
        *(f"evm-{chain}" for chain in range(5920, 5925)),
        "kms",
        "kuro-websocket",
        "kuro-rest",
        "raiku",
    }
    assert content["services"]["evm-5921"] == "http://127.0.0.1:7/5921/a"
    assert content["contracts"] == contracts


def test_fairlane_is_told_both_providers_of_every_chain(plan: Plan) -> None:
    settings = plan.settings
    assert settings["STABLECOIN_CHAINS"] == "5920,5921,5922,5923,5924"
    both = "http://127.0.0.1:7/5924/a,http://127.0.0.1:7/5924/b"
    assert settings["KADENA_EVM_CHAIN_5924_RPC"] == both
    assert settings["RELAYER_PRIVATE_KEY_5924"] == RELAYERS[5924].key
    assert settings["AWS_ENDPOINT_URL_KMS"] == "http://127.0.0.1:8"
    assert settings["KURO_WEBSOCKET_URL"] == "ws://127.0.0.1:9/ws"


def test_a_run_without_chains_is_one_without_the_stablecoin(plan: Plan) -> None:
    without = replace(plan, ports=replace(plan.ports, evm=None, kms=None, kuro=None))
    assert without.settings["STABLECOIN_CHAINS"] == "none"
    assert not any("KMS" in name or "KURO" in name for name in without.settings)
    assert not any(name.startswith(("evm", "kms", "kuro")) for name in without.services)
    assert [service.name for service in prerequisites(without)] == ["solana"]
    assert not any("stablecoin" in service.name for service in fleet(without, sign_in=""))
    assert {service.name for service in prerequisites(plan)} == {"solana", "evm", "kms"}


def test_fairlane_is_told_where_the_batches_keys_are_and_who_sells_block_space(plan: Plan) -> None:
    settings = plan.settings
    assert settings["BATCHES_KEYS_DIR"] == str(plan.world.coordinator_keys)
    assert settings["SOLANA_WEBSOCKET_URL"] == "ws://127.0.0.1:4"
    assert settings["RAIKU_URL"] == "http://127.0.0.1:10"
    (raiku,) = (it for it in fleet(plan, sign_in="") if it.name == "raiku")
    assert f"--token={settings['RAIKU_TOKEN']}" in raiku.command


def test_a_run_without_block_space_is_one_without_batches(plan: Plan) -> None:
    without = replace(plan, ports=replace(plan.ports, raiku=None))
    assert without.settings["BATCHES_KEYS_DIR"] == ""
    assert not any("RAIKU" in name for name in without.settings)
    assert "raiku" not in without.services
    workers = {"worker-batches", "worker-transfers", "worker-reservations"}
    of_batches = {"raiku", *workers, "traffic-batches"}
    assert {it.name for it in fleet(plan, sign_in="")} >= of_batches
    assert not {it.name for it in fleet(without, sign_in="")} & of_batches


def test_commands_by_hand_find_the_running_sandbox_and_only_that(plan: Plan) -> None:
    publish_environment(plan)
    lines = plan.home.environment.read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines) == plan.settings
    assert plan.home.environment.stat().st_mode & 0o777 == 0o600
    withdraw(plan.home)
    assert not plan.home.environment.exists()


def test_the_secret_key_outlives_a_restart(home: Home) -> None:
    key = secret_key(home)
    assert len(key) == 64
    assert secret_key(home) == key


def test_the_banner_shows_the_way_in_and_no_password(plan: Plan) -> None:
    text = banner(plan, sign_in="/sign-in/once")
    assert "http://127.0.0.1:8000/sign-in/once" in text
    assert "127.0.0.1:1" in text
    assert "secret" not in text


def test_the_banners_example_finds_the_demo_key(plan: Plan) -> None:
    publish(plan, api_keys={"demo": "flk_x"}, contracts={})
    line = next(line for line in banner(plan, sign_in="").splitlines() if "key=" in line)
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line}; echo $key"],
        cwd=plan.home.directory.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "flk_x\n"
