"""Looking at the chain for what became of a relayer's transactions."""

from collections.abc import Iterable, Sequence

from chains.evm.ports import EvmNode, Observation, Receipt
from stablecoin.relaying.confirming import Seen, doubtful
from stablecoin.relaying.rows import Open


async def look(
    node: EvmNode,
    signer: str,
    under_way: Sequence[Open],
    first: Observation,
    *,
    confirmations: int,
) -> Seen:
    """What the chain shows of transactions under way.

    A receipt is looked at together with the block it names. Those whose block is gone are asked
    for again, and those that seem to be nowhere are asked for of every provider.

    Args:
        first: of those that wait.

    Raises:
        Transient: the chain is out of reach.
    """
    receipts = _by_hash(first.receipts)
    mined = [t for t in under_way if not t.waits]
    numbers = {t.block_number for t in mined if t.block_number is not None}
    canonical = {first.head.number: first.head.hash}
    canonical |= await _hashes(node, numbers | _numbers(receipts.values()))
    undone = [t for t in mined if canonical.get(t.block_number or 0, t.block_hash) != t.block_hash]
    lost = doubtful(
        under_way, nonce=first.nonce, head=first.head.number, confirmations=confirmations
    )
    more = {}
    if undone:
        more = _by_hash((await node.observe(signer, _attempts(undone))).receipts)
    if lost:
        more |= await node.receipts(_attempts(lost))
    canonical |= await _hashes(node, _numbers(more.values()) - canonical.keys())
    return Seen(receipts | more, canonical, first.nonce, first.head.number)


def _by_hash(receipts: Iterable[Receipt | None]) -> dict[str, Receipt]:
    return {r.transaction_hash: r for r in receipts if r is not None}


def _numbers(receipts: Iterable[Receipt]) -> set[int]:
    return {r.block_number for r in receipts}


def _attempts(transactions: Iterable[Open]) -> list[str]:
    return [a.hash for t in transactions for a in t.attempts]


async def _hashes(node: EvmNode, numbers: set[int]) -> dict[int, str]:
    """The hashes of blocks that are there."""
    blocks = await node.blocks(sorted(numbers))
    return {block.number: block.hash for block in blocks if block is not None}
