"""A stack with the stablecoin, in front of which operators sit."""

from collections.abc import Iterator

import pytest

from tests.browser.visitor import Visitor
from tests.issuance import Issuance
from tests.stack import STABLECOIN, Stack, running_stack

CHAIN = 5920
# In tokens: what goes on without two people.
FOUR_EYES_ABOVE = 1_000
DAILY_CAP = 1_000_000


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("treasury"), chains=[CHAIN]) as stack:
        limits = [f"--four-eyes-above={FOUR_EYES_ABOVE}", f"--daily-cap={DAILY_CAP}"]
        stack.manage(["set_limits", str(CHAIN), *limits])
        stack.start("web-1", "relay", "beat", "worker-default", *STABLECOIN)
        stack.wait_until_ready()
        stack.manage(["ensure_operator", "operator"])
        yield stack


@pytest.fixture(scope="package")
def issuance(stack: Stack) -> Issuance:
    return Issuance(stack)


@pytest.fixture
def operator(trader: Visitor) -> Visitor:
    """Somebody of the back office, at a desk, on the page."""
    trader.go("/stablecoin")
    return trader
