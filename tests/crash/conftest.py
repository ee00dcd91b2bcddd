"""One stack for all crashes, whose leases are short: how long a dead worker's orders wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuance import Issuance
from tests.stack import STABLECOIN, TWINS, WORKERS, Stack, running_stack

PROCESSES = ("web-1", *WORKERS, "beat", "relay")
ISSUING = (*STABLECOIN, "worker-default", "beat")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.crash)


@pytest.fixture(scope="package")
def crash_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("crash")
    with running_stack(folder, TASK_TIME_LIMIT_SECONDS="3", ORDERS_LEASE_SECONDS="4") as stack:
        stack.start(*PROCESSES)
        stack.wait_until_ready()
        yield stack


@pytest.fixture
def stack(crash_stack: Stack) -> Iterator[Stack]:
    """The stack in good order, and checked to be so again at the end."""
    yield crash_stack
    crash_stack.interruptions.clear()
    crash_stack.chain.faults(dropRate=0, delayMs=0, errorRate=0, lostAnswerRate=0, rpcErrors={})
    dead = [name for name in PROCESSES if not crash_stack.is_alive(name)]
    crash_stack.start(*dead)
    crash_stack.wait_until_ready()
    assert not dead, f"{dead} did not outlive the test"


@pytest.fixture(scope="package")
def crash_issuance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuance]:
    with running_stack(
        tmp_path_factory.mktemp("issuance"),
        chains=[5920],
        TASK_TIME_LIMIT_SECONDS="3",
        STABLECOIN_LEASE_SECONDS="4",
    ) as stack:
        stack.start(*ISSUING)
        yield Issuance(stack)


@pytest.fixture
def issuance(crash_issuance: Issuance) -> Iterator[Issuance]:
    """The stablecoin's stack in good order, and checked to be so again at the end."""
    yield crash_issuance
    stack = crash_issuance.stack
    stack.interruptions.clear()
    stack.stop(*(name for name in TWINS if name in stack.parts))
    crash_issuance.chain.heal()
    crash_issuance.turn_kms(down=False, throttle=0.0, delay_ms=0)
    dead = [name for name in ISSUING if not stack.is_alive(name)]
    stack.start(*dead)
    assert not dead, f"{dead} did not outlive the test"
