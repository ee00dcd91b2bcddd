"""Throw-away directories that a killed owner cannot leave behind for ever."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "owner.lock"


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """A new directory under `parent`, removed at the end; removes those of dead owners too."""
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / "sweep.lock").open("w") as sweeping:
        fcntl.flock(sweeping, fcntl.LOCK_EX)
        for old in parent.glob("run-*"):
            _remove_if_abandoned(old)
        directory = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        owner = (directory / LOCK).open("w")
        fcntl.flock(owner, fcntl.LOCK_EX)
    with owner:
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _remove_if_abandoned(directory: Path) -> None:
    """A dead owner holds no lock."""
    try:
        with (directory / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    except FileNotFoundError:
        pass  # it died before it took its lock
    shutil.rmtree(directory, ignore_errors=True)
