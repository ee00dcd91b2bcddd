"""Ports, the lock, and what Fairlane and scripts are told."""

import json
import socket
import subprocess
from collections.abc import Iterator

import pytest

from sandbox.banner import banner
from sandbox.credentials import publish, publish_environment, secret_key, withdraw
from sandbox.errors import SandboxError
from sandbox.home import Home, occupied
from sandbox.plan import Plan, choose_ports
from sandbox.ports import HOST, free_port, is_free, preferred_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_all_ports_follow_the_web_port() -> None:
    web = free_port(adjacent=7)
    ports = choose_ports({"PORT": str(web)})
    assert (ports.web, ports.postgres, ports.redis, ports.solana) == (
        web,
        web + 1,
        web + 2,
        web + 3,
    )
    assert ports.makers == {"raydium": web + 5, "meteora": web + 6}


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
    publish(plan, api_keys={"demo": "flk_x"})
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
    }


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
    publish(plan, api_keys={"demo": "flk_x"})
    line = next(line for line in banner(plan, sign_in="").splitlines() if "key=" in line)
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line}; echo $key"],
        cwd=plan.home.directory.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "flk_x\n"
