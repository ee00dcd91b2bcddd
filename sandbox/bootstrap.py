"""Bring the database to where Fairlane can start, by Fairlane's own commands."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.coordinator import approve_coordinator, fund_coordinator
from sandbox.errors import SandboxError
from sandbox.evm import DEPLOYER, HOLDERS, heal, knobs
from sandbox.home import REPOSITORY
from sandbox.kyc import identify
from sandbox.markets import MARKETS, POOLED
from sandbox.plan import Plan
from sandbox.processes import log_tail

OPERATOR = "operator"
# In tokens; see `manage.py set_limits`.
LIMITS = ("--four-eyes-above=10000", "--per-request-cap=100000", "--daily-cap=5000000")
# A contract that is there stays, however the one that would be deployed today differs from it.
STABLECOIN = """\
import json
from stablecoin.models import Chain
deployed = Chain.objects.exclude(contract="")
missing = sorted({chains} - set(deployed.values_list("chain_id", flat=True)))
if missing:
    call_command("deploy_stablecoin", *map(str, missing))
for chain in missing:
    call_command("set_limits", str(chain), *{limits}, "--initial")
print(json.dumps({{
    chain.chain_id: {{"address": chain.contract, "kycRegistry": chain.kyc_registry}}
    for chain in deployed.all()
}}))
"""
# So does a market, whatever an operator has made of it since; its pool is funded once.
OPEN_MARKETS = """\
from batches.models import Market
for name, command in {commands}.items():
    if not Market.objects.filter(name=name).exists():
        call_command(*command)
for name, command in {deposits}.items():
    if Market.objects.filter(name=name, uses_pool=True).exists():
        call_command(*command)
"""


@dataclass(frozen=True)
class Prepared:
    """
    sign_in: the path of a one-time sign-in link for the operator.
    contracts: the stablecoin's by chain id: `address` and `kycRegistry`.
    """

    sign_in: str
    contracts: dict[str, dict[str, str]]


def bootstrap(plan: Plan) -> Prepared:
    """Run every step, each of which changes nothing where nothing is missing.

    Raises:
        SandboxError: a step failed; the message has its output.
    """
    commands: list[tuple[str, ...]] = [
        ("migrate", "--no-input"),
        ("sync_tokens", str(plan.world.tokens)),
        ("sync_wallets",),
        ("sync_schedule",),
        ("ensure_operator", OPERATOR),
    ]
    # One process for all: starting Django takes longer than most of the steps.
    calls = "".join(f"call_command(*{command!r})\n" for command in commands)
    stablecoin = STABLECOIN.format(chains=set(plan.chains), limits=LIMITS)
    link = f"call_command('sign_in_link', {OPERATOR!r})\n"
    opened = {market.name: market.command for market in MARKETS} if plan.batches else {}
    funded = POOLED if plan.batches else ()
    deposits = {market.name: market.funding(plan.world.treasury_key) for market in funded}
    markets = OPEN_MARKETS.format(commands=opened, deposits=deposits)
    code = f"from django.core.management import call_command\n{calls}{markets}{stablecoin}{link}"
    shell = ("shell", "--no-imports", "--command", code)
    if plan.batches:
        fund_coordinator(plan.services["solana"], plan.world)
        approve_coordinator(plan.services["solana"], plan.world)
    with _hurrying(plan):
        said = manage(plan, *shell, DEPLOYER_PRIVATE_KEY=DEPLOYER.key).splitlines()
        prepared = Prepared(contracts=json.loads(said[-2]), sign_in=said[-1])
        for chain in plan.chains:
            registry = prepared.contracts[str(chain)]["kycRegistry"]
            identify(plan.services["evm"], chain, registry, HOLDERS)
    return prepared


@contextmanager
def _hurrying(plan: Plan) -> Iterator[None]:
    """With chains that make a block for every transaction: a deployment takes many."""
    for chain in plan.chains:
        knobs(plan.services["evm"], chain, block_ms=0)
    yield
    for chain in plan.chains:
        heal(plan.services["evm"], chain)


def manage(plan: Plan, *arguments: str, **environment: str) -> str:
    """Run a Django command of Fairlane's; returns what it printed.

    Raises:
        SandboxError: it failed.
    """
    log = plan.home.log("bootstrap")
    with log.open("ab") as errors:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=plan.environment | environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=False,
        )
    if done.returncode != 0:
        raise SandboxError(f"manage.py {arguments[0]} failed.\n{log_tail(log)}")
    return done.stdout.decode().strip()
