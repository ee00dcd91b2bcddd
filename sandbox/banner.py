"""What the sandbox says when it is ready."""

from sandbox.evm import PROVIDERS
from sandbox.plan import Plan
from sandbox.ports import HOST

EXAMPLE = """\
  key=$(sed -n 's/.*"demo": "\\(.*\\)"/\\1/p' {credentials})
  curl -s {base_url}/api/orders/execute -H "Authorization: Bearer $key" \\
       -H 'Content-Type: application/json' \\
       -d '{{"userWallet": "{wallet}", "inputToken": "SOL", "outputToken": "USDC", \
"inputAmount": "0.1"}}'"""


def banner(plan: Plan, *, sign_in: str) -> str:
    """What runs where, the way in, and an order to try.

    Args:
        sign_in: the path of a one-time sign-in link.
    """
    credentials = plan.home.credentials.relative_to(plan.home.directory.parent)
    rows = [
        ("Sign in (once)", plan.base_url + sign_in),
        ("API reference", f"{plan.base_url}/api/docs"),
        ("Admin", f"{plan.base_url}/admin/"),
        ("PostgreSQL", _where(plan, "postgres")),
        ("Redis", _where(plan, "redis")),
        ("Solana node", plan.services["solana"]),
        *((f"Maker {name}", url) for name, url in plan.makers.items()),
        *_stablecoin(plan),
        *([("Block space", plan.services["raiku"])] if plan.batches else []),
        ("For scripts", str(credentials)),
        ("Logs", str(plan.home.logs.relative_to(plan.home.directory.parent))),
    ]
    example = EXAMPLE.format(
        credentials=credentials,
        base_url=plan.base_url,
        wallet=next(iter(plan.world.addresses.values())),
    )
    return "\n".join(
        [
            "",
            f"Fairlane runs on {plan.base_url}   (Ctrl-C stops it)",
            "",
            *(f"  {title:<16}{value}" for title, value in rows),
            "",
            "  A new sign-in link:  .venv/bin/python manage.py sign_in_link operator",
            "  Sample orders:       .venv/bin/python manage.py seed_orders",
            "",
            example,
            "",
        ]
    )


def _stablecoin(plan: Plan) -> list[tuple[str, str]]:
    if not plan.chains:
        return []
    first, last = plan.chains[0], plan.chains[-1]
    evm = plan.services["evm"]
    return [
        ("EVM chains", f"{evm}/{{{first}..{last}}}/{{{','.join(PROVIDERS)}}}"),
        ("Key service", plan.services["kms"]),
        ("Compliance", plan.services["kuro-rest"]),
    ]


def _where(plan: Plan, name: str) -> str:
    """Where a database listens; its password stays out of terminals."""
    if name not in plan.started:
        return "yours, from the environment"
    port = {"postgres": plan.ports.postgres, "redis": plan.ports.redis}[name]
    return f"{HOST}:{port}"
