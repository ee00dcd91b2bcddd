"""A stack with fair batches, in front of which traders sit."""

from collections.abc import Iterator

import pytest

from tests.browser.visitor import Visitor
from tests.stack import BATCHES, Stack, running_stack

MARKET = "SOL-USDC"


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("batches"), batches=True) as stack:
        stack.start("web-1", *BATCHES, "worker-default", "beat", "relay")
        stack.wait_until_ready()
        stack.manage(["ensure_operator", "operator"])
        yield stack


def open_page(visitor: Visitor) -> None:
    """Open the page of batches, and wait until a batch takes orders."""
    visitor.go(f"/batches#{MARKET}")
    visitor.wait_for_text("#batches-connection", "Live")
    visitor.wait_for_text("#coming", "Takes orders")


@pytest.fixture
def desk(trader: Visitor) -> Visitor:
    """Somebody who signed in, at a desk, on the page."""
    open_page(trader)
    return trader
