"""A stack for swap orders, in front of which traders sit."""

from collections.abc import Iterator

import pytest

from tests.stack import EVERYTHING, Stack, running_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("browser")) as stack:
        stack.start(*(name for name in EVERYTHING if name != "web-2"))
        stack.wait_until_ready()
        stack.manage(["ensure_operator", "operator"])
        yield stack
