"""The whole sandbox, started and ended in every way it can be, on one folder."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from sandbox.home import REPOSITORY, Home
from sandbox.ports import HOST, free_port
from sandbox.tests.conftest import is_running, wait_for

pytestmark = pytest.mark.e2e

START_SECONDS = 120
STOP_SECONDS = 20
# What would make the sandbox use, or Fairlane see, something of the test session's own.
SESSIONS = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR"}


class Run:
    """One run of `python -m sandbox`."""

    def __init__(self, home: Home, *, port: int, **environment: str) -> None:
        self.home = home
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox"],
            cwd=REPOSITORY,
            env={name: value for name, value in os.environ.items() if name not in SESSIONS}
            | {"SANDBOX_HOME": str(home.directory), "PORT": str(port)}
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ready(self) -> dict[str, Any]:
        """The credentials, once this run has written them: a killed one leaves its own."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(FileNotFoundError):
                content: dict[str, Any] = json.loads(self.home.credentials.read_text())
                if urlsplit(content["base_url"]).port == self.port:
                    return content
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, "not ready in time"
            time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def pid_of(self, name: str) -> int:
        """The process honcho runs under a name, or what was started beside it."""
        children = psutil.Process(self.process.pid).children()
        if name in ("postgres", "redis"):
            return next(child.pid for child in children if child.name().startswith(name))
        if name in ("solana", "evm"):
            module = f"sandbox.services.{name}"
            return next(it.pid for it in children if module in it.cmdline())
        log = self.home.log("system").read_text()
        line = next(line for line in log.splitlines() if line.startswith(f"{name} started"))
        return int(line.split("pid=")[1].rstrip(")"))

    def output(self) -> str:
        """Everything it printed, at its end."""
        return self.process.communicate(timeout=STOP_SECONDS)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture
def start(home: Home) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(**environment: str) -> Run:
        port = int(environment.pop("PORT", 0)) or free_port(adjacent=11)
        runs.append(Run(home, port=port, **environment))
        return runs[-1]

    yield start
    for run in runs:
        with contextlib.suppress(ProcessLookupError):
            run.process.kill()
        run.process.communicate()


def orders(credentials: dict[str, Any]) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{credentials['base_url']}/api/orders",
        headers={"Authorization": f"Bearer {credentials['api_keys']['demo']}"},
    )
    answer.raise_for_status()
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def gone(processes: list[psutil.Process]) -> bool:
    return not any(is_running(process.pid) for process in processes)


def test_demo_orders_are_confirmed_and_ctrl_c_leaves_nothing(
    start: Callable[..., Run], home: Home
) -> None:
    run = start(MOCK_DEX_EXECUTION_DELAY_MS="0", MOCK_DEX_FAILURE_RATE="0")
    credentials = run.ready()
    wait_for(
        lambda: any(order["status"] == "CONFIRMED" for order in orders(credentials)),
        "a confirmed demo order",
    )
    family = run.family()
    assert len(family) > 10

    run.process.send_signal(signal.SIGINT)
    output = run.output()

    assert run.process.returncode == 0
    assert "/sign-in/" in output
    assert output.rstrip().endswith("Stopped")
    assert gone(family)
    assert not home.credentials.exists()


@pytest.mark.timeout(2 * START_SECONDS + 60)
def test_a_restart_after_a_kill_finds_the_same_world(start: Callable[..., Run]) -> None:
    killed = start(TRAFFIC="0")
    before = killed.ready()
    sent = httpx.post(
        f"{before['base_url']}/api/orders",
        headers={"Authorization": f"Bearer {before['api_keys']['demo']}"},
        json={
            "userWallet": before["wallets"]["trader-01"],
            "inputToken": "SOL",
            "outputToken": "USDC",
            "inputAmount": "1",
        },
    )
    assert sent.status_code == 201
    family = killed.family()
    for task in psutil.Process(killed.pid_of("worker-batches")).children():
        task.suspend()  # stuck: a worker that waits for its tasks would outlive the sandbox
    killed.process.kill()
    wait_for(lambda: gone(family), "the end of the killed sandbox's processes")

    again = start(TRAFFIC="0")
    after = again.ready()

    assert after["wallets"] == before["wallets"]
    assert after["api_keys"] == before["api_keys"]
    assert sent.json()["orderId"] in {order["orderId"] for order in orders(after)}
    again.process.terminate()
    again.output()
    assert again.process.returncode == 0


@pytest.mark.parametrize("name", ["worker-orders", "web", "postgres", "solana", "evm"])
def test_the_death_of_a_part_stops_all_and_is_explained(
    name: str, start: Callable[..., Run]
) -> None:
    run = start(TRAFFIC="0")
    run.ready()
    family = run.family()

    os.kill(run.pid_of(name), signal.SIGKILL)
    output = run.output()

    assert run.process.returncode == 1
    assert f"{name} was killed by signal 9" in output or f"{name} has ended" in output
    assert f"{name}.log" in output
    assert gone(family)


def test_a_second_sandbox_in_the_folder_is_refused(start: Callable[..., Run]) -> None:
    first = start(TRAFFIC="0")
    first.ready()

    second = start()

    assert "A sandbox is running from" in second.output()
    assert second.process.returncode == 1
    assert first.process.poll() is None
    first.process.terminate()
    first.output()


def test_a_taken_port_is_refused(start: Callable[..., Run]) -> None:
    with socket.create_server((HOST, 0)) as server:
        run = start(PORT=str(server.getsockname()[1]))
        assert "is taken by another program" in run.output()
    assert run.process.returncode == 1
