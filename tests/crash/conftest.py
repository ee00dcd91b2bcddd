"""One stack for all crashes, whose leases are short: how long a dead worker's orders wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import WORKERS, Stack, running_stack

PROCESSES = ("web-1", *WORKERS, "beat", "relay")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.crash)


@pytest.fixture(scope="package")
def crash_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    limits = {"TASK_TIME_LIMIT_SECONDS": "3", "ORDERS_LEASE_SECONDS": "4"}
    with running_stack(tmp_path_factory.mktemp("crash"), **limits) as stack:
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
