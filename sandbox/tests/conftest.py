"""What the sandbox's own tests share."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sandbox.home import Home
from sandbox.plan import Plan, Ports
from sandbox.world import World, write_world

PATIENCE_SECONDS = 30


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return write_world(tmp_path_factory.mktemp("world"), traders=2)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.logs.mkdir(parents=True)
    return home


@pytest.fixture
def plan(world: World, home: Home) -> Plan:
    return Plan(
        ports=Ports(
            web=8000,
            postgres=1,
            redis=2,
            solana=3,
            makers={"raydium": 5, "meteora": 6},
            evm=7,
            kms=8,
            kuro=9,
            raiku=10,
        ),
        world=world,
        database_url="postgres://postgres:secret@127.0.0.1:1/fairlane",
        redis_url="redis://:secret@127.0.0.1:2/0",
        secret_key="k" * 64,
        started=("postgres", "redis"),
        home=home,
    )


def is_running(pid: int) -> bool:
    """Whether a process lives; one that only waits to be reaped does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)
