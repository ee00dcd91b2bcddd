"""Child processes that never outlive their parent, and the handle tests and supervisor hold."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.errors import SandboxError

PR_SET_PDEATHSIG = 1
# Loaded before any fork: loading a library between fork and exec may deadlock.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
POLL_SECONDS = 0.02


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel end this process when the thread that started it ends (Linux only)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, by)


@dataclass
class Part:
    """One running part of the outside world."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, *, seconds: float = 10) -> None:
        """End the process in an orderly way, or by force after `seconds`; may be called twice."""
        if self.is_alive():
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in its own session, bound to the calling thread's life, output to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - prctl only, its library is loaded
        )
    if stdin is not None:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
    return process


def wait_until_ready(part: Part, ready: Callable[[], bool], *, seconds: float = 30) -> Part:
    """Return the part once `ready` holds.

    Raises:
        SandboxError: it ended or was not ready in time; the message has its log's last lines.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not part.is_alive():
            status = part.process.returncode
            raise SandboxError(f"{part.name} ended with status {status}.\n{log_tail(part.log)}")
        if time.monotonic() > deadline:
            part.stop()
            raise SandboxError(
                f"{part.name} was not ready after {seconds:.0f} s.\n{log_tail(part.log)}"
            )
        time.sleep(POLL_SECONDS)
    return part


def log_tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log with its path above them, for a message."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        text = ""
    shown = "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
    return f"Last lines of {os.path.relpath(log)}:\n{shown or '  (empty)'}"
