"""Interrupt a process at a checkpoint: kill it there, or hold it there until it is let go.

Tests and processes meet in a folder: a file named after a point says what happens to the first
process that reaches it.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

# Names the folder to the processes.
VARIABLE = "TEST_INTERRUPTIONS"
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Interruptions:
    """What is to happen at which points."""

    folder: Path

    def kill_at(self, point: str) -> None:
        """Let the first process that gets to ``point`` die there with its whole group."""
        (self.folder / f"{point}.kill").touch()

    def hold_at(self, point: str) -> None:
        """Let the first process that gets to ``point`` wait there for ``release``."""
        (self.folder / f"{point}.hold").touch()

    def is_armed(self, point: str) -> bool:
        """Whether nobody has got to a point where something is to happen."""
        return any((self.folder / f"{point}.{deed}").exists() for deed in ("kill", "hold"))

    def is_held(self, point: str) -> bool:
        return (self.folder / f"{point}.held").exists()

    def release(self, point: str) -> None:
        """Let whoever waits at ``point`` go on, and nobody be held there from now on."""
        for deed in ("hold", "held"):
            (self.folder / f"{point}.{deed}").unlink(missing_ok=True)

    def clear(self) -> None:
        """Interrupt nobody any more."""
        for file in self.folder.iterdir():
            file.unlink(missing_ok=True)

    def observe(self, point: str) -> None:
        """In a process: ``point`` is reached."""
        if self._take(point, "kill", "killed"):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        if self._take(point, "hold", "held"):
            while self.is_held(point):
                time.sleep(POLL_SECONDS)

    def _take(self, point: str, deed: str, done: str) -> bool:
        """Whether this process is the first to come here; a rename has one winner."""
        try:
            (self.folder / f"{point}.{deed}").rename(self.folder / f"{point}.{done}")
        except FileNotFoundError:
            return False
        return True


def install() -> None:
    """Heed interruptions in this process and its children."""
    from fairlane.core import checkpoints

    checkpoints.observe(Interruptions(Path(os.environ[VARIABLE])).observe)
