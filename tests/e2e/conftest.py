"""One stack for all flows: they run beside each other on one Fairlane, as callers do."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from sandbox.world import MAKERS
from tests import clients
from tests.stack import EVERYTHING, Stack, running_stack

QUIET = {"quoteDelayMs": 0, "executionDelayMs": 0, "failureRate": 0, "slippageBps": 0}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("e2e")) as stack:
        stack.start(*EVERYTHING)
        stack.wait_until_ready()
        yield stack


@pytest.fixture(autouse=True)
def nothing_left_behind(stack: Stack) -> Iterator[None]:
    """Interruptions that nobody came across do not wait for the next test."""
    yield
    stack.interruptions.clear()


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with clients.api(stack) as client:
        yield client


@pytest_asyncio.fixture
async def other_web(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with clients.api(stack, web="web-2") as client:
        yield client


@pytest.fixture
def makers(stack: Stack) -> Iterator[clients.Makers]:
    """The makers' knobs, which are turned back at the end."""
    makers = clients.Makers([stack.maker_url(name) for name in MAKERS])
    yield makers
    makers.turn(**QUIET)
