"""The stablecoin's books, for `manage.py reconcile`: each chain's supply and locked tokens."""

from collections.abc import Sequence
from dataclasses import asdict

from chains import registry as adapters
from chains.errors import Transient
from fairlane.core import reconciling
from fairlane.core.reconciling import Books, Finding
from stablecoin import reconciliation, registry


def register() -> None:
    """Let the command compare every chain that is served."""
    reconciling.register(Books(_names, _check))


def _names() -> Sequence[str]:
    return [str(chain_id) for chain_id in sorted(registry.chains())]


def _check(name: str) -> Finding:
    chain = registry.chains()[int(name)]
    node = adapters.evm(chain.chain_id)
    sides = adapters.run(reconciliation.check(chain, node, actor="command:reconcile"))
    if sides is None:
        raise Transient("it could not be read")
    told = {k: str(v) if v is not None else None for k, v in asdict(sides).items()}
    return Finding(name, sides.agree, str(sides), {"chainId": chain.chain_id, **told})
