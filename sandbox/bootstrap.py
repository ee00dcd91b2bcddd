"""Bring the database to where Fairlane can start: schema, schedule, tokens, operator."""

import subprocess
import sys
from collections.abc import Callable

from sandbox.errors import SandboxError
from sandbox.home import REPOSITORY
from sandbox.plan import Plan
from sandbox.processes import log_tail

OPERATOR = "operator"


def bootstrap(plan: Plan, *, say: Callable[[str], None]) -> None:
    """Run each step, which changes nothing where nothing is missing.

    Raises:
        SandboxError: a step failed; the message has its output.
    """
    steps = (
        ("Migrating the database", ("migrate", "--no-input")),
        ("Loading the tokens", ("sync_tokens", str(plan.world.tokens))),
        ("Registering the wallets", ("sync_wallets",)),
        ("Setting the schedule", ("sync_schedule",)),
        ("Preparing the operator's account", ("ensure_operator", OPERATOR)),
    )
    for title, arguments in steps:
        say(title)
        manage(plan, *arguments)


def manage(plan: Plan, *arguments: str) -> str:
    """Run a Django command of Fairlane's; returns what it printed.

    Raises:
        SandboxError: it failed.
    """
    log = plan.home.log("bootstrap")
    with log.open("ab") as errors:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=plan.environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=False,
        )
    if done.returncode != 0:
        raise SandboxError(f"manage.py {arguments[0]} failed.\n{log_tail(log)}")
    return done.stdout.decode().strip()
