"""Waiting on conditions."""

import time
from collections.abc import Callable

POLL_S = 0.02
# Nothing takes this long; a machine that is busy with other things may.
PATIENCE_S = 90.0


def until(condition: Callable[[], object]) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s in vain"
        time.sleep(POLL_S)
