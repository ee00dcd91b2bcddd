"""Scratch directories of test sessions, which may be killed."""

import subprocess
import sys
from pathlib import Path

from sandbox.home import REPOSITORY
from sandbox.scratch import scratch_directory

ABANDON = """
import os, sys
from pathlib import Path
from sandbox.scratch import scratch_directory
with scratch_directory(Path(sys.argv[1])) as directory:
    print(directory, flush=True)
    os._exit(9)
"""


def test_a_directory_lasts_as_long_as_its_owner(tmp_path: Path) -> None:
    with scratch_directory(tmp_path) as first, scratch_directory(tmp_path) as second:
        assert first != second
        assert first.is_dir()
    assert not first.exists()
    assert not second.exists()


def test_what_a_dead_owner_left_is_swept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ABANDON, str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    abandoned = Path(done.stdout.strip())
    assert abandoned.is_dir()
    with scratch_directory(tmp_path):
        assert not abandoned.exists()
