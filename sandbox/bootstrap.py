"""Bring the database to where Fairlane can start, by Fairlane's own commands."""

import subprocess
import sys

from sandbox.errors import SandboxError
from sandbox.home import REPOSITORY
from sandbox.plan import Plan
from sandbox.processes import log_tail

OPERATOR = "operator"


def bootstrap(plan: Plan) -> str:
    """Run every step, each of which changes nothing where nothing is missing.

    Returns:
        The path of a one-time sign-in link for the operator.

    Raises:
        SandboxError: a step failed; the message has its output.
    """
    commands = (
        ("migrate", "--no-input"),
        ("sync_tokens", str(plan.world.tokens)),
        ("sync_wallets",),
        ("sync_schedule",),
        ("ensure_operator", OPERATOR),
        ("sign_in_link", OPERATOR),
    )
    # One process for all: starting Django takes longer than most of the steps.
    calls = "".join(f"call_command(*{command!r})\n" for command in commands)
    code = f"from django.core.management import call_command\n{calls}"
    return manage(plan, "shell", "--no-imports", "--command", code).splitlines()[-1]


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
