"""What the chain says of a published batch: asked of a node, for its verification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from batches import anchoring
from batches.bundle import Bundle
from batches.evidence import Anchored, ChainTransaction, Listing, Moved
from chains.errors import ChainError
from chains.http import Http
from chains.ports import LandedTransaction, ListedTransaction, SolanaNode
from chains.solana import anchor
from chains.solana.client import LISTED_PER_CALL, SolanaClient

# As for the node of the settings.
RPC_TIMEOUT_S = 10
# 10,000 transactions of the coordinator: minutes of a busy one, beyond what is searched.
_PAGES = 10
# Whoever names the coordinator in a transaction is in its list, with any memo.
_MOST_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node has told of a bundle.

    Attributes:
        transactions: those that the bundle names, as far as they are final, by signature.
        listing: the anchors beside its own; None where the node cannot tell them all.
    """

    transactions: Mapping[str, ChainTransaction]
    listing: Listing | None


async def read_at(url: str, bundle: Bundle, earlier: Sequence[Bundle] = ()) -> Reading:
    """Read what the node at a URL has."""
    http = Http(timeout_s=RPC_TIMEOUT_S)
    try:
        return await read(SolanaClient(url, http), bundle, earlier)
    finally:
        await http.aclose()


async def read(node: SolanaNode, bundle: Bundle, earlier: Sequence[Bundle] = ()) -> Reading:
    """Read what there is; of a node that does not answer, nothing.

    Args:
        earlier: whose anchors are read too.
    """
    anchors = (each.anchor for each in earlier)
    names = (bundle.anchor, bundle.tick.previous_anchor, *bundle.settlements, *anchors)
    named = list(dict.fromkeys(name for name in names if name is not None))
    found = await node.transactions(named, "finalized") if named else []
    transactions = {
        landed.signature: _evidence(landed)
        for landed in found
        if landed is not None and landed.err is None
    }
    try:
        listing = await _listing(node, bundle, earlier, transactions)
    except ChainError:
        listing = None
    return Reading(transactions, listing)


async def _listing(
    node: SolanaNode,
    bundle: Bundle,
    earlier: Sequence[Bundle],
    transactions: Mapping[str, ChainTransaction],
) -> Listing | None:
    if bundle.anchor not in transactions:
        return None
    first, last = anchoring.searched(bundle.header)
    # Where those before it have no anchor, the list shows it if it goes back as far as for them.
    rolled = (anchoring.searched(e.header)[0] for e in earlier if e.anchor is None)
    first = min([first, *(each for each in rolled if each > first - anchoring.SEARCHED_SLOTS)])
    before = _settlement_after(bundle, transactions, last)
    if before is None and await node.slot("finalized") <= last:
        return None
    lines = await _lines(node, bundle.coordinator, before, first)
    if lines is None:
        return None
    ticks = {each.tick.number for each in (bundle, *earlier)}
    marks = {f" prev={Pubkey.from_bytes(bundle.tick.previous)}", *(f" t={t} " for t in ticks)}
    candidates = [
        line.signature
        for line in lines
        if first <= line.slot <= last and any(mark in (line.memo or "") for mark in marks)
    ]
    if len(candidates) > _MOST_CANDIDATES:
        return None
    found = await node.transactions(candidates, "finalized")
    landed = [each for each in found if each is not None]
    if len(landed) < len(candidates):
        return None
    anchors = ((each.slot, anchor.landed(each, payer=bundle.coordinator)) for each in landed)
    return Listing(first, last, tuple(Anchored(slot, a) for slot, a in anchors if a is not None))


def _settlement_after(
    bundle: Bundle, transactions: Mapping[str, ChainTransaction], last: int
) -> str | None:
    """A transaction of the coordinator soon after the stretch, to begin the list from."""
    slots = {s: transactions[s].slot for s in bundle.settlements if s in transactions}
    after = [signature for signature, slot in slots.items() if slot > last]
    return min(after, key=lambda signature: slots[signature], default=None)


async def _lines(
    node: SolanaNode, address: str, before: str | None, first: int
) -> list[ListedTransaction] | None:
    """The address' transactions back to a slot; None where the node cannot list them all."""
    lines: list[ListedTransaction] = []
    for _ in range(_PAGES):
        page = await node.listed(address, before=before)
        lines += page
        if page and page[-1].slot < first:
            return lines
        if len(page) < LISTED_PER_CALL:
            # The end of the history, or of what the node has kept of it.
            kept = (await node.observe([])).first_available
            return lines if kept <= first else None
        before = page[-1].signature
    return None


def _evidence(landed: LandedTransaction) -> ChainTransaction:
    moved = tuple(Moved(b.account, b.owner, b.mint, b.after - b.before) for b in landed.balances)
    return ChainTransaction(landed.slot, landed.payer, tuple(landed.memos), moved)
