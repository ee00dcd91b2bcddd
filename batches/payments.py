"""What a published batch pays, and whether the chain has paid it.

Owners get what their fills bring, and what is left of the escrow of orders that end. How much that
is at most follows from the orders, unless one has taken over the larger escrow of another that it
replaced: so more than that proves nothing. A payment to who has no order here does.
"""

from collections.abc import Mapping

from solders.pubkey import Pubkey

from batches import terms
from batches.bundle import Bundle
from batches.evidence import Broken, Evidence, Findings, Missing
from batches.records import Fill, Header, Leaf, Side, TimeInForce
from batches.settlement import proceeds

# By owner's address and mint.
Credits = Mapping[tuple[str, str], int]


def conserved(bundle: Bundle, _: Evidence) -> Findings:
    """Fills that equal the clearing conserve: whether the payouts are what they bring."""
    paid = {payout.owner: payout for payout in bundle.payouts}
    if len(paid) != len(bundle.payouts):
        yield Broken("an owner is paid twice")
    for due in proceeds(bundle.header, bundle.leaves, bundle.result.fills):
        payout = paid.get(due.owner)
        if payout is None or payout.base < due.base or payout.quote < due.quote:
            yield Broken(f"{Pubkey.from_bytes(due.owner)} is paid less than the fills bring")
    most = _most(bundle)
    for payout in bundle.payouts:
        address = Pubkey.from_bytes(payout.owner)
        if payout.owner not in most:
            yield Broken(f"{address} is paid, and has no order in the batch")
            continue
        base, quote = most[payout.owner]
        if payout.base > base or payout.quote > quote:
            yield Missing(f"which escrow {address} is paid back beyond that of its orders")


def transferred(bundle: Bundle, evidence: Evidence) -> Findings:
    """Whether the settlements have moved what is paid.

    The settlements of a tick carry what its batches pay, and nothing else: a transfer may be more
    than a payout where the tick has several.
    """
    if bundle.payouts and not bundle.settlements:
        yield Missing("a settlement")
        return
    signatures = list(dict.fromkeys(bundle.settlements))
    missing = [signature for signature in signatures if signature not in evidence.chain]
    for signature in missing:
        yield Missing(f"the settlement {signature} as the chain has it")
    if missing:
        return
    received: dict[tuple[str, str], int] = {}
    for signature in signatures:
        for key, amount in evidence.chain[signature].credits.items():
            received[key] = received.get(key, 0) + amount
    paid = _payouts(bundle)
    for (owner, mint), amount in paid.items():
        if received.get((owner, mint), 0) >= amount:
            continue
        if bundle.settled:
            yield Broken(f"{owner} received less of {mint} than its payout")
        else:
            yield Missing(f"a settlement that pays {owner} its {mint}")
    if len(bundle.tick.headers) == 1:
        yield from _uncalled(bundle, received, paid)


def _uncalled(bundle: Bundle, received: Credits, paid: Credits) -> Findings:
    for (owner, mint), amount in received.items():
        if owner != bundle.coordinator and amount > paid.get((owner, mint), 0):
            yield Broken(f"{owner} received more of {mint} than its payout")


def _payouts(bundle: Bundle) -> dict[tuple[str, str], int]:
    paid: dict[tuple[str, str], int] = {}
    for payout in bundle.payouts:
        owner = str(Pubkey.from_bytes(payout.owner))
        paid |= {(owner, bundle.base_mint): payout.base, (owner, bundle.quote_mint): payout.quote}
    return paid


def _most(bundle: Bundle) -> dict[bytes, tuple[int, int]]:
    """Base and quote that each owner of an order can be due, by owner."""
    header = bundle.header
    fills = {fill.order_hash: fill for fill in bundle.result.fills}
    most = {leaf.order.owner: (0, 0) for leaf in bundle.leaves}
    for due in proceeds(header, bundle.leaves, bundle.result.fills):
        most[due.owner] = due.base, due.quote
    for leaf in bundle.leaves:
        left = _left(header, leaf, fills.get(leaf.order.hash))
        base, quote = most[leaf.order.owner]
        buys = leaf.order.side is Side.BUY
        most[leaf.order.owner] = (base, quote + left) if buys else (base + left, quote)
    return most


def _left(header: Header, leaf: Leaf, fill: Fill | None) -> int:
    """Atoms that are left of the order's own escrow at most, if it ends here."""
    order, lots = leaf.order, fill.lots if fill else 0
    if lots < leaf.remaining and order.time_in_force is TimeInForce.ROLL:
        return 0
    if order.side is Side.SELL:
        return (leaf.remaining - lots) * header.lot
    spent = fill.quote + fill.fee if fill else 0
    return terms.escrow(order, lot=header.lot, tick=header.tick) - spent
