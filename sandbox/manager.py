"""honcho's process manager, told how our processes want to be started and stopped."""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from functools import partial
from typing import Any

from honcho import manager, process
from honcho.compat import ProcessManager

from sandbox.fleet import Service
from sandbox.home import REPOSITORY
from sandbox.plan import Plan
from sandbox.printer import CompactPrinter
from sandbox.processes import die_with_parent


class Manager(manager.Manager):  # type: ignore[misc]
    """Runs services until one ends or a signal comes, then stops all."""

    def __init__(self, plan: Plan, services: list[Service]) -> None:
        super().__init__(CompactPrinter(plan.home))
        self._process_ctor = _Process
        self._procmgr = _Signals()
        self.ended_first: list[tuple[str, int]] = []
        for service in services:
            env = plan.environment | dict(service.env)
            added = self.add_process(service.name, service.command, env=env, cwd=str(REPOSITORY))
            added.end_if_orphaned(service.if_orphaned)

    def terminate(self) -> None:
        if not self._terminating:
            self.ended_first = [
                (name, state["returncode"])
                for name, state in self._processes.items()
                if "returncode" in state
            ]
        super().terminate()


class _Process(process.Process):  # type: ignore[misc]
    """Runs a command without a shell, in a pair of processes that cannot be orphaned."""

    def end_if_orphaned(self, by: signal.Signals) -> None:
        self._child_ctor = partial(_spawn, orphaned=by)

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        # honcho's middleman ignores SIGTERM, so only SIGKILL ends it with the supervisor.
        die_with_parent(signal.SIGKILL)
        super().run(events, ignore_signals)


def _spawn(
    command: list[str], *, orphaned: signal.Signals, **options: Any
) -> subprocess.Popen[bytes]:
    child: subprocess.Popen[bytes]
    bind = partial(die_with_parent, orphaned)
    child = process.Popen(command, shell=False, preexec_fn=bind, **options)
    threading.Thread(target=_end_group, args=[child], daemon=True).start()
    return child


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Let nobody outlive a leader that was killed: web processes would keep its port, and its
    output open, by which honcho would never learn that it ended."""
    child.wait()
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


class _Signals(ProcessManager):  # type: ignore[misc]
    def terminate(self, pid: int) -> None:
        """SIGTERM to the process alone. honcho sends it to the whole group, which would take the
        pool from under a Celery worker that is about to let it finish its work."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
