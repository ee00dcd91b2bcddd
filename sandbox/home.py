"""The one folder the sandbox keeps everything in."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folder's layout."""

    directory: Path

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    @property
    def redis(self) -> Path:
        return self.directory / "redis"

    @property
    def ledger(self) -> Path:
        return self.directory / "ledger"

    @property
    def chains(self) -> Path:
        """The EVM chains' states."""
        return self.directory / "chains"

    @property
    def kms_key(self) -> Path:
        """The key of the key service: contracts were deployed to trust it."""
        return self.directory / "kms.pem"

    @property
    def approvals(self) -> Path:
        """What the compliance service has approved."""
        return self.directory / "kuro.jsonl"

    @property
    def metrics(self) -> Path:
        return self.directory / "metrics"

    @property
    def secrets(self) -> Path:
        """What later starts need again: Django's secret key, the demo API key."""
        return self.directory / "secrets.json"

    @property
    def credentials(self) -> Path:
        """For scripts; there while the sandbox is ready."""
        return self.directory / "credentials.json"

    @property
    def environment(self) -> Path:
        """The settings of the running sandbox, which `manage.py` reads; there while it runs."""
        return self.directory / "environment"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


HOME = Home(Path(os.environ.get("SANDBOX_HOME") or REPOSITORY / ".sandbox"))


@contextmanager
def occupied(home: Home) -> Iterator[None]:
    """Be the folder's only sandbox; the lock goes with the process, however it ends.

    Raises:
        SandboxError: another sandbox runs from this folder.
    """
    for folder in (home.directory, home.logs):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    with (home.directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SandboxError(
                f"A sandbox is running from {home.directory} already. Stop it with Ctrl-C in its "
                "terminal, or use another clone."
            ) from error
        yield
