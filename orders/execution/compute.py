"""How many compute units a swap may use, and what is paid for each.

Swaps of one shape (the two mints, whether an account is created) use the same units
but for the search of a new account's address; so one of each shape is simulated, and its figure
serves the others.
"""

from collections.abc import Sequence

from chains.ports import Blockhash, SolanaNode
from chains.solana import swap
from chains.solana.swap import ComputeBudget, Swap

Shape = tuple[str, str, bool]

# The runtime's own default for one instruction: what a simulation starts with.
UNMEASURED_LIMIT = 200_000
# Ten further steps of the address search, at 1,500 units each: passed by one account in 1,000.
CREATION_MARGIN = 15_000
# Accounts that are looked at for the going priority fee: the RPC takes 128 at most.
SAMPLED_ACCOUNTS = 128

_measured: dict[Shape, int] = {}


def shape(terms: Swap) -> Shape:
    return (terms.sell.mint, terms.buy.mint, terms.create_output_account)


async def budgets(
    node: SolanaNode, swaps: Sequence[Swap], blockhash: Blockhash
) -> list[ComputeBudget]:
    """The compute budget of each swap: units used in simulation and 15 %, at the going price.

    Raises:
        ChainError: the node does not answer.
    """
    if not swaps:
        return []
    await _measure(node, {shape(s): s for s in swaps if shape(s) not in _measured}, blockhash)
    accounts = sorted({swap.token_account(s.maker, s.buy) for s in swaps})
    price = await node.prioritization_fee(accounts[:SAMPLED_ACCOUNTS])
    return [ComputeBudget(_measured.get(shape(s), UNMEASURED_LIMIT), price) for s in swaps]


async def _measure(node: SolanaNode, samples: dict[Shape, Swap], blockhash: Blockhash) -> None:
    if not samples:
        return
    transactions = [
        swap.unsigned(swap.build(sample, blockhash=blockhash.value)) for sample in samples.values()
    ]
    results = await node.simulate(transactions)
    for key, result in zip(samples, results, strict=True):
        if result.err is None:
            margin = CREATION_MARGIN if key[2] else 0
            # The two compute budget instructions themselves cost 150 units each.
            _measured[key] = -(-(result.units_consumed + 300) * 115 // 100) + margin
